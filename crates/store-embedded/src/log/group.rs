//! Consumer groups: who has which partition, under which epoch, and where the group goes on.
//!
//! Members are known in memory only, by the monotonic clock: they end with the process. An epoch is in the file before anybody has it,
//! and it grows whenever a partition changes hands, so whoever had it before can commit nothing any more.

use std::collections::{BTreeMap, HashMap};

use ports::{
    StoreError,
    log::{Epoch, GroupName, Partition, ResetTo, Sequence, StreamName},
};
use rusqlite::{OptionalExtension as _, params};
use types::{Elapsed, limits};

use super::row::{self, Part, Stream};
use crate::{
    shard::{Applied, Batch},
    sqlite::{int, uint},
};

/// Members of one group: no more than partitions are of use, and a few that wait to take over.
const MEMBERS_MAX: usize = 4 * limits::PARTITIONS as usize;
/// Groups that are known in memory; those that nobody is in go first.
const GROUPS_MAX: usize = 10_000;

/// Who is in each group.
#[derive(Default)]
pub(super) struct Groups(HashMap<(StreamName, GroupName), Group>);

#[derive(Default)]
struct Group {
    /// Until when each is in it, by the monotonic clock.
    members: BTreeMap<String, u64>,
    /// Who has each partition.
    owners: BTreeMap<u32, (String, Epoch)>,
}

impl Groups {
    pub(super) fn forget(&mut self, stream: &StreamName, group: &GroupName) {
        self.0.remove(&(stream.clone(), group.clone()));
    }

    /// Joins or stays; partitions are dealt out anew if somebody came or went.
    pub(super) fn join(
        &mut self,
        batch: &Batch<'_>,
        (name, stream, group): (&StreamName, Stream, &GroupName),
        member: &str,
        ttl: Elapsed,
    ) -> Applied<Vec<(Partition, Epoch)>> {
        if self.0.len() >= GROUPS_MAX {
            self.0.retain(|_, group| group.members.values().any(|until_ns| *until_ns > batch.mono_ns));
        }
        let held = self.0.entry((name.clone(), group.clone())).or_default();
        held.members.retain(|_, until_ns| *until_ns > batch.mono_ns);
        if held.members.len() >= MEMBERS_MAX && !held.members.contains_key(member) {
            let (measured, allowed) = (held.members.len() as u64 + 1, MEMBERS_MAX as u64);
            return Ok(Err(StoreError::TooMany { what: "members of a group", measured, allowed }));
        }
        held.members.insert(member.to_owned(), batch.mono_ns.saturating_add(ttl.ns()));
        for (place, owner) in held.deal(stream.partitions) {
            let epoch = next_epoch(batch, stream, group, place)?;
            held.owners.insert(place, (owner, epoch));
        }
        let own = held.owners.iter().filter(|(_, (owner, _))| owner == member);
        Ok(Ok(own.map(|(place, (_, epoch))| (Partition(*place), *epoch)).collect()))
    }
}

impl Group {
    /// The partitions that get another owner: those whose owner is gone, and those of members that have more than their part. All others
    /// stay where they are.
    fn deal(&self, partitions: u32) -> Vec<(u32, String)> {
        let members = self.members.len().max(1);
        let (least, one_more) = (partitions as usize / members, partitions as usize % members);
        let mut counts: BTreeMap<&str, usize> = self.members.keys().map(|member| (member.as_str(), 0)).collect();
        let (mut free, mut with_one_more) = (Vec::new(), 0);
        for place in 0..partitions {
            let owner = self.owners.get(&place).map(|(owner, _)| owner.as_str());
            match owner.and_then(|owner| counts.get_mut(owner)) {
                Some(count) if *count < least => *count += 1,
                Some(count) if *count == least && with_one_more < one_more => {
                    *count += 1;
                    with_one_more += 1;
                }
                _ => free.push(place),
            }
        }
        let mut dealt = Vec::with_capacity(free.len());
        for place in free {
            let Some((member, count)) = counts.iter_mut().min_by_key(|(_, count)| **count) else { break };
            *count += 1;
            dealt.push((place, (*member).to_owned()));
        }
        dealt
    }
}

/// A new epoch of a partition, in the file.
fn next_epoch(batch: &Batch<'_>, stream: Stream, group: &GroupName, place: u32) -> rusqlite::Result<Epoch> {
    let mut query = batch.connection.prepare_cached(
        "INSERT INTO consumer (stream, name, place, epoch) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
    )?;
    query.query_one(params![stream.id, group.0, place], |row| Ok(Epoch(uint(row.get(0)?))))
}

/// The group goes on at `next`.
pub(super) fn commit(
    batch: &Batch<'_>,
    (name, group): (&StreamName, &GroupName),
    partition: Partition,
    next: Sequence,
    epoch: Epoch,
) -> Applied<()> {
    let fenced = || {
        let text = format!("epoch {} of partition {} in group {} of {} is not the newest", epoch.0, partition.0, group.0, name.0);
        Ok(Err(StoreError::Fenced(text)))
    };
    let Some(stream) = row::stream(batch.connection, name)? else { return fenced() };
    let mut query =
        batch.connection.prepare_cached("SELECT epoch FROM consumer WHERE stream = ?1 AND name = ?2 AND place = ?3")?;
    let newest: Option<i64> = query.query_one(params![stream.id, group.0, partition.0], |row| row.get(0)).optional()?;
    if newest.map(uint) != Some(epoch.0) {
        return fenced();
    }
    let end = row::part(batch.connection, stream.id, partition.0)?.map_or(0, |part| part.next);
    if next.0 > end {
        return Ok(Err(StoreError::Rejected(format!(
            "sequence {} of partition {} is beyond its end, {end}",
            next.0, partition.0
        ))));
    }
    batch
        .connection
        .prepare_cached(
            "UPDATE consumer SET next = ?4 WHERE stream = ?1 AND name = ?2 AND place = ?3 AND (next IS NULL OR next < ?4)",
        )?
        .execute(params![stream.id, group.0, partition.0, int(next.0)])?;
    Ok(Ok(()))
}

/// The group goes on elsewhere in every partition. Epochs grow: what is being worked off now can't undo this by its commit.
pub(super) fn reset(batch: &Batch<'_>, stream: Stream, group: &GroupName, to: ResetTo) -> rusqlite::Result<()> {
    for Part { place, next, oldest, .. } in row::parts(batch.connection, stream.id)? {
        let next = match to {
            ResetTo::Oldest => oldest,
            ResetTo::Newest => next,
            ResetTo::At(Sequence(sequence)) => sequence.min(next),
        };
        next_epoch(batch, stream, group, place)?;
        batch
            .connection
            .prepare_cached("UPDATE consumer SET next = ?4 WHERE stream = ?1 AND name = ?2 AND place = ?3")?
            .execute(params![stream.id, group.0, place, int(next)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(group: &mut Group, partitions: u32) -> BTreeMap<String, Vec<u32>> {
        for (place, owner) in group.deal(partitions) {
            group.owners.insert(place, (owner, Epoch(1)));
        }
        let mut all: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (place, (owner, _)) in &group.owners {
            all.entry(owner.clone()).or_default().push(*place);
        }
        all
    }

    #[test]
    fn partitions_are_dealt_evenly_and_stay_where_they_can() {
        let mut group = Group::default();
        for (members, moved_max) in [(1, 8), (2, 4), (3, 3), (4, 2), (8, 5), (12, 0)] {
            let before = group.owners.clone();
            group.members = (0..members).map(|index| (format!("member {index:02}"), u64::MAX)).collect();
            let all = dealt(&mut group, 8);
            let counts: Vec<usize> = all.values().map(Vec::len).collect();
            assert_eq!(counts.iter().sum::<usize>(), 8);
            assert!(counts.iter().max().expect("some") - counts.iter().min().expect("some") <= 1, "{all:?}");
            let moved = group.owners.iter().filter(|(place, owner)| before.get(place) != Some(owner)).count();
            assert!(moved <= moved_max, "{moved} of 8 moved for {members} members");
            assert!(group.deal(8).is_empty(), "nothing moves without a reason");
        }
        group.members.retain(|member, _| member == "member 03");
        assert_eq!(dealt(&mut group, 10)["member 03"].len(), 10, "who is left takes all, also new ones");
    }
}
