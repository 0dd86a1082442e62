//! Where every effective value came from, for `dayfly config`.

use serde::Serialize;

use crate::{
    source::{At, Sources},
    tree::{Node, Value},
};

/// One effective value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OriginRow {
    /// The dotted key, such as `fn.api.limits.memory`.
    pub key: String,
    /// The value as a manifest writes it.
    pub value: String,
    /// `dayfly.toml:7`, or `default` or `detected` with the reason.
    pub origin: String,
}

/// Every effective value of an app in one environment, functions by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Origins(Vec<OriginRow>);

impl Origins {
    /// All rows, in the order in which they are printed.
    #[must_use]
    pub fn rows(&self) -> &[OriginRow] {
        &self.0
    }

    /// The origin of one key.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|row| row.key == key).map(|row| row.origin.as_str())
    }

    /// A value that was written.
    pub(crate) fn written(&mut self, sources: &Sources, key: String, value: String, at: At) {
        self.0.push(OriginRow { key, value, origin: sources.line_of(at) });
    }

    /// A value that nobody wrote.
    pub(crate) fn found(&mut self, key: String, value: String, reason: impl Into<String>) {
        self.0.push(OriginRow { key, value, origin: reason.into() });
    }
}

/// The value on one line of TOML.
pub(crate) fn print(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => crate::leaf::quote(text),
        Value::Integer(number) => number.map_or_else(|| "?".to_owned(), |number| number.to_string()),
        Value::Float(text) | Value::Date(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(print).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let entries: Vec<String> = table.0.iter().map(|(key, node)| format!("{} = {}", key.name, print(node))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}
