//! Changes of a manifest's text that leave comments, order and spacing as they are.

use toml_edit::{Array, DocumentMut, Item, TableLike, Value};
use types::{Code, FunctionName, Grant, Problem, Reach};

use crate::{
    load::{printable, read_table},
    source::Sources,
};

/// A changed manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The whole new text.
    pub source: String,
    /// The number of the line that was changed or added, from 1.
    pub line: u32,
    /// That line without its indentation.
    pub text: String,
    /// Whether anything changed: what is there already is not added again.
    pub changed: bool,
}

/// Lets a function call a host: adds it to its `reach`.
///
/// # Errors
/// `E0102` if the text is not TOML, `E0708` if it has no such function, `E0104` if its `reach` is no list.
pub fn allow_reach(source: &str, file_name: &str, function: &FunctionName, reach: &Reach) -> Result<Edited, Problem> {
    add(source, file_name, function, "reach", &reach.to_string())
}

/// Lets a function use a resource: adds it to its `uses`.
///
/// # Errors
/// As [`allow_reach`].
pub fn add_use(source: &str, file_name: &str, function: &FunctionName, grant: &Grant) -> Result<Edited, Problem> {
    add(source, file_name, function, "uses", &grant.to_string())
}

fn add(source: &str, file_name: &str, function: &FunctionName, key: &str, value: &str) -> Result<Edited, Problem> {
    // Our own reading gives the better message; what it accepts, the editor accepts too.
    read_table(&mut Sources::default(), file_name, source).map_err(|problems| first(problems, file_name))?;
    let parsed = source.parse::<DocumentMut>();
    let mut document =
        parsed.map_err(|error| Problem::new(Code::E0102, format!("{file_name} is not TOML: {}", error.message())))?;
    let table = function_table(&mut document, function).ok_or_else(|| {
        Problem::new(Code::E0708, format!("{file_name} has no function {function}")).help(format!("[fn.{function}]"))
    })?;
    let item = table.entry(key).or_insert_with(|| Item::Value(Value::Array(Array::new())));
    let list =
        item.as_array_mut().ok_or_else(|| Problem::new(Code::E0104, format!("`{key}` in [fn.{function}] is not a list")))?;
    let present = list.iter().any(|item| item.as_str() == Some(value));
    if !present {
        push(list, value);
    }
    let source = document.to_string();
    let (line, text) = locate(&source, file_name, function, key, value)?;
    Ok(Edited { source, line, text, changed: !present })
}

fn first(problems: Vec<Problem>, file_name: &str) -> Problem {
    printable(problems).into_iter().next().unwrap_or_else(|| Problem::new(Code::E0102, format!("{file_name} is not TOML")))
}

fn function_table<'a>(document: &'a mut DocumentMut, function: &FunctionName) -> Option<&'a mut dyn TableLike> {
    document.get_mut("fn")?.as_table_like_mut()?.get_mut(function.as_str())?.as_table_like_mut()
}

/// Adds an item in the way in which the list is written: on a line of its own where the others have theirs.
fn push(list: &mut Array, value: &str) {
    let raw = |text: Option<&toml_edit::RawString>| text.and_then(toml_edit::RawString::as_str).unwrap_or_default().to_owned();
    let prefix = list.iter().last().map(|last| raw(last.decor().prefix())).unwrap_or_default();
    let Some((_, indent)) = prefix.rsplit_once('\n') else {
        list.push(value);
        return;
    };
    // What follows the last item, on its line, is a comment about that item: it stays there.
    let mut after = raw(Some(list.trailing()));
    let at = list.len() - 1;
    if let Some(last) = list.get_mut(at) {
        after = raw(last.decor().suffix()) + &after;
        last.decor_mut().set_suffix("");
    }
    let mut item = Value::from(value);
    item.decor_mut().set_prefix(format!("{}\n{indent}", after.trim_end()));
    list.push_formatted(item);
    list.set_trailing_comma(true);
    list.set_trailing("\n");
}

/// The line of the item that was added.
fn locate(source: &str, file_name: &str, function: &FunctionName, key: &str, value: &str) -> Result<(u32, String), Problem> {
    let mut sources = Sources::default();
    let table = read_table(&mut sources, file_name, source).map_err(|problems| first(problems, file_name))?;
    let list = table.table("fn").and_then(|functions| functions.table(function.as_str())?.get(key));
    let item = list.and_then(|node| match &node.value {
        crate::tree::Value::List(items) => {
            items.iter().find(|item| matches!(&item.value, crate::tree::Value::Text(text) if text == value))
        }
        _ => None,
    });
    let item = item.ok_or_else(|| Problem::new(Code::E0513, format!("the change of {file_name} was lost")))?;
    Ok((sources.number(item.at), sources.place(item.at).text.trim().to_owned()))
}
