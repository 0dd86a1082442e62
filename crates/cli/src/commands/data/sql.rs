//! `dayfly sql`.

use std::{
    io::{BufRead as _, IsTerminal as _, Write as _},
    os::fd::AsFd as _,
};

use types::{
    Code, Problem,
    wire::data::{Cell, Count, Page, ResourceRow, SqlQuery, SqlRows},
};

use super::{Data, confirm, resources};
use crate::{
    Context,
    args::{Sql, SqlVerb},
    exit::Result,
    input, print,
    render::text::{count, escaped, size},
    transfer,
};

pub(crate) async fn run(context: &Context, Sql { of, verb }: Sql) -> Result {
    let data = Data::of(context, &of)?;
    match verb {
        SqlVerb::Ls => {
            let databases: Vec<ResourceRow> = data.client.search(&data.path(&["databases"]), &Page::default()).await?;
            Ok(context.printer.data(&databases, |databases| resources("sql", databases))?)
        }
        SqlVerb::Exec { database, sql, parameters, write } => {
            let parameters = parameters.iter().map(|text| cell(text)).collect();
            let query = SqlQuery { sql: input::text(&sql)?, parameters, write };
            let found = ask(&data, &database, &query).await?;
            Ok(context.printer.data(&found, shown)?)
        }
        SqlVerb::Shell { database, write } => shell(context, &data, &database, write).await,
        SqlVerb::Dump { database, output } => {
            let body = data.client.stream(&data.path(&["databases", &database, "dump"])).await?;
            let Some(file) = output else {
                let out = std::io::stdout().as_fd().try_clone_to_owned()?;
                transfer::receive(body, &mut tokio::fs::File::from_std(out.into())).await?;
                return Ok(());
            };
            let unwritable = |error| Problem::new(Code::E0709, format!("cannot write {}: {error}", file.display()));
            let mut target = tokio::fs::File::create(&file).await.map_err(unwritable)?;
            let bytes = transfer::receive(body, &mut target).await?;
            context.printer.note(format!("sql.{database} → {}   {}", file.display(), size(bytes)));
            Ok(())
        }
        SqlVerb::Restore { database, file, yes } => {
            let command = format!("dayfly sql restore {database} {}", file.display());
            if !confirm(yes, &format!("replacing all that sql.{database} holds"), &command)? {
                return Ok(());
            }
            let body = transfer::FileBody::open(&file).await?;
            let path = data.path(&["databases", &database, "restore"]);
            let done: Count = data.client.put_stream(&path, body, "application/vnd.sqlite3").await?;
            Ok(context.printer.data(&done, |_| format!("sql.{database} restored from {}", file.display()))?)
        }
    }
}

async fn ask(data: &Data, database: &str, query: &SqlQuery) -> Result<SqlRows, Problem> {
    data.client.post(&data.path(&["databases", database, "query"]), query).await
}

/// Statements that end with a semicolon, one after another, until the input ends. A statement that fails does not end it.
async fn shell(context: &Context, data: &Data, database: &str, write: bool) -> Result {
    let asks = std::io::stdin().is_terminal();
    if asks {
        let mode = if write { "reading and writing" } else { "reading only; --write allows more" };
        context.printer.note(format!("sql.{database}: {mode}. Statements end with a semicolon; Ctrl-D leaves."));
    }
    let (mut statement, mut failed) = (String::new(), None);
    loop {
        if asks {
            anstream::eprint!("{}", if statement.is_empty() { "sql> " } else { "...> " });
            std::io::stderr().flush()?;
        }
        let mut typed = String::new();
        let ended = std::io::stdin().lock().read_line(&mut typed)? == 0;
        statement.push_str(&typed);
        if (ended || statement.trim_end().ends_with(';')) && !statement.trim().is_empty() {
            let query = SqlQuery { sql: std::mem::take(&mut statement), parameters: Vec::new(), write };
            match ask(data, database, &query).await {
                Ok(found) => context.printer.data(&found, shown)?,
                Err(problem) if asks => context.printer.failure(&problem.into()),
                Err(problem) => failed = Some(problem),
            }
        }
        if ended || failed.is_some() {
            return failed.map_or(Ok(()), |problem| Err(problem.into()));
        }
    }
}

/// A parameter: a JSON value, or text if it is none.
fn cell(text: &str) -> Cell {
    serde_json::from_str(text).unwrap_or_else(|_| Cell::Text(text.to_owned()))
}

fn shown(found: &SqlRows) -> String {
    if found.columns.is_empty() {
        return format!("{} rows changed", count(found.changed));
    }
    let of = |cell: &Cell| match cell {
        Cell::Null => "null".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => escaped(&text.replace('\n', "⏎")),
        Cell::Blob { base64 } => format!("<{} bytes>", base64.0.len()),
    };
    let mut rows = vec![found.columns.iter().map(|column| escaped(column)).collect::<Vec<_>>()];
    rows.extend(found.rows.iter().map(|row| row.iter().map(of).collect()));
    print::table(&rows)
}
