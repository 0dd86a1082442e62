//! Databases.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use rquickjs::{Array, Atom, BigInt, Ctx, Exception, FromJs, Function, IntoJs, Object, Result, Value, object::Property};

use super::values::{Bytes, bytes, list, number, told};
use crate::{
    host::services::{
        Answer, Changes, Rows, SqlValue, Statement,
        sql::{self, Connection},
    },
    machine::phase,
};

/// Whole numbers up to this are exact as JavaScript's numbers.
const SAFE_MAX: i64 = (1 << 53) - 1;

thread_local! {
    static CONNECTIONS: RefCell<BTreeMap<u32, Rc<Connection>>> = RefCell::default();
}

pub(super) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("sqlOpen", Function::new(ctx.clone(), open)?)?;
    native.set("sqlClose", Function::new(ctx.clone(), close)?)?;
    native.set("sqlQuery", Function::new(ctx.clone(), query)?)?;
    native.set("sqlExecute", Function::new(ctx.clone(), execute)?)?;
    native.set("sqlBatch", Function::new(ctx.clone(), batch)?)?;
    native.set("sqlTransaction", Function::new(ctx.clone(), transaction)?)
}

/// `sqlOpen(database)`: the number of a new connection.
fn open(ctx: Ctx<'_>, database: String) -> Result<u32> {
    phase::only_when_serving(&ctx, "env")?;
    let connection = told(&ctx, sql::open(&database))?;
    Ok(CONNECTIONS.with_borrow_mut(|connections| {
        let id = connections.last_key_value().map_or(1, |(last, _)| last + 1);
        connections.insert(id, Rc::new(connection));
        id
    }))
}

/// `sqlClose(connection)`: what is open on it is rolled back.
fn close(id: u32) {
    drop(CONNECTIONS.with_borrow_mut(|connections| connections.remove(&id)));
}

fn ask<T>(ctx: &Ctx<'_>, id: u32, call: impl FnOnce(&Connection) -> Answer<T>) -> Result<T> {
    let connection = CONNECTIONS.with_borrow(|connections| connections.get(&id).cloned());
    match connection {
        Some(connection) => told(ctx, call(&connection)),
        None => Err(Exception::throw_type(ctx, "the transaction has ended")),
    }
}

/// `sqlQuery(connection, text, parameters, isRaw)`: `[rows, columns]`, rows as objects, or as lists if they are to be raw.
fn query<'js>(ctx: Ctx<'js>, id: u32, text: String, parameters: Vec<Given>, is_raw: bool) -> Result<Value<'js>> {
    let parameters: Vec<SqlValue> = parameters.into_iter().map(|given| given.0).collect();
    let rows = ask(&ctx, id, |connection| connection.query(&text, &parameters))?;
    rows_of(&ctx, rows, is_raw)
}

/// `sqlExecute(connection, text, parameters)`: `[changed, last id]`.
fn execute<'js>(ctx: Ctx<'js>, id: u32, text: String, parameters: Vec<Given>) -> Result<Value<'js>> {
    let parameters: Vec<SqlValue> = parameters.into_iter().map(|given| given.0).collect();
    let changes = ask(&ctx, id, |connection| connection.execute(&text, &parameters))?;
    changes_of(&ctx, changes)
}

/// `sqlBatch(connection, texts, parameters, isRaw)`: for each statement `[[rows, columns], [changed, last id]]`.
fn batch<'js>(ctx: Ctx<'js>, id: u32, texts: Vec<String>, parameters: Vec<Vec<Given>>, is_raw: bool) -> Result<Value<'js>> {
    let statement = |(text, parameters): (String, Vec<Given>)| {
        let parameters = parameters.into_iter().map(|given| given.0).collect();
        Statement { text, parameters }
    };
    let statements: Vec<Statement> = texts.into_iter().zip(parameters).map(statement).collect();
    let outcomes = ask(&ctx, id, |connection| connection.batch(&statements))?;
    list(&ctx, outcomes, |(rows, changes)| {
        let outcome = Array::new(ctx.clone())?;
        outcome.set(0, rows_of(&ctx, rows, is_raw)?)?;
        outcome.set(1, changes_of(&ctx, changes)?)?;
        Ok(outcome.into_value())
    })
}

/// `sqlTransaction(connection, what)`: `begin`, `commit` or `rollback`.
fn transaction(ctx: Ctx<'_>, id: u32, what: String) -> Result<()> {
    ask(&ctx, id, |connection| match what.as_str() {
        "begin" => connection.begin(),
        "commit" => connection.commit(),
        _ => connection.rollback(),
    })
}

fn rows_of<'js>(ctx: &Ctx<'js>, Rows { columns, rows }: Rows, is_raw: bool) -> Result<Value<'js>> {
    let atoms = columns.iter().map(|column| Atom::from_str(ctx.clone(), column)).collect::<Result<Vec<_>>>()?;
    let rows = list(ctx, rows, |row| {
        if is_raw {
            return list(ctx, row, |value| value_of(ctx, value));
        }
        let object = Object::new(ctx.clone())?;
        for (atom, value) in atoms.iter().zip(row) {
            // Defined, not set: a column may be called `__proto__`.
            let property = Property::from(value_of(ctx, value)?).writable().enumerable().configurable();
            object.prop(atom.clone(), property)?;
        }
        Ok(object.into_value())
    })?;
    let all = Array::new(ctx.clone())?;
    all.set(0, rows)?;
    all.set(1, columns)?;
    Ok(all.into_value())
}

fn changes_of<'js>(ctx: &Ctx<'js>, Changes { changed, last_insert_id }: Changes) -> Result<Value<'js>> {
    let both = Array::new(ctx.clone())?;
    both.set(0, number(ctx, changed))?;
    both.set(1, integer(ctx, last_insert_id)?)?;
    Ok(both.into_value())
}

fn integer<'js>(ctx: &Ctx<'js>, number: i64) -> Result<Value<'js>> {
    if (-SAFE_MAX..=SAFE_MAX).contains(&number) {
        return Ok(Value::new_number(ctx.clone(), number as f64));
    }
    BigInt::from_i64(ctx.clone(), number)?.into_js(ctx)
}

fn value_of<'js>(ctx: &Ctx<'js>, value: SqlValue) -> Result<Value<'js>> {
    match value {
        SqlValue::Null => Ok(Value::new_null(ctx.clone())),
        SqlValue::Integer(number) => integer(ctx, number),
        SqlValue::Real(number) => Ok(Value::new_float(ctx.clone(), number)),
        SqlValue::Text(text) => text.into_js(ctx),
        SqlValue::Blob(blob) => bytes(ctx, blob),
    }
}

/// A parameter: null, a number, a bigint, a boolean, a string or a `Uint8Array`.
struct Given(SqlValue);

impl<'js> FromJs<'js> for Given {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        if value.is_null() || value.is_undefined() {
            return Ok(Self(SqlValue::Null));
        }
        if let Some(is) = value.as_bool() {
            return Ok(Self(SqlValue::Integer(is.into())));
        }
        if let Some(number) = value.as_number() {
            let is_whole =
                number.trunc() == number && number.abs() <= SAFE_MAX as f64 && !(number == 0.0 && number.is_sign_negative());
            return Ok(Self(if is_whole { SqlValue::Integer(number as i64) } else { SqlValue::Real(number) }));
        }
        if value.is_big_int() {
            // What is beyond 64 bits was refused by the prelude.
            return Ok(Self(SqlValue::Integer(BigInt::from_js(ctx, value)?.to_i64()?)));
        }
        if value.is_string() {
            return Ok(Self(SqlValue::Text(String::from_js(ctx, value)?)));
        }
        Ok(Self(SqlValue::Blob(Bytes::from_js(ctx, value)?.0)))
    }
}
