//! What the data plane serves: immutable, numbered, pushed to it by control. A request sees one snapshot from start to end.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    app::Function,
    id::{Digest, FunctionName},
    revision::{AppKey, Revision, RevisionNumber},
    settings::{EventsSettings, Resources},
    site::Site,
};

/// All apps that a node serves.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Grows with every change.
    pub number: u64,
    /// The apps, in no order that matters.
    pub apps: Vec<Arc<LiveApp>>,
}

/// One app with the revisions that share its traffic.
#[derive(Debug, Clone)]
pub struct LiveApp {
    /// Which app.
    pub key: AppKey,
    /// The host names it answers to, in lower case, without port. The node's default app answers to any.
    pub hosts: Vec<String>,
    /// Whether it answers to hosts that no app names: so with the one app of `up`.
    pub default: bool,
    /// Its traffic: at least one share, weights not zero.
    pub shares: Vec<(Arc<LiveRevision>, u32)>,
}

impl LiveApp {
    /// The revision that the ticket draws: each gets its weight's part of all tickets.
    ///
    /// # Panics
    /// If there is no share, which control never builds.
    #[must_use]
    pub fn pick(&self, ticket: u32) -> &Arc<LiveRevision> {
        assert!(!self.shares.is_empty(), "a live app has a revision");
        let total: u64 = self.shares.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = (u64::from(ticket) * total) >> 32;
        for (revision, weight) in &self.shares {
            match left.checked_sub(u64::from(*weight)) {
                None => return revision,
                Some(rest) => left = rest,
            }
        }
        &self.shares[self.shares.len() - 1].0
    }
}

/// One revision, ready to be served.
#[derive(Debug, Clone)]
pub struct LiveRevision {
    /// Its number.
    pub number: RevisionNumber,
    /// Its functions.
    pub functions: BTreeMap<FunctionName, Arc<LiveFunction>>,
    /// Its static site, if it has one.
    pub site: Option<Arc<Site>>,
    /// Its way in for CloudEvents over HTTP, if it has one.
    pub events: Option<EventsSettings>,
}

impl LiveRevision {
    /// Makes the live form of a stored revision, its site left out: that is a blob, which control reads. `gate` numbers each function of the app so that all its revisions share limits.
    #[must_use]
    pub fn of(key: &AppKey, revision: &Revision, mut gate: impl FnMut(&FunctionName) -> u64) -> Self {
        let resources = Arc::new(revision.app.resources.clone());
        let live = |(name, function): (&FunctionName, &Function)| {
            let artifact = *revision.artifacts.get(name)?;
            let gate = gate(name);
            let function = function.clone();
            let (key, revision, resources) = (key.clone(), revision.number, resources.clone());
            Some((name.clone(), Arc::new(LiveFunction { key, revision, function, artifact, gate, resources })))
        };
        let functions = revision.app.functions.iter().filter_map(live).collect();
        Self { number: revision.number, functions, site: None, events: revision.app.events.clone() }
    }
}

/// One function of one revision.
#[derive(Debug, Clone)]
pub struct LiveFunction {
    /// Its app.
    pub key: AppKey,
    /// Its revision.
    pub revision: RevisionNumber,
    /// Its model.
    pub function: Function,
    /// Its code.
    pub artifact: Digest,
    /// The same number for the same function of every revision: limits such as concurrency are held by it.
    pub gate: u64,
    /// What its app sets of its resources.
    pub resources: Arc<Resources>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_drawn_by_weight() {
        let revision =
            |n| Arc::new(LiveRevision { number: RevisionNumber(n), functions: BTreeMap::new(), site: None, events: None });
        let key = AppKey { app: "a".parse().expect("a name"), env: "dev".parse().expect("a name") };
        let app = LiveApp { key, hosts: vec![], default: true, shares: vec![(revision(1), 95), (revision(2), 5)] };
        let second = (0..1_000u32).filter(|i| app.pick(i * 4_294_967).number.0 == 2).count();
        assert!((49..=51).contains(&second), "{second} of 1,000");
        assert_eq!(app.pick(u32::MAX).number.0, 2);
    }
}
