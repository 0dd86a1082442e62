//! SQL: `/sql?db=&q=&p=` for rows, `/sql/exec` for changes; with several `q` `/sql/batch` for one transaction and `/sql/tx` for the
//! same step by step. A parameter `p` is text unless it begins with `i:`, `r:`, `b:` or is `null`.

use dayfly::{
    Error, Request,
    sql::{self, Value as Sql},
};
use serde_json::{Value, json};

use crate::{Answer, number};

pub fn run(operation: &str, request: &Request) -> Answer {
    let name = request.query("db").unwrap_or("main");
    let database = sql::open(name)?;
    let texts = || request.query.iter().filter(|(key, _)| key == "q").map(|(_, text)| text.as_str());
    let first = || texts().next_back().unwrap_or_else(|| panic!("the request lacks ?q="));
    match operation {
        "" => {
            let rows = database.query(first(), parameters(request))?;
            let shown = |row: &Vec<Sql>| row.iter().map(shown).collect::<Value>();
            Ok(json!({ "columns": rows.columns, "rows": rows.rows.iter().map(shown).collect::<Value>() }))
        }
        "exec" => {
            let changes = database.execute(first(), parameters(request))?;
            Ok(json!({ "changed": changes.changed, "last": changes.last_insert_id }))
        }
        "batch" => {
            let outcomes = database.batch(texts().map(|text| (text.to_owned(), Vec::new())))?;
            Ok(outcomes.iter().map(|outcome| json!([outcome.changes.changed, outcome.rows.rows.len()])).collect())
        }
        // With `?fail=` it fails after the last statement.
        "tx" => database.transaction(|database| {
            let changed =
                texts().map(|text| Ok(database.execute(text, Vec::new())?.changed)).collect::<Result<Vec<_>, Error>>()?;
            if request.query("fail").is_some() { Err(Error::other("given up")) } else { Ok(json!(changed)) }
        }),
        // How many connections there may be at once.
        "connections" => {
            let opened = (0..number(request, "n", 20)).map_while(|_| sql::open(name).ok());
            Ok(json!(1 + opened.collect::<Vec<_>>().len()))
        }
        other => Err(Error::other(format!("this program has no operation {other}"))),
    }
}

fn parameters(request: &Request) -> Vec<Sql> {
    let given = request.query.iter().filter(|(key, _)| key == "p").map(|(_, text)| text.as_str());
    given.map(parameter).collect()
}

fn parameter(text: &str) -> Sql {
    match text.split_once(':') {
        Some(("i", number)) => Sql::Integer(number.parse().expect("a whole number")),
        Some(("r", number)) => Sql::Real(number.parse().expect("a number")),
        Some(("b", bytes)) => Sql::Blob(bytes.as_bytes().to_vec()),
        _ if text == "null" => Sql::Null,
        _ => Sql::Text(text.to_owned()),
    }
}

fn shown(value: &Sql) -> Value {
    match value {
        Sql::Null => Value::Null,
        Sql::Integer(number) => json!(number),
        Sql::Real(number) => json!(number),
        Sql::Text(text) => json!(text),
        Sql::Blob(bytes) => json!({ "blob": String::from_utf8_lossy(bytes) }),
    }
}
