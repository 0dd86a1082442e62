//! TOML as a tree of values that know where they stand, and the merging of such trees.
//!
//! The parser's own tree borrows its text and sorts its keys; this one owns what it holds and keeps the order of the file.

use toml::de::{DeTable, DeValue};

use crate::source::At;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: At,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    /// As the decimal number it is; `None` if it doesn't fit 128 bits.
    Integer(Option<i128>),
    Float(String),
    Bool(bool),
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

/// A key and where it stands first.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) at: At,
}

/// Entries in the order of the file; no key twice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table(pub(crate) Vec<(Key, Node)>);

impl Value {
    /// The type's name with its article, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Bool(_) => "a boolean",
            Self::Date(_) => "a date without quotes",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Table {
    /// Reads the parser's table.
    pub(crate) fn from_toml(file: usize, table: &DeTable<'_>) -> Self {
        let entry = |(key, value): (&toml::Spanned<_>, _)| {
            let at = at(file, &key.span());
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            (Key { name: name.clone().into_owned(), at }, node(file, value))
        };
        let mut entries: Vec<_> = table.iter().map(entry).collect();
        entries.sort_by_key(|(key, _)| key.at);
        Self(entries)
    }

    /// The value of a key.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|(_, node)| node)
    }

    /// A key with its value.
    pub(crate) fn entry(&self, name: &str) -> Option<&(Key, Node)> {
        self.0.iter().find(|(key, _)| key.name == name)
    }

    /// The value of a key, if it is a table.
    pub(crate) fn table(&self, name: &str) -> Option<&Self> {
        match &self.get(name)?.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Puts another table over this one: its tables are merged into ours, everything else replaces ours.
    pub(crate) fn merge(&mut self, over: Self) {
        for (key, node) in over.0 {
            match self.0.iter_mut().find(|(own, _)| own.name == key.name) {
                None => self.0.push((key, node)),
                Some((_, own)) => match (&mut own.value, node.value) {
                    (Value::Table(own), Value::Table(over)) => own.merge(over),
                    (own_value, value) => {
                        *own_value = value;
                        own.at = node.at;
                    }
                },
            }
        }
    }
}

fn at(file: usize, span: &std::ops::Range<usize>) -> At {
    At { file, start: span.start, end: span.end }
}

fn node(file: usize, value: &toml::Spanned<DeValue<'_>>) -> Node {
    let own = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => Value::Integer(i128::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(number) => Value::Float(number.as_str().to_owned()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(file, item)).collect()),
        DeValue::Table(table) => Value::Table(Table::from_toml(file, table)),
    };
    Node { value: own, at: at(file, &value.span()) }
}
