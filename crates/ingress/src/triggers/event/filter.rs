//! Filters of events: CEL expressions (<https://cel.dev>) over `event`, which has the attributes of a CloudEvent by their names and, where
//! the data is JSON, `data`.
//!
//! A filter that fails on an event does not let it through; that is counted and logged. What one evaluation may cost is bounded before
//! it begins: by the text's length, by how deep its macros (`all`, `exists`, `map` …) lie in one another, and by the data they may see.

use std::sync::atomic::{AtomicU64, Ordering};

use cel::{
    Context, Program, Value as Cel,
    common::ast::{EntryExpr, Expr},
};
use serde_json::{Map, Value};
use types::CloudEvent;

use crate::cloudevents::is_json;

/// The longest text of a filter.
const TEXT_MAX: usize = 4 * 1024;
/// Bytes of data that a filter sees, by how deep its macros lie in one another; with larger data `event.data` is not there.
const DATA_MAX: [usize; 3] = [16 * 1024, 16 * 1024, 1024];

/// A filter, read once.
pub(crate) struct Filter {
    /// The program, and the bytes of data that it may see; `None` if it can't be obeyed, and lets nothing through.
    program: Option<(Program, usize)>,
    failures: AtomicU64,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").field("failures", &self.failures).finish_non_exhaustive()
    }
}

impl Filter {
    pub(crate) fn new(text: &str) -> Self {
        let program = match compile(text) {
            Ok(program) => Some(program),
            Err(reason) => {
                tracing::error!(filter = text, reason, "a filter can't be obeyed, so its function gets no events");
                None
            }
        };
        Self { program, failures: AtomicU64::new(0) }
    }

    /// Whether the filter lets the event through.
    pub(crate) fn matches(&self, event: &CloudEvent) -> bool {
        let Some((program, data_max)) = &self.program else { return false };
        let said = match evaluate(program, event, *data_max) {
            Ok(Cel::Bool(passes)) => return passes,
            Ok(other) => format!("it gives {:?}, not a truth value", other.type_of()),
            Err(error) => error,
        };
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        // The first of many is worth a line, then each time that there are twice as many.
        if failures.is_power_of_two() {
            tracing::warn!(
                event = event.id,
                kind = event.kind,
                failures,
                said,
                "a filter failed on an event, which does not pass"
            );
        }
        false
    }

    #[cfg(test)]
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

fn compile(text: &str) -> Result<(Program, usize), String> {
    if text.len() > TEXT_MAX {
        return Err(format!("{} bytes, allowed {TEXT_MAX}", text.len()));
    }
    let program = Program::compile(text).map_err(|error| error.to_string())?;
    let depth = depth(&program.expression().expr);
    let data_max =
        DATA_MAX.get(depth).copied().ok_or_else(|| format!("macros lie {depth} deep, allowed {}", DATA_MAX.len() - 1))?;
    Ok((program, data_max))
}

/// How deep macros lie in one another.
fn depth(expr: &Expr) -> usize {
    let of = |parts: &[&Expr]| parts.iter().map(|part| depth(part)).max().unwrap_or(0);
    match expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => 0,
        Expr::Call(call) => {
            let arguments = call.args.iter().map(|part| depth(&part.expr)).max().unwrap_or(0);
            arguments.max(call.target.as_ref().map_or(0, |target| depth(&target.expr)))
        }
        Expr::Comprehension(inner) => {
            let body = of(&[&inner.loop_step.expr, &inner.loop_cond.expr, &inner.accu_init.expr, &inner.result.expr]);
            (1 + body).max(depth(&inner.iter_range.expr))
        }
        Expr::List(list) => list.elements.iter().map(|part| depth(&part.expr)).max().unwrap_or(0),
        Expr::Select(select) => depth(&select.operand.expr),
        Expr::Map(map) => map.entries.iter().map(|entry| entry_depth(&entry.expr)).max().unwrap_or(0),
        Expr::Struct(made) => made.entries.iter().map(|entry| entry_depth(&entry.expr)).max().unwrap_or(0),
    }
}

fn entry_depth(entry: &EntryExpr) -> usize {
    match entry {
        EntryExpr::StructField(field) => depth(&field.value.expr),
        EntryExpr::MapEntry(entry) => depth(&entry.key.expr).max(depth(&entry.value.expr)),
    }
}

fn evaluate(program: &Program, event: &CloudEvent, data_max: usize) -> Result<Cel, String> {
    let mut context = Context::default();
    context.add_variable("event", shown(event, data_max)).map_err(|error| error.to_string())?;
    program.execute(&context).map_err(|error| error.to_string())
}

fn shown(event: &CloudEvent, data_max: usize) -> Value {
    let CloudEvent { id, source, kind, subject, time, content_type, schema, extensions, data } = event;
    let mut shown: Map<String, Value> = extensions.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value.into());
        }
    };
    put("id", Some(id));
    put("source", Some(source));
    put("type", Some(kind));
    put("subject", subject.as_deref());
    put("time", time.map(types::Timestamp::to_rfc3339).as_deref());
    put("datacontenttype", content_type.as_deref());
    put("dataschema", schema.as_deref());
    let data = data.as_ref().filter(|data| data.len() <= data_max && is_json(content_type.as_deref()));
    if let Some(data) = data.and_then(|data| serde_json::from_slice(data).ok()) {
        shown.insert("data".to_owned(), data);
    }
    Value::Object(shown)
}
