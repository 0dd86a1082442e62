//! Many records as one block: a column for each kind of field, each compressed by itself.
//!
//! Fields of one kind look alike, so they compress well side by side, and a search unpacks only the columns that it asks about:
//! a search for log text never touches the spans. Tails and sealed blocks have the same form; only the effort differs.

use std::sync::Arc;

use types::{
    Elapsed, InvocationId, Outcome, RevisionNumber, SpanId, Start, Timestamp, TraceId, Usage,
    record::{Delivery, InvocationRecord},
    usage::Services,
};
use zstd::bulk::Compressor;

use super::{
    bytes::{Cursor, Damaged, put, put_row},
    scopes::{Scope, Scopes},
};

/// The first byte of every block that is written.
const VERSION: u8 = 2;
/// The first byte of blocks without the last column.
const VERSION_1: u8 = 1;
/// The level for tails.
const FAST: i32 = -5;
/// The level for sealed blocks: every request pays for it in CPU, so the first that finds repetition.
const GOOD: i32 = 1;
/// Below this, packing a column costs more than it saves.
const PACK_FROM: usize = 64;
/// No column is larger: a batch is cut long before. What claims to be is damaged.
const COLUMN_BYTES_MAX: usize = 256 << 20;

/// The columns in their order in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Ids,
    Heads,
    Causes,
    Usage,
    Spans,
    Logs,
    Refusals,
    /// Calls of services, and how events were delivered; a row is empty where there is none of that.
    More,
}
const COLUMNS: usize = 8;
const COLUMNS_1: usize = 7;

/// How hard to pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// For tails, which live for seconds.
    Fast,
    /// For sealed blocks, which live for days.
    Good,
}

/// Usage as its column has it: without the calls of services, which stand in the last column.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Basic(#[serde(with = "types::wire::usage")] pub(super) Usage);

/// A block with what is known of it without unpacking.
pub(super) struct Encoded {
    /// The only function that it holds records of; `None` if there are several.
    pub(super) scope: Option<Scope>,
    pub(super) at_min: Timestamp,
    pub(super) at_max: Timestamp,
    /// The last log line or end of its records.
    pub(super) end_max: Timestamp,
    pub(super) count: usize,
    /// Four bytes of each record's id, then four of each record's trace: tells which blocks need not be unpacked.
    pub(super) keys: Vec<u8>,
    pub(super) body: Vec<u8>,
}

/// Four bytes of an id that differ between ids: their end, which is random.
pub(super) fn key(id: &[u8; 16]) -> [u8; 4] {
    [id[12], id[13], id[14], id[15]]
}

/// Makes blocks. Keeps its buffers and packing contexts, since making those costs more than a small block.
pub(super) struct Encoder {
    columns: [Vec<u8>; COLUMNS],
    row: Vec<u8>,
    fast: Compressor<'static>,
    good: Compressor<'static>,
}

impl Encoder {
    /// # Errors
    /// If there is no memory for the contexts.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { columns: Default::default(), row: Vec::new(), fast: Compressor::new(FAST)?, good: Compressor::new(GOOD)? })
    }

    /// One block of these records; there must be at least one.
    pub(super) fn encode(&mut self, records: &[Arc<InvocationRecord>], effort: Effort) -> std::io::Result<Encoded> {
        assert!(!records.is_empty(), "a block holds at least one record");
        self.columns.iter_mut().for_each(Vec::clear);
        let at_min = records.iter().map(|record| record.at).min().unwrap_or_default();
        let mut scopes = Scopes::default();
        for record in records {
            let scope = scopes.number(record);
            self.push(record, scope, at_min);
        }
        let mut scopes = scopes.into_list();
        let (traces, ids) = (records.iter().map(|r| key(r.trace.as_bytes())), records.iter().map(|r| key(r.id.as_bytes())));
        Ok(Encoded {
            at_min,
            at_max: records.iter().map(|record| record.at).max().unwrap_or_default(),
            end_max: records.iter().map(|record| end_of(record)).max().unwrap_or_default(),
            count: records.len(),
            keys: ids.chain(traces).flatten().collect(),
            body: self.pack(records.len(), &scopes, effort)?,
            scope: if scopes.len() == 1 { scopes.pop() } else { None },
        })
    }

    fn push(&mut self, record: &InvocationRecord, scope: usize, base: Timestamp) {
        let InvocationRecord { id, trace, span, parent, cause, at, duration, start, outcome, usage, .. } = record;
        let [ids, heads, causes, usages, spans, logs, refusals, more] = &mut self.columns;
        ids.extend_from_slice(id.as_bytes());
        ids.extend_from_slice(trace.as_bytes());
        ids.extend_from_slice(span.as_bytes());
        ids.push(u8::from(parent.is_some()));
        ids.extend_from_slice(parent.as_ref().map_or(&[][..], |parent| parent.as_bytes()));
        put(heads, &(scope, record.revision, at.since(base), duration, start, outcome, record.journal_kept));
        put_row(causes, cause.as_bytes());
        let row = &mut self.row;
        let mut put_list = |column: &mut Vec<u8>, encode: &dyn Fn(&mut Vec<u8>)| {
            row.clear();
            encode(row);
            put_row(column, row);
        };
        put_list(usages, &|row| put(row, &Basic(*usage)));
        put_list(spans, &|row| put(row, &record.spans));
        put_list(logs, &|row| put(row, &record.logs));
        put_list(refusals, &|row| put(row, &record.refusals));
        put_list(more, &|row| {
            if usage.services != Services::default() || record.delivery != Delivery::default() {
                put(row, &(usage.services, &record.delivery));
            }
        });
    }

    fn pack(&mut self, count: usize, scopes: &[Scope], effort: Effort) -> std::io::Result<Vec<u8>> {
        let compressor = match effort {
            Effort::Fast => &mut self.fast,
            Effort::Good => &mut self.good,
        };
        let mut body = vec![VERSION];
        put(&mut body, &(count, scopes));
        for column in &self.columns {
            let packed = if column.len() < PACK_FROM { None } else { Some(compressor.compress(column)?) };
            match packed.filter(|packed| packed.len() < column.len()) {
                Some(packed) => {
                    put(&mut body, &column.len());
                    put_row(&mut body, &packed);
                }
                None => {
                    put(&mut body, &0usize);
                    put_row(&mut body, column);
                }
            }
        }
        Ok(body)
    }
}

/// When the record has nothing more to tell: its end, or a log line after it.
fn end_of(record: &InvocationRecord) -> Timestamp {
    let last_line = record.logs.iter().map(|line| line.at).max().unwrap_or_default();
    record.at.plus(record.duration.max(last_line))
}

/// What a record is found by.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) id: InvocationId,
    pub(super) trace: TraceId,
    span: SpanId,
    parent: Option<SpanId>,
    pub(super) scope: usize,
    pub(super) revision: RevisionNumber,
    pub(super) at: Timestamp,
    pub(super) duration: Elapsed,
    start: Start,
    pub(super) outcome: Outcome,
    journal_kept: bool,
}

/// A block that was read.
pub(super) struct Block<'a> {
    count: usize,
    pub(super) scopes: Vec<Scope>,
    columns: [(usize, &'a [u8]); COLUMNS],
    has_more: bool,
}

impl<'a> Block<'a> {
    /// Finds the columns; unpacks none.
    pub(super) fn open(body: &'a [u8]) -> Result<Self, Damaged> {
        let mut cursor = Cursor(body);
        let present = match cursor.array()? {
            [VERSION] => COLUMNS,
            [VERSION_1] => COLUMNS_1,
            _ => return Err(Damaged("it has a form that this version does not know")),
        };
        let (count, scopes) = cursor.value()?;
        let mut columns = [(0, &[][..]); COLUMNS];
        for column in &mut columns[..present] {
            *column = (cursor.value()?, cursor.row()?);
        }
        Ok(Self { count, scopes, columns, has_more: present == COLUMNS })
    }

    fn unpack(&self, column: Column) -> Result<Vec<u8>, Damaged> {
        let (raw, stored) = self.columns[column as usize];
        match raw {
            0 => Ok(stored.to_vec()),
            1..=COLUMN_BYTES_MAX => zstd::bulk::decompress(stored, raw).map_err(|_| Damaged("a column can't be unpacked")),
            _ => Err(Damaged("a column is larger than any can be")),
        }
    }

    /// The heads of all records. `at_min` is the block's.
    pub(super) fn heads(&self, at_min: Timestamp) -> Result<Vec<Head>, Damaged> {
        let (ids, heads) = (self.unpack(Column::Ids)?, self.unpack(Column::Heads)?);
        let (mut ids, mut heads) = (Cursor(&ids), Cursor(&heads));
        let mut list = Vec::new();
        for _ in 0..self.count {
            let head = self.head(&mut ids, &mut heads, at_min)?;
            list.push(head);
        }
        Ok(list)
    }

    fn head(&self, ids: &mut Cursor<'_>, heads: &mut Cursor<'_>, at_min: Timestamp) -> Result<Head, Damaged> {
        let id = InvocationId::from_bytes(ids.array()?);
        let zero = || Damaged("an id is zero");
        let trace = TraceId::from_bytes(ids.array()?).ok_or_else(zero)?;
        let span = SpanId::from_bytes(ids.array()?).ok_or_else(zero)?;
        let parent = match ids.array()? {
            [0] => None,
            _ => Some(SpanId::from_bytes(ids.array()?).ok_or_else(zero)?),
        };
        let (scope, revision, at, duration, start, outcome, journal_kept): (usize, _, Elapsed, _, _, _, _) = heads.value()?;
        if scope >= self.scopes.len() {
            return Err(Damaged("a record belongs to no function"));
        }
        Ok(Head { id, trace, span, parent, scope, revision, at: at_min.plus(at), duration, start, outcome, journal_kept })
    }

    /// The rows of a column that holds one row a record.
    pub(super) fn rows(&self, column: Column) -> Result<Rows, Damaged> {
        let bytes = self.unpack(column)?;
        let mut cursor = Cursor(&bytes);
        let mut ends = Vec::new();
        for _ in 0..self.count {
            let row = cursor.row()?;
            let end = bytes.len() - cursor.0.len();
            ends.push(end - row.len()..end);
        }
        Ok(Rows { ranges: ends, bytes })
    }

    /// All columns, for putting whole records together.
    pub(super) fn unpack_rest(&self) -> Result<Rest, Damaged> {
        Ok(Rest {
            causes: self.rows(Column::Causes)?,
            usages: self.rows(Column::Usage)?,
            spans: self.rows(Column::Spans)?,
            logs: self.rows(Column::Logs)?,
            refusals: self.rows(Column::Refusals)?,
            more: if self.has_more { Some(self.rows(Column::More)?) } else { None },
        })
    }

    /// Every record of the block.
    pub(super) fn records(&self, at_min: Timestamp) -> Result<Vec<InvocationRecord>, Damaged> {
        let (heads, rest) = (self.heads(at_min)?, self.unpack_rest()?);
        heads.into_iter().enumerate().map(|(i, head)| rest.record(&self.scopes, head, i)).collect()
    }
}

/// The unpacked rows of one column.
pub(super) struct Rows {
    ranges: Vec<std::ops::Range<usize>>,
    bytes: Vec<u8>,
}

impl Rows {
    /// The row of the record with this index in the block.
    pub(super) fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.ranges[index].clone()]
    }
    /// The row as a value.
    pub(super) fn value<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T, Damaged> {
        Cursor(self.get(index)).value()
    }
    /// The row as text.
    pub(super) fn text(&self, index: usize) -> Result<&str, Damaged> {
        std::str::from_utf8(self.get(index)).map_err(|_| Damaged("a text is not UTF-8"))
    }
}

/// All that heads don't hold.
pub(super) struct Rest {
    causes: Rows,
    usages: Rows,
    spans: Rows,
    logs: Rows,
    refusals: Rows,
    /// Not there in blocks of the first version.
    more: Option<Rows>,
}

impl Rest {
    /// Puts the record together that has this head and index.
    pub(super) fn record(&self, scopes: &[Scope], head: Head, index: usize) -> Result<InvocationRecord, Damaged> {
        let Head { id, trace, span, parent, scope, revision, at, duration, start, outcome, journal_kept } = head;
        let Scope { app, env, function } = scopes[scope].clone();
        let Basic(mut usage) = self.usages.value(index)?;
        let mut delivery = Delivery::default();
        if let Some(more) = self.more.as_ref().filter(|more| !more.get(index).is_empty()) {
            (usage.services, delivery) = more.value(index)?;
        }
        Ok(InvocationRecord {
            id,
            app,
            env,
            function,
            revision,
            trace,
            span,
            parent,
            cause: self.causes.text(index)?.to_owned(),
            at,
            duration,
            start,
            outcome,
            usage,
            spans: self.spans.value(index)?,
            logs: self.logs.value(index)?,
            refusals: self.refusals.value(index)?,
            journal_kept,
            delivery,
        })
    }
}
