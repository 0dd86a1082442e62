//! `dayfly config`: the merged manifest, with where each value came from.

use serde::Serialize;

use crate::{Context, args::Config, exit::Result, print, project};

#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    value: &'a str,
    origin: &'a str,
}

pub(crate) fn run(context: &Context, args: &Config) -> Result {
    let loaded = project::load(&args.dir, &project::env(&args.env)?)?;
    let row = |row| {
        let manifest::OriginRow { key, value, origin } = row;
        Row { key, value, origin }
    };
    let rows: Vec<Row<'_>> = loaded.origins.rows().iter().map(row).collect();
    Ok(context.printer.data(&rows, |rows| {
        let line = |row: &Row<'_>| vec![row.key.to_owned(), row.value.to_owned(), format!("# {}", row.origin)];
        print::table(&rows.iter().map(line).collect::<Vec<_>>())
    })?)
}
