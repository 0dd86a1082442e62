//! Notes visits through `fermyon:spin/sqlite` and `spin:sqlite/sqlite`, and greets with a variable: `/variable?NAME` shows one.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;
use spin_sdk::{sqlite, sqlite3, variables};

#[http_component]
fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    if request.path() == "/variable" {
        return Ok(match variables::get(request.query()) {
            Ok(value) => Response::new(200, format!("{value}\n")),
            Err(error) => Response::new(404, format!("{error:?}\n")),
        });
    }
    let old = sqlite::Connection::open_default()?;
    old.execute("CREATE TABLE IF NOT EXISTS visits (id INTEGER PRIMARY KEY, who TEXT, share REAL, raw BLOB)", &[])?;
    let new = sqlite3::Connection::open_default()?;
    let values = [sqlite3::Value::Text(request.path().to_owned()), sqlite3::Value::Real(0.5), sqlite3::Value::Blob(vec![1, 2])];
    new.execute("INSERT INTO visits (who, share, raw) VALUES (?, ?, ?)", &values)?;
    let (row, changes) = (new.last_insert_rowid(), new.changes());
    let seen = old.execute("SELECT who, share, raw, NULL AS absent FROM visits WHERE id = ?", &[sqlite::Value::Integer(row)])?;
    let text = seen.rows().next().and_then(|row| row.get::<&str>("who").map(str::to_owned));
    let body = format!("row {row} changes {changes} columns {:?} who {text:?} values {:?}\n", seen.columns, seen.rows[0].values);
    Ok(Response::new(200, body))
}
