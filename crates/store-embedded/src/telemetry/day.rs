//! The file of one day: its schema, and what the writer does to it.
//!
//! A batch is one transaction: its records as a tail row, its journals, and the usage it adds. When enough tails have gathered, their
//! records are sorted by function into sealed blocks, in one more transaction that removes the tails. So a crash at any point leaves
//! each record in exactly one place, and what the next start needs is read back from the tails alone.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use types::{Timestamp, Usage, record::InvocationRecord};

use super::{
    bytes::{Cursor, Damaged, put},
    codec::{Basic, Block, Effort, Encoded, Encoder},
    queue::Waiting,
    scopes::{Scope, Scopes},
    search::{self, Faults},
};

/// The version of the schema, kept as `user_version`.
const VERSION: i32 = 1;
const SCHEMA: &str = "
CREATE TABLE block(
  id INTEGER PRIMARY KEY, tail INTEGER NOT NULL, at_min INTEGER NOT NULL, at_max INTEGER NOT NULL, end_max INTEGER NOT NULL,
  count INTEGER NOT NULL, scope BLOB, crc INTEGER NOT NULL, keys BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX block_header ON block(at_max, at_min, end_max, tail, scope, crc);
CREATE TABLE journal(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, crc INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE usage(
  scope BLOB NOT NULL, hour INTEGER NOT NULL, crc INTEGER NOT NULL, sums BLOB NOT NULL, PRIMARY KEY(scope, hour)) WITHOUT ROWID;
";
/// A tail row holds about this much at most, so that no reader unpacks a whole burst at once. Sizes are those before packing.
const TAIL_BYTES: u64 = 4 << 20;
/// A sealed block holds about this much.
const BLOCK_BYTES: u64 = 256 << 10;
/// A function with less than this shares its block with others.
const OWN_BLOCK_FROM: u64 = BLOCK_BYTES / 4;
/// Tails are sealed when they hold this much …
const SEAL_AT_BYTES: u64 = 4 << 20;
/// … or are this many.
const SEAL_AT_TAILS: usize = 256;
/// Of a batch with so many records, functions that fill a block of their own are sealed at once: under load, nothing is packed twice.
const SEAL_DIRECTLY_FROM: usize = 2_000;

/// Sums that are kept at hand; what is not is read again.
const SUMS_MAX: usize = 10_000;

const HOUR_NS: u64 = 3_600_000_000_000;
const DAY_NS: u64 = 24 * HOUR_NS;

/// The number of a day: whole days since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DayNumber(pub(super) u64);

impl DayNumber {
    pub(super) fn of(at: Timestamp) -> Self {
        Self(at.unix_ns() / DAY_NS)
    }
    pub(super) fn start(self) -> Timestamp {
        Timestamp::from_unix_ns(self.0.saturating_mul(DAY_NS))
    }
    /// `2026-11-21.sqlite` in the folder.
    pub(super) fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.sqlite", self.start().to_day()))
    }
    /// The days that have a file, oldest first.
    pub(super) fn all(dir: &Path) -> std::io::Result<Vec<Self>> {
        let mut days = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let name = entry?.file_name();
            let day = name.to_str().and_then(|name| name.strip_suffix(".sqlite")).and_then(Self::parse);
            days.extend(day);
        }
        days.sort_unstable();
        Ok(days)
    }
    /// Reads the name that [`Self::path`] gives, and none else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let year: u64 = text.get(..4)?.parse().ok()?;
        let first = Self((year.checked_sub(1970)? * 365).saturating_sub(1));
        (first.0..first.0 + 2 * 366).map(Self).find(|day| day.start().to_day() == text)
    }
}

/// The start of the hour that the point lies in.
pub(super) fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_ns(at.unix_ns() / HOUR_NS * HOUR_NS)
}

/// What one function used in one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) usage: Usage,
    pub(super) errors: u64,
}

impl Sums {
    fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, &(Basic(self.usage), self.errors, self.usage.services));
        bytes
    }

    /// Reads a row; what earlier versions wrote ends before the calls of services.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut cursor = Cursor(bytes);
        let (Basic(mut usage), errors) = cursor.value()?;
        if !cursor.0.is_empty() {
            usage.services = cursor.value()?;
        }
        Ok(Self { usage, errors })
    }
}

/// How a file is opened; the figures are arguments so that tests can fill a small disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct DayOptions {
    /// The most pages that a file may have; `None` for as many as the disk holds.
    pub(super) pages_max: Option<u32>,
}

/// One day's file, open for writing.
pub(super) struct Day {
    number: DayNumber,
    db: Connection,
    /// The records of the tails, oldest first.
    open: Vec<Arc<InvocationRecord>>,
    open_bytes: u64,
    tails: Vec<i64>,
    /// Sums as the file holds them.
    sums: BTreeMap<(Vec<u8>, u64), Sums>,
}

/// Times fit SQLite's integers until the year 2262.
fn int(at: Timestamp) -> i64 {
    i64::try_from(at.unix_ns()).unwrap_or(i64::MAX)
}

impl Day {
    /// Opens the file, makes it if there is none, and reads the tails back.
    pub(super) fn open(dir: &Path, number: DayNumber, options: DayOptions, faults: &Faults) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(number.path(dir), flags)?;
        db.execute_batch(
            "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8192;
             PRAGMA journal_size_limit=16777216; PRAGMA busy_timeout=10000;",
        )?;
        if let Some(pages) = options.pages_max {
            db.pragma_update(None, "max_page_count", pages)?;
        }
        let version: i32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version == 0 {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute_batch(SCHEMA)?;
            tx.pragma_update(None, "user_version", VERSION)?;
            tx.commit()?;
        }
        let mut day = Self { number, db, open: Vec::new(), open_bytes: 0, tails: Vec::new(), sums: BTreeMap::new() };
        day.reload(faults)?;
        Ok(day)
    }

    fn reload(&mut self, faults: &Faults) -> rusqlite::Result<()> {
        for header in search::headers(&self.db, "tail = 1 ORDER BY id", search::ALL_TIME)? {
            // A damaged tail stays where it is: readers report it, and sealing would destroy what is left of it.
            let Some(body) = search::body(&self.db, self.number, &header, faults)? else { continue };
            match Block::open(&body).and_then(|block| block.records(header.at_min)) {
                Ok(records) => {
                    self.tails.push(header.id);
                    self.open_bytes += records.iter().map(encoded_bytes).sum::<u64>();
                    self.open.extend(records.into_iter().map(Arc::new));
                }
                Err(damage) => faults.block(self.number, header.id, damage.0),
            }
        }
        Ok(())
    }

    /// Writes one batch of records of this day. All of it is durable afterwards, or none.
    pub(super) fn write(&mut self, batch: &[Waiting], encoder: &mut Encoder, faults: &Faults) -> Result<(), WriteError> {
        let records: Vec<_> = batch.iter().map(|waiting| Arc::clone(&waiting.record)).collect();
        let mut tails = Vec::new();
        if self.sums.len() > SUMS_MAX {
            self.sums.clear();
        }
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        add_usage(&tx, self.number, &mut self.sums, &records, faults)?;
        let records = if records.len() >= SEAL_DIRECTLY_FROM { seal_large(&tx, encoder, &records)? } else { records };
        for part in parts(&records, TAIL_BYTES) {
            tails.push(insert_block(&tx, &encoder.encode(part, Effort::Fast)?, true)?);
        }
        for journal in batch.iter().filter_map(|waiting| waiting.journal.as_deref()) {
            let mut insert = tx.prepare_cached("INSERT OR REPLACE INTO journal(id, crc, sealed) VALUES (?, ?, ?)")?;
            insert.execute(params![
                journal.id.as_bytes(),
                journal_crc(journal.id.as_bytes(), &journal.sealed),
                &journal.sealed[..]
            ])?;
        }
        tx.commit()?;
        self.tails.extend(tails);
        self.open_bytes += records.iter().map(|record| encoded_bytes(record)).sum::<u64>();
        self.open.extend(records);
        Ok(())
    }

    /// Whether the tails hold enough to be sealed.
    pub(super) fn is_ripe(&self) -> bool {
        self.open_bytes >= SEAL_AT_BYTES || self.tails.len() >= SEAL_AT_TAILS
    }

    /// Turns the tails into sealed blocks: one function's records together, and those of functions that did little in shared blocks.
    pub(super) fn seal(&mut self, encoder: &mut Encoder) -> Result<(), WriteError> {
        if self.tails.is_empty() {
            return Ok(());
        }
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let shared = seal_large(&tx, encoder, &self.open)?;
        for part in parts(&shared, BLOCK_BYTES) {
            insert_block(&tx, &encoder.encode(part, Effort::Good)?, false)?;
        }
        for id in &self.tails {
            tx.prepare_cached("DELETE FROM block WHERE id = ? AND tail = 1")?.execute([id])?;
        }
        tx.commit()?;
        self.tails.clear();
        self.open = Vec::new();
        self.open_bytes = 0;
        self.sums.clear();
        Ok(())
    }
}

/// Writes a block of its own for each function that fills one, and gives the other records back, those of a function together.
fn seal_large(db: &Connection, encoder: &mut Encoder, records: &[Arc<InvocationRecord>]) -> Result<Records, WriteError> {
    let mut shared = Vec::new();
    for mut group in by_function(records) {
        group.sort_by_key(|record| (record.at, record.id));
        if group.iter().map(|record| encoded_bytes(record)).sum::<u64>() < OWN_BLOCK_FROM {
            shared.append(&mut group);
            continue;
        }
        for part in parts(&group, BLOCK_BYTES) {
            insert_block(db, &encoder.encode(part, Effort::Good)?, false)?;
        }
    }
    Ok(shared)
}

/// About how many bytes a record takes in a block before packing.
fn encoded_bytes(record: &InvocationRecord) -> u64 {
    const HEAD: u64 = 180;
    const PART: u64 = 48;
    HEAD + record.usage.log_bytes.0 + PART * (record.spans.len() + record.logs.len()) as u64
}

/// The records of each function, the functions by name.
fn by_function(records: &[Arc<InvocationRecord>]) -> Vec<Records> {
    let (mut scopes, mut groups) = (Scopes::default(), Vec::new());
    for record in records {
        let number = scopes.number(record);
        groups.resize_with(groups.len().max(number + 1), Vec::new);
        groups[number].push(Arc::clone(record));
    }
    let mut named: Vec<_> = scopes.into_list().into_iter().zip(groups).collect();
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    named.into_iter().map(|(_, group)| group).collect()
}

type Records = Vec<Arc<InvocationRecord>>;

/// Why a batch was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error(transparent)]
    Db(#[from] rusqlite::Error),
    #[error("records can't be packed: {0}")]
    Pack(#[from] std::io::Error),
}

/// Cuts the records into runs of about that many bytes, one record at least.
fn parts(records: &[Arc<InvocationRecord>], bytes_max: u64) -> impl Iterator<Item = &[Arc<InvocationRecord>]> {
    let mut rest = records;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|record| {
            bytes += encoded_bytes(record);
            bytes <= bytes_max
        });
        let len = fits.count().max(1).min(rest.len());
        let (part, after) = rest.split_at(len);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

fn insert_block(db: &Connection, block: &Encoded, tail: bool) -> rusqlite::Result<i64> {
    let scope = block.scope.as_ref().map(encode_scope);
    let crc = search::crc(int(block.at_min), int(block.at_max), int(block.end_max), &block.keys, &block.body);
    let mut insert = db.prepare_cached(
        "INSERT INTO block(tail, at_min, at_max, end_max, count, scope, crc, keys, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let (min, max, end) = (int(block.at_min), int(block.at_max), int(block.end_max));
    insert.insert(params![tail, min, max, end, block.count as i64, scope, crc, block.keys, block.body])
}

/// A function's identity as bytes: `app`, `env` and `function` in postcard's form.
pub(super) fn encode_scope(scope: &Scope) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, scope);
    bytes
}

/// The checksum of a journal, with the id that it is found by.
pub(super) fn journal_crc(id: &[u8], sealed: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(id), sealed)
}

/// The checksum of a row of usage, with what it is found by.
pub(super) fn usage_crc(scope: &[u8], hour: i64, sums: &[u8]) -> u32 {
    [&hour.to_le_bytes()[..], sums].iter().fold(crc32c::crc32c(scope), |crc, part| crc32c::crc32c_append(crc, part))
}

fn add_usage(
    db: &Connection,
    day: DayNumber,
    cache: &mut BTreeMap<(Vec<u8>, u64), Sums>,
    records: &[Arc<InvocationRecord>],
    faults: &Faults,
) -> rusqlite::Result<()> {
    let mut scopes = Scopes::default();
    let mut added: BTreeMap<(usize, Timestamp), Sums> = BTreeMap::new();
    for record in records {
        let sums = added.entry((scopes.number(record), hour_of(record.at))).or_default();
        sums.usage += record.usage;
        sums.errors += u64::from(record.outcome.is_error());
    }
    let mut upsert = db.prepare_cached("INSERT OR REPLACE INTO usage(scope, hour, crc, sums) VALUES (?, ?, ?, ?)")?;
    let scopes: Vec<_> = scopes.into_list().iter().map(encode_scope).collect();
    for ((scope, hour), more) in added {
        let (scope, hour) = (scopes[scope].clone(), int(hour));
        let sums = match cache.entry((scope.clone(), hour.unsigned_abs())) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(load_sums(db, day, &scope, hour, faults)?),
        };
        sums.usage += more.usage;
        sums.errors += more.errors;
        let bytes = sums.write();
        upsert.execute(params![scope, hour, usage_crc(&scope, hour, &bytes), bytes])?;
    }
    Ok(())
}

fn load_sums(db: &Connection, day: DayNumber, scope: &[u8], hour: i64, faults: &Faults) -> rusqlite::Result<Sums> {
    let mut select = db.prepare_cached("SELECT crc, sums FROM usage WHERE scope = ? AND hour = ?")?;
    let row = select.query_row(params![scope, hour], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
    let Some((crc, bytes)) = row else { return Ok(Sums::default()) };
    if faults.is_sound(crc, || usage_crc(scope, hour, &bytes))
        && let Ok(sums) = Sums::read(&bytes)
    {
        return Ok(sums);
    }
    faults.usage(day, scope, hour);
    Ok(Sums::default())
}
