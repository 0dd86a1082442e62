//! Reading the file of one day: which blocks may hold what is wanted, and which of their records do.
//!
//! Readers have connections of their own and read within one transaction, so that sealing can't move records from under them. A
//! damaged block is counted, told once, and skipped.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use ports::telemetry::{Filter, LogRecord, SealedJournal, UsageRow};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use types::{InvocationId, Outcome, Timestamp, journal::LogLine, record::InvocationRecord};

use super::{
    bytes::{Cursor, Damaged},
    codec::{Block, Column, Head, key},
    day::{DayNumber, Sums, hour_of, journal_crc, usage_crc},
    newest::Newest,
    scopes::Scope,
    writer::is_damage,
};

/// What was found damaged, and whether checksums are looked at.
pub(super) struct Faults {
    seen: Mutex<BTreeSet<(DayNumber, Place)>>,
    /// Off only in the control run of a test, which must then give wrong answers.
    verify: AtomicBool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    File,
    Block(i64),
    Journal(InvocationId),
    Usage(Vec<u8>, i64),
}

impl Faults {
    pub(super) fn new(verify: bool) -> Self {
        Self { seen: Mutex::default(), verify: AtomicBool::new(verify) }
    }
    /// How many places were found damaged.
    pub(super) fn count(&self) -> u64 {
        self.seen.lock().len() as u64
    }
    pub(super) fn is_sound(&self, stored: u32, actual: impl FnOnce() -> u32) -> bool {
        !self.verify.load(Ordering::Relaxed) || stored == actual()
    }
    pub(super) fn block(&self, day: DayNumber, id: i64, what: &'static str) {
        self.note(day, Place::Block(id), what);
    }
    pub(super) fn usage(&self, day: DayNumber, scope: &[u8], hour: i64) {
        self.note(day, Place::Usage(scope.to_vec(), hour), "a sum of usage does not match its checksum");
    }
    pub(super) fn file(&self, day: DayNumber, what: &dyn std::fmt::Display) {
        self.note(day, Place::File, what);
    }
    fn note(&self, day: DayNumber, place: Place, what: impl std::fmt::Display) {
        let text = format!("{place:?}");
        if self.seen.lock().insert((day, place)) {
            tracing::warn!(day = %day.start().to_day(), place = %text, %what, code = "E0603", "telemetry is damaged and was skipped");
        }
    }
}

/// What is known of a block without reading it.
pub(super) struct Header {
    pub(super) id: i64,
    pub(super) at_min: Timestamp,
    at_max: Timestamp,
    end_max: Timestamp,
    scope: Option<Vec<u8>>,
    crc: u32,
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get::<_, i64>(column).map(|ns| Timestamp::from_unix_ns(ns.unsigned_abs()))
}

/// A range of time that holds every block.
pub(super) const ALL_TIME: (Timestamp, Timestamp) = (Timestamp::from_unix_ns(0), Timestamp::from_unix_ns(u64::MAX));

/// The headers of blocks that `clause` is true of and that may hold something between two points in time. An index has all that a
/// header says, so that this reads no block.
pub(super) fn headers(db: &Connection, clause: &str, (from, until): (Timestamp, Timestamp)) -> rusqlite::Result<Vec<Header>> {
    let int = |at: Timestamp| i64::try_from(at.unix_ns()).unwrap_or(i64::MAX);
    let mut select = db.prepare_cached(&format!(
        "SELECT id, at_min, at_max, end_max, scope, crc FROM block INDEXED BY block_header WHERE at_min < ?1 AND end_max >= ?2 AND {clause}"
    ))?;
    let rows = select.query_map([int(until), int(from)], |row| {
        let (at_min, at_max, end_max) = (time(row, 1)?, time(row, 2)?, time(row, 3)?);
        Ok(Header { id: row.get(0)?, at_min, at_max, end_max, scope: row.get(4)?, crc: row.get(5)? })
    })?;
    rows.collect()
}

/// The checksum of a block with what it is found by.
pub(super) fn crc(at_min: i64, at_max: i64, end_max: i64, keys: &[u8], body: &[u8]) -> u32 {
    let times = [at_min, at_max, end_max].map(i64::to_le_bytes);
    let parts = times.iter().map(<[u8; 8]>::as_slice).chain([keys, body]);
    parts.fold(0, crc32c::crc32c_append)
}

/// A block's body, if it is what was written.
pub(super) fn body(db: &Connection, day: DayNumber, header: &Header, faults: &Faults) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut select = db.prepare_cached("SELECT keys, body FROM block WHERE id = ?")?;
    let (keys, body): (Vec<u8>, Vec<u8>) = match select.query_row([header.id], |row| Ok((row.get(0)?, row.get(1)?))) {
        Err(error) if is_damage(&error) => {
            faults.block(day, header.id, "SQLite finds the block damaged");
            return Ok(None);
        }
        read => read?,
    };
    let int = |at: Timestamp| at.unix_ns().cast_signed();
    let actual = || crc(int(header.at_min), int(header.at_max), int(header.end_max), &keys, &body);
    if faults.is_sound(header.crc, actual) {
        return Ok(Some(body));
    }
    faults.block(day, header.id, "a block does not match its checksum");
    Ok(None)
}

/// One day's file, open for reading.
pub(super) struct Reader<'a> {
    day: DayNumber,
    db: Connection,
    faults: &'a Faults,
}

impl<'a> Reader<'a> {
    /// Opens the day; `None` if it has no file.
    pub(super) fn open(dir: &Path, day: DayNumber, faults: &'a Faults) -> rusqlite::Result<Option<Self>> {
        let path = day.path(dir);
        if !path.exists() {
            return Ok(None);
        }
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.execute_batch("PRAGMA busy_timeout=10000; PRAGMA cache_size=-4096; BEGIN DEFERRED")?;
        // The writer makes file and schema in two steps; a reader between them finds nothing yet.
        let ready: i32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok((ready != 0).then_some(Self { day, db, faults }))
    }

    /// Adds the newest invocations that match.
    pub(super) fn invocations(&self, filter: &Filter, newest: &mut Newest<InvocationRecord>) -> rusqlite::Result<()> {
        for header in headers(&self.db, "true ORDER BY at_max DESC", (filter.from, filter.until))? {
            if header.at_max < filter.from || !self.may_hold(&header, filter)? {
                continue;
            }
            if newest.is_full_above(header.at_max) {
                return Ok(());
            }
            self.visit(&header, |block| collect_invocations(block, &header, filter, newest))?;
        }
        Ok(())
    }

    /// Adds the newest log lines that match.
    pub(super) fn logs(&self, filter: &Filter, newest: &mut Newest<LogRecord>) -> rusqlite::Result<()> {
        for header in headers(&self.db, "true ORDER BY end_max DESC", (filter.from, filter.until))? {
            if !self.may_hold(&header, filter)? {
                continue;
            }
            if newest.is_full_above(header.end_max) {
                return Ok(());
            }
            self.visit(&header, |block| collect_logs(block, &header, filter, newest))?;
        }
        Ok(())
    }

    /// The invocation with this id.
    pub(super) fn invocation(&self, id: InvocationId) -> rusqlite::Result<Option<InvocationRecord>> {
        let mut found = None;
        for header in headers(&self.db, "true ORDER BY id DESC", ALL_TIME)? {
            if found.is_none() && self.has_key(&header, key(id.as_bytes()), Half::Ids)? {
                self.visit(&header, |block| {
                    found = find(block, &header, id)?;
                    Ok(())
                })?;
            }
        }
        Ok(found)
    }

    /// The journal of the invocation with this id.
    pub(super) fn journal(&self, id: InvocationId) -> rusqlite::Result<Option<SealedJournal>> {
        let mut select = self.db.prepare_cached("SELECT crc, sealed FROM journal WHERE id = ?")?;
        let row = select.query_row([id.as_bytes()], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?)));
        let Some((crc, sealed)) = row.optional()? else { return Ok(None) };
        if self.faults.is_sound(crc, || journal_crc(id.as_bytes(), &sealed)) {
            return Ok(Some(SealedJournal { id, sealed: sealed.into() }));
        }
        self.faults.note(self.day, Place::Journal(id), "a journal does not match its checksum");
        Ok(None)
    }

    /// Adds the rows of usage that match.
    pub(super) fn usage(&self, filter: &Filter, rows: &mut Vec<UsageRow>) -> rusqlite::Result<()> {
        let mut select = self.db.prepare_cached("SELECT scope, hour, crc, sums FROM usage")?;
        let mut found = select.query(params![])?;
        while let Some(row) = found.next()? {
            let (scope, crc, bytes): (Vec<u8>, u32, Vec<u8>) = (row.get(0)?, row.get(2)?, row.get(3)?);
            let (hour_ns, hour) = (row.get::<_, i64>(1)?, time(row, 1)?);
            if hour < hour_of(filter.from) || hour >= filter.until {
                continue;
            }
            let sound = self.faults.is_sound(crc, || usage_crc(&scope, hour_ns, &bytes));
            let read = || Ok::<_, Damaged>((Cursor(&scope).value::<Scope>()?, Sums::read(&bytes)?));
            match read() {
                Ok((scope, sums)) if sound => rows.extend(is_of(filter, &scope).then(|| usage_row(scope, hour, sums))),
                _ => self.faults.usage(self.day, &scope, hour_ns),
            }
        }
        Ok(())
    }

    /// Unpacks a block for `look`, and notes what is damaged.
    fn visit(&self, header: &Header, look: impl FnOnce(&Block<'_>) -> Result<(), Damaged>) -> rusqlite::Result<()> {
        let Some(body) = body(&self.db, self.day, header, self.faults)? else { return Ok(()) };
        if let Err(damage) = Block::open(&body).and_then(|block| look(&block)) {
            self.faults.block(self.day, header.id, damage.0);
        }
        Ok(())
    }

    fn may_hold(&self, header: &Header, filter: &Filter) -> rusqlite::Result<bool> {
        let scope = header.scope.as_ref().and_then(|bytes| Cursor(bytes).value::<Scope>().ok());
        if scope.is_some_and(|scope| !is_of(filter, &scope)) {
            return Ok(false);
        }
        filter.trace.map_or(Ok(true), |trace| self.has_key(header, key(trace.as_bytes()), Half::Traces))
    }

    fn has_key(&self, header: &Header, key: [u8; 4], half: Half) -> rusqlite::Result<bool> {
        let mut select = self.db.prepare_cached("SELECT keys FROM block WHERE id = ?")?;
        let keys: Vec<u8> = match select.query_row([header.id], |row| row.get(0)) {
            // Whoever reads the body next finds the damage too, and reports it.
            Err(error) if is_damage(&error) => return Ok(true),
            read => read?,
        };
        let (ids, traces) = keys.split_at(keys.len() / 2);
        let keys = if half == Half::Ids { ids } else { traces };
        Ok(keys.as_chunks().0.contains(&key))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Ids,
    Traces,
}

fn usage_row(scope: Scope, hour: Timestamp, sums: Sums) -> UsageRow {
    let Scope { app, env, function } = scope;
    UsageRow { app, env, function, hour, usage: sums.usage, errors: sums.errors }
}

fn is_of(filter: &Filter, scope: &Scope) -> bool {
    let is = |wanted: Option<&str>, actual: &str| wanted.is_none_or(|wanted| wanted == actual);
    is(filter.app.as_ref().map(|name| name.as_str()), scope.app.as_str())
        && is(filter.env.as_ref().map(|name| name.as_str()), scope.env.as_str())
        && is(filter.function.as_ref().map(|name| name.as_str()), scope.function.as_str())
}

/// Whether the invocation itself is wanted; time, text and level are left to the caller.
fn is_wanted(filter: &Filter, scopes: &[Scope], head: &Head) -> bool {
    is_of(filter, &scopes[head.scope])
        && filter.revision.is_none_or(|revision| revision == head.revision)
        && filter.trace.is_none_or(|trace| trace == head.trace)
        && filter.error.is_none_or(|error| error == head.outcome.is_error())
        && filter.status.is_none_or(|status| status == head.outcome.status())
        && filter.slower_than.is_none_or(|bound| head.duration >= bound)
}

fn tells(outcome: &Outcome, text: &str) -> bool {
    match outcome {
        Outcome::Answered { .. } => false,
        Outcome::Failed { code, message, .. } => message.contains(text) || code.as_str().contains(text),
    }
}

fn collect_invocations(
    block: &Block<'_>,
    header: &Header,
    filter: &Filter,
    newest: &mut Newest<InvocationRecord>,
) -> Result<(), Damaged> {
    let mut heads: Vec<_> = block.heads(header.at_min)?.into_iter().enumerate().collect();
    heads.retain(|(_, head)| head.at >= filter.from && head.at < filter.until && is_wanted(filter, &block.scopes, head));
    if let Some(text) = &filter.text {
        let causes = block.rows(Column::Causes)?;
        let mut matches = Vec::new();
        for (index, head) in heads {
            if tells(&head.outcome, text) || causes.text(index)?.contains(text.as_str()) {
                matches.push((index, head));
            }
        }
        heads = matches;
    }
    heads.retain(|(_, head)| newest.takes((head.at, head.id, 0)));
    if heads.is_empty() {
        return Ok(());
    }
    let rest = block.unpack_rest()?;
    for (index, head) in heads {
        let place = (head.at, head.id, 0);
        if newest.takes(place) {
            newest.add(place, rest.record(&block.scopes, head, index)?);
        }
    }
    Ok(())
}

fn collect_logs(block: &Block<'_>, header: &Header, filter: &Filter, newest: &mut Newest<LogRecord>) -> Result<(), Damaged> {
    let logs = block.rows(Column::Logs)?;
    for (index, head) in block.heads(header.at_min)?.into_iter().enumerate() {
        // A row of one byte is an empty list.
        if logs.get(index).len() == 1 || !is_wanted(filter, &block.scopes, &head) {
            continue;
        }
        let lines: Vec<LogLine> = logs.value(index)?;
        for (number, line) in lines.into_iter().enumerate() {
            let at = head.at.plus(line.at);
            let wanted = at >= filter.from
                && at < filter.until
                && filter.level.is_none_or(|level| line.level >= level)
                && filter.text.as_ref().is_none_or(|text| line.text.contains(text.as_str()));
            let place = (at, head.id, number);
            if wanted && newest.takes(place) {
                let Scope { app, env, function } = block.scopes[head.scope].clone();
                newest.add(place, LogRecord { invocation: head.id, trace: head.trace, app, env, function, at, line });
            }
        }
    }
    Ok(())
}

fn find(block: &Block<'_>, header: &Header, id: InvocationId) -> Result<Option<InvocationRecord>, Damaged> {
    let heads = block.heads(header.at_min)?;
    let Some((index, head)) = heads.into_iter().enumerate().find(|(_, head)| head.id == id) else { return Ok(None) };
    block.unpack_rest()?.record(&block.scopes, head, index).map(Some)
}
