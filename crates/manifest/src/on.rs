//! What starts a function beside requests: from the merged `on = { … }` to the model.
//!
//! Single values were judged by `check`; here it is judged which of them belong together: one source, and with it the keys of that source.

use types::{
    Code, FunctionName, Problem, limits,
    trigger::{ChangeKind, Missed, On, Overlap, RowChange, Rules, Source, StreamStart},
};

use crate::{
    grammar::ON,
    leaf,
    nearest::nearest,
    origins::{Origins, print},
    rules,
    source::Sources,
    tree::{Key, Node, Table, Value},
};

/// A source, the keys that may stand beside it, and what a change is called there.
struct Kind {
    name: &'static str,
    keys: &'static [&'static str],
    changes: &'static [&'static str],
}

const DELIVERY: [&str; 4] = ["batch", "wait", "retries", "dead"];

static KINDS: [Kind; 7] = [
    Kind { name: "queue", keys: &[], changes: &[] },
    Kind { name: "stream", keys: &["from"], changes: &[] },
    Kind { name: "bucket", keys: &["event", "match"], changes: &["created", "deleted"] },
    Kind { name: "kv", keys: &["event", "match"], changes: &["put", "deleted"] },
    Kind { name: "sql", keys: &["event", "table"], changes: &["insert", "update", "delete"] },
    Kind { name: "cron", keys: &["zone", "overlap", "missed"], changes: &[] },
    Kind { name: "event", keys: &["bus", "filter"], changes: &[] },
];

impl Kind {
    fn takes(&self, key: &str) -> bool {
        let delivered = DELIVERY.contains(&key) && (self.name != "cron" || matches!(key, "retries" | "dead"));
        key == self.name || self.keys.contains(&key) || delivered
    }
    /// All keys that may stand beside the source, for messages.
    fn known(&self) -> String {
        ON.iter().map(|key| key.name).filter(|key| *key != self.name && self.takes(key)).collect::<Vec<_>>().join(", ")
    }
}

/// Reads `on` of one function, if it has one that is right.
pub(crate) struct Reader<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) function: &'a FunctionName,
    pub(crate) problems: &'a mut Vec<Problem>,
    pub(crate) origins: &'a mut Origins,
}

impl Reader<'_> {
    /// The model of what starts the function. Problems that `check` has told already are not told again.
    pub(crate) fn read(&mut self, key: &Key, table: &Table) -> Option<On> {
        let kind = self.kind(key, table)?;
        self.foreign(kind, key, table)?;
        let source = self.source(kind, table)?;
        let rules = self.rules(kind, table)?;
        for (key, node) in &table.0 {
            self.origins.written(self.sources, self.row(&key.name), print(node), node.at);
        }
        self.defaults(kind, table, &source, &rules);
        if let Source::Queue { queue } = &source
            && *queue == rules.dead
        {
            let at = table.get("dead").or_else(|| table.get("queue")).map_or(key.at, |node| node.at);
            let message =
                format!("queue {queue:?} is its own dead-letter queue: what fails would start the function again, for ever");
            let mended = self.sources.mended(at, &leaf::quote(&format!("{queue}-dead")));
            self.tell(Code::E0113, message, at, None, mended);
            return None;
        }
        Some(On { source, rules })
    }

    fn kind(&mut self, key: &Key, table: &Table) -> Option<&'static Kind> {
        // `event` beside another source says which change, so it counts only alone.
        let named: Vec<&Kind> = KINDS.iter().filter(|kind| kind.name != "event" && table.get(kind.name).is_some()).collect();
        let event = KINDS.iter().find(|kind| kind.name == "event").filter(|_| table.get("event").is_some());
        match named[..] {
            [kind] => Some(kind),
            [] if event.is_some() => event,
            [] => {
                let names = "queue, stream, bucket, kv, sql, event, cron";
                let unknown = table.0.iter().any(|(key, _)| !ON.iter().any(|known| known.name == key.name));
                // A slip in the source's name was told with the name that was meant.
                if !unknown {
                    let message = format!("`on` in [fn.{}] names nothing that starts it", self.function);
                    let help = Some("on = { queue = \"mail\" }".to_owned());
                    self.tell(Code::E0113, message, key.at, Some(format!("sources: {names}")), help);
                }
                None
            }
            [first, second, ..] => {
                let (first, second) = in_order(table, first, second);
                let at = table.entry(second.name).map_or(key.at, |(key, _)| key.at);
                let message = format!("`on` in [fn.{}] names two sources: {} and {}", self.function, first.name, second.name);
                let note = "a function has one source; another function may have the same path".to_owned();
                self.tell(Code::E0113, message, at, Some(note), Some(only(first, table)));
                None
            }
        }
    }

    /// Keys that belong to other sources.
    fn foreign(&mut self, kind: &'static Kind, on: &Key, table: &Table) -> Option<()> {
        let known = |key: &&(Key, Node)| ON.iter().any(|known| known.name == key.0.name);
        let foreign = table.0.iter().filter(known).find(|(key, _)| !kind.takes(&key.name));
        let Some((key, _)) = foreign else { return Some(()) };
        let owners: Vec<&str> = KINDS.iter().filter(|other| other.takes(&key.name)).map(|other| other.name).collect();
        let message = format!(
            "`{}` in [fn.{}.{}] belongs to {}, and this is started by {}",
            key.name,
            self.function,
            on.name,
            owners.join(", "),
            kind.name
        );
        self.tell(
            Code::E0113,
            message,
            key.at,
            Some(format!("known beside {}: {}", kind.name, kind.known())),
            Some(only(kind, table)),
        );
        None
    }

    fn source(&mut self, kind: &'static Kind, table: &Table) -> Option<Source> {
        let text = |key: &str| match &table.get(key)?.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let word = |key: &str, words| table.get(key).map_or(Some(None), |node| leaf::word(words, &node.value).ok().map(Some));
        let name = text(kind.name)?;
        Some(match kind.name {
            "queue" => Source::Queue { queue: name },
            "stream" => {
                let newest = word("from", &leaf::FROM)? == Some("newest");
                Source::Stream { stream: name, from: if newest { StreamStart::Newest } else { StreamStart::Oldest } }
            }
            "bucket" | "kv" => {
                let (change, matching) = (self.change(kind, table)?, text("match"));
                let change = change
                    .map_or(ChangeKind::Any, |word| if word == "deleted" { ChangeKind::Deleted } else { ChangeKind::Written });
                match kind.name {
                    "kv" => Source::Kv { store: name, change, matching },
                    _ => Source::Bucket { bucket: name, change, matching },
                }
            }
            "sql" => Source::Sql { tables: self.tables(table)?, change: self.row_change(kind, table)?, database: name },
            "cron" => Source::Cron {
                schedule: name,
                zone: text("zone").unwrap_or_else(|| "UTC".into()),
                overlap: match word("overlap", &leaf::OVERLAP)? {
                    Some("queue") => Overlap::Queue,
                    Some("allow") => Overlap::Allow,
                    _ => Overlap::Skip,
                },
                missed: match word("missed", &leaf::MISSED)? {
                    Some("all") => Missed::All,
                    Some("skip") => Missed::Skip,
                    _ => Missed::Once,
                },
            },
            _ => {
                self.pattern(table, &name)?;
                let bus = text("bus").unwrap_or_else(|| types::event::BusName::DEFAULT.into());
                Source::Event { bus, pattern: name, filter: text("filter") }
            }
        })
    }

    /// The change that `event` names beside a source; `None` inside if it names none.
    fn change(&mut self, kind: &'static Kind, table: &Table) -> Option<Option<&'static str>> {
        let Some(node) = table.get("event") else { return Some(None) };
        let Value::Text(text) = &node.value else { return None };
        if let Some(word) = kind.changes.iter().copied().find(|word| word == text) {
            return Some(Some(word));
        }
        let meant = match text.as_str() {
            "removed" | "delete" | "deleted" | "expired" => kind.changes.iter().copied().find(|word| word.starts_with("delete")),
            "put" | "created" | "create" | "insert" | "inserted" | "write" | "written" | "set" => kind.changes.first().copied(),
            text => nearest(text, kind.changes.iter().copied()),
        };
        let mended = meant.and_then(|meant| self.sources.mended(node.at, &leaf::quote(meant)));
        let noun = match kind.name {
            "kv" => "store",
            "sql" => "table's rows",
            other => other,
        };
        let message =
            format!("{text:?} is no change of a {noun}: there are {}, and without `event` any of them", kind.changes.join(", "));
        self.tell(Code::E0113, message, node.at, None, mended);
        None
    }

    fn row_change(&mut self, kind: &'static Kind, table: &Table) -> Option<Option<RowChange>> {
        Some(self.change(kind, table)?.map(|word| match word {
            "insert" => RowChange::Insert,
            "update" => RowChange::Update,
            _ => RowChange::Delete,
        }))
    }

    fn tables(&mut self, table: &Table) -> Option<Vec<String>> {
        let named = table.get("table").map(|node| match &node.value {
            Value::List(items) => items.iter().map(|item| leaf::table(&item.value).ok()).collect::<Option<Vec<_>>>(),
            value => leaf::table(value).ok().map(|table| vec![table]),
        });
        match named {
            Some(tables) if tables.as_ref().is_none_or(|tables| !tables.is_empty()) => tables,
            _ => {
                let at = table.entry("table").or_else(|| table.entry("sql")).map(|(key, _)| key.at)?;
                let note = "the rows of these tables start the function".to_owned();
                let message = format!("the key `table` is missing in [fn.{}.on]", self.function);
                self.tell(Code::E0106, message, at, Some(note), Some("table = \"orders\"".into()));
                None
            }
        }
    }

    fn pattern(&mut self, table: &Table, pattern: &str) -> Option<()> {
        let at = table.get("event")?.at;
        match rules::glob(pattern) {
            Ok(()) => Some(()),
            Err(wrong) => {
                self.tell(Code::E0113, wrong.message, at, None, None);
                None
            }
        }
    }

    fn rules(&self, kind: &Kind, table: &Table) -> Option<Rules> {
        let many = matches!(kind.name, "queue" | "stream");
        let amount =
            |key: &str, bounds, default| table.get(key).map_or(Some(default), |node| leaf::amount(bounds, &node.value).ok());
        let wait = table.get("wait").map_or(Some(std::time::Duration::ZERO), |node| leaf::span(&leaf::WAIT, &node.value).ok())?;
        let dead = match table.get("dead") {
            Some(node) => leaf::name(types::app::ResourceKind::Queue, &node.value).ok()?,
            None => self.dead(kind, table),
        };
        Some(Rules {
            batch: amount("batch", &leaf::BATCH, if many { limits::BATCH_DEFAULT } else { 1 })?,
            wait,
            retries: amount("retries", &leaf::RETRIES, limits::RETRIES_DEFAULT)?,
            dead,
        })
    }

    fn dead(&self, kind: &Kind, table: &Table) -> String {
        let queue = table.get("queue").filter(|_| kind.name == "queue").and_then(|node| match &node.value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        });
        // A name has at most 63 bytes, and the suffix is what tells it apart.
        let base = queue.unwrap_or(self.function.as_str());
        format!("{}-dead", &base[..base.len().min(58)])
    }

    fn defaults(&mut self, kind: &Kind, table: &Table, source: &Source, rules: &Rules) {
        let mut row = |key: &str, value: String, reason: &str| {
            if kind.takes(key) && table.get(key).is_none() {
                self.origins.found(format!("fn.{}.on.{key}", self.function), value, reason);
            }
        };
        if let Source::Cron { .. } = source {
            row("zone", leaf::quote("UTC"), "default: no zone is named");
            row("overlap", leaf::quote("skip"), "default: a time at which the last run still goes on is left out");
            row("missed", leaf::quote("once"), "default: one run stands for all times at which the node was down");
        }
        if let Source::Event { .. } = source {
            row("bus", leaf::quote(types::event::BusName::DEFAULT), "default: the bus that every app has");
        }
        row("from", leaf::quote("oldest"), "default: nothing that is still there is left out");
        row("batch", rules.batch.to_string(), "default: so many events in one invocation");
        row("wait", leaf::quote("0s"), "default: nothing waits for a batch to fill");
        row("retries", rules.retries.to_string(), "default: deliveries after the first");
        row("dead", leaf::quote(&rules.dead), "default: where events go that fail for good");
    }

    fn row(&self, key: &str) -> String {
        format!("fn.{}.on.{key}", self.function)
    }

    fn tell(&mut self, code: Code, message: String, at: crate::source::At, note: Option<String>, help: Option<String>) {
        let mut problem = Problem::new(code, message).at(self.sources.place(at));
        problem.notes.extend(note);
        problem.help = help;
        self.problems.push(problem);
    }
}

/// Two sources in the order in which the person wrote them.
fn in_order<'a>(table: &Table, one: &'a Kind, other: &'a Kind) -> (&'a Kind, &'a Kind) {
    let place = |kind: &Kind| table.0.iter().position(|(key, _)| key.name == kind.name);
    if place(one) <= place(other) { (one, other) } else { (other, one) }
}

/// The table with what belongs to one source only, as it should stand.
fn only(kind: &Kind, table: &Table) -> String {
    let kept = table.0.iter().filter(|(key, _)| kind.takes(&key.name));
    let entries: Vec<String> = kept.map(|(key, node)| format!("{} = {}", key.name, print(node))).collect();
    format!("on = {{ {} }}", entries.join(", "))
}
