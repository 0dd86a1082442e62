//! `dayfly limits`: every limit, with what holds by default, the most that can be set, and the key that sets it.

use serde::Serialize;

use crate::{Context, exit::Result, print};

#[derive(Serialize)]
struct Row {
    name: &'static str,
    value: String,
    max: Option<String>,
    key: Option<&'static str>,
}

pub(crate) fn run(context: &Context) -> Result {
    let rows =
        types::limits::table().into_iter().map(|types::limits::Row { name, value, max, key }| Row { name, value, max, key });
    let rows: Vec<Row> = rows.collect();
    Ok(context.printer.data(&rows, |rows| {
        let head = ["limit", "value", "at most", "set by"].map(str::to_owned).to_vec();
        let row = |row: &Row| {
            let key = row.key.map(|key| format!("[fn.x] {key}")).unwrap_or_default();
            vec![row.name.to_owned(), row.value.clone(), row.max.clone().unwrap_or_default(), key]
        };
        print::table(&std::iter::once(head).chain(rows.iter().map(row)).collect::<Vec<_>>())
    })?)
}
