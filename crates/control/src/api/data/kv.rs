//! Key-value stores: entries, one by one or in pages.

use std::sync::Arc;

use axum::extract::{Request, State};
use bytes::Bytes;
use types::{
    Code, Problem,
    app::ResourceKind,
    kv::{Committed, Condition, Entry, Namespace, Rev, Transaction, Write},
    limits,
    wire::data::{KvEntry, KvKey, KvWritten, Page, ResourceRow},
};

use super::{
    super::reply::{Answer, Asked, Key, answer, collect},
    Named,
    room::Room,
    rows,
};
use crate::core::Control;

/// The app's key-value stores.
#[utoipa::path(get, operation_id = "kv_stores", path = "/v1/apps/{app}/{env}/kv", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), Page), responses((status = 200, body = Vec<ResourceRow>)))]
pub(crate) async fn stores(
    State(control): State<Arc<Control>>,
    Key(key): Key,
    Asked(asked): Asked<Page>,
) -> Answer<Vec<ResourceRow>> {
    answer(rows(&control.served(&key).await?, ResourceKind::Kv, &asked))
}

/// A page of a store's entries, by key. It ends after 8 MiB of values, so the end is where nothing comes after the last key.
#[utoipa::path(get, operation_id = "kv_entries", path = "/v1/apps/{app}/{env}/kv/{store}", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("store" = String, Path), Page),
    responses((status = 200, body = Vec<KvEntry>)))]
pub(crate) async fn entries(
    State(control): State<Arc<Control>>,
    named: Named,
    Asked(asked): Asked<Page>,
) -> Answer<Vec<KvEntry>> {
    control.knowing(ResourceKind::Kv, &named).await?;
    let (prefix, mut after) = (Bytes::from(asked.prefix.unwrap_or_default()), asked.after.map(Bytes::from));
    let (mut room, mut found) = (Room::of(asked.limit), Vec::new());
    while let Some(step) = room.step() {
        let read = control.data.kv.list(&namespace(&named), &prefix, after.as_ref(), step).await?;
        room.take(&mut found, read, |entry: &Entry| entry.key.len() + entry.value.len());
        after = found.last().map(|entry| entry.key.clone()).or(after);
    }
    answer(found.into_iter().map(entry).collect())
}

/// One entry.
#[utoipa::path(get, operation_id = "kv_get", path = "/v1/apps/{app}/{env}/kv/{store}/entry", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("store" = String, Path), KvKey), responses((status = 200, body = KvEntry)))]
pub(crate) async fn get(State(control): State<Arc<Control>>, named: Named, Asked(asked): Asked<KvKey>) -> Answer<KvEntry> {
    control.knowing(ResourceKind::Kv, &named).await?;
    let found = control.data.kv.get(&namespace(&named), &asked.key.clone().into()).await?;
    answer(entry(found.ok_or_else(|| no_entry(&named, &asked.key))?))
}

/// Writes an entry: the body is the value.
#[utoipa::path(put, operation_id = "kv_put", path = "/v1/apps/{app}/{env}/kv/{store}/entry", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("store" = String, Path), KvKey),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200, body = KvWritten)))]
pub(crate) async fn put(
    State(control): State<Arc<Control>>,
    named: Named,
    Asked(asked): Asked<KvKey>,
    request: Request,
) -> Answer<KvWritten> {
    let app = control.knowing(ResourceKind::Kv, &named).await?;
    let value = collect(request, limits::KV_VALUE, Code::E0604).await?;
    let usual = app.resources.kv.get(&named.name).and_then(|settings| settings.expire);
    let lives = asked.expire_ms.map(std::time::Duration::from_millis).or(usual);
    let expires = lives.map(|lives| control.clock.now().plus(lives.into()));
    let write = Write::Put { key: asked.key.clone().into(), value, expires };
    answer(commit(&control, &named, &asked, write).await?)
}

/// Removes an entry.
#[utoipa::path(delete, operation_id = "kv_remove", path = "/v1/apps/{app}/{env}/kv/{store}/entry", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("store" = String, Path), KvKey), responses((status = 200, body = KvWritten)))]
pub(crate) async fn remove(State(control): State<Arc<Control>>, named: Named, Asked(asked): Asked<KvKey>) -> Answer<KvWritten> {
    control.knowing(ResourceKind::Kv, &named).await?;
    let write = Write::Delete { key: asked.key.clone().into() };
    answer(commit(&control, &named, &asked, write).await?)
}

async fn commit(control: &Control, named: &Named, asked: &KvKey, write: Write) -> Result<KvWritten, Problem> {
    let key = Bytes::from(asked.key.clone());
    let conditions = match asked.if_rev {
        None => Vec::new(),
        Some(0) => vec![Condition::Absent(key)],
        Some(rev) => vec![Condition::At(key, Rev(rev))],
    };
    let transaction = Transaction { conditions, writes: vec![write], ..Transaction::default() };
    match control.data.kv.commit(&namespace(named), transaction).await? {
        Committed::At(rev) => Ok(KvWritten { rev: rev.0 }),
        Committed::Refused { .. } => {
            let message = format!("the key {:?} of kv.{} is not at the revision that was named", asked.key, named.name);
            Err(Problem::new(Code::E0710, message).help(format!("dayfly kv get {} {}", named.name, asked.key)))
        }
    }
}

fn namespace(Named { key, name }: &Named) -> Namespace {
    Namespace::of(&key.app, &key.env, name)
}

fn no_entry(named: &Named, key: &str) -> Problem {
    Problem::new(Code::E0609, format!("kv.{} has no entry {key:?}", named.name)).help(format!("dayfly kv ls {}", named.name))
}

fn entry(Entry { key, value, rev, expires }: Entry) -> KvEntry {
    KvEntry { key: key.into(), value: value.into(), rev: rev.0, expires: expires.map(|at| at.to_rfc3339()) }
}
