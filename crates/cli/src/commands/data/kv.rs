//! `dayfly kv`.

use std::io::Write as _;

use types::wire::data::{KvEntry, KvKey, KvWritten, ResourceRow};

use super::{Data, one_line, rows};
use crate::{
    Context,
    args::{Kv, KvVerb},
    client::with_query,
    commands::which::span_ms,
    exit::Result,
    input,
    render::text::escaped,
};

pub(crate) async fn run(context: &Context, Kv { of, verb }: Kv) -> Result {
    let data = Data::of(context, &of)?;
    let key_of = |key: String| KvKey { key, ..KvKey::default() };
    match verb {
        KvVerb::Ls { store: None, listed } => {
            let stores: Vec<ResourceRow> = data.client.search(&data.path(&["kv"]), &listed.page()).await?;
            Ok(context.printer.data(&stores, |stores| super::resources("kv", stores))?)
        }
        KvVerb::Ls { store: Some(store), listed } => {
            let found: Vec<KvEntry> = data.client.search(&data.path(&["kv", &store]), &listed.page()).await?;
            Ok(context.printer.data(&found, |found| entries(found))?)
        }
        KvVerb::Get { store, key } => {
            let path = with_query(&data.path(&["kv", &store, "entry"]), &key_of(key));
            let entry: KvEntry = data.client.get(&path).await?;
            if context.printer.json {
                return Ok(context.printer.data(&entry, |_| String::new())?);
            }
            // The value as it is: it may be piped on.
            let value: bytes::Bytes = entry.value.into();
            std::io::stdout().write_all(&value)?;
            if !ends_line(&value) {
                std::io::stdout().write_all(b"\n")?;
            }
            Ok(())
        }
        KvVerb::Put { store, key, value, expire, if_rev } => {
            let expire_ms = expire.as_deref().map(span_ms).transpose()?;
            let asked = KvKey { key: key.clone(), expire_ms, if_rev };
            let path = with_query(&data.path(&["kv", &store, "entry"]), &asked);
            let written: KvWritten = data.client.put(&path, input::bytes(&value)?).await?;
            Ok(context.printer.data(&written, |written| format!("kv.{store} {} written at {}", escaped(&key), written.rev))?)
        }
        KvVerb::Rm { store, key } => {
            let path = with_query(&data.path(&["kv", &store, "entry"]), &key_of(key.clone()));
            let written: KvWritten = data.client.delete(&path).await?;
            Ok(context.printer.data(&written, |_| format!("kv.{store} {} removed", escaped(&key)))?)
        }
    }
}

/// Whether nothing is needed after the value: people want a line, pipes want the bytes alone.
fn ends_line(value: &[u8]) -> bool {
    use std::io::IsTerminal as _;
    value.ends_with(b"\n") || !std::io::stdout().is_terminal()
}

fn entries(found: &[KvEntry]) -> String {
    let row = |entry: &KvEntry| {
        let expires = entry.expires.clone().unwrap_or_default();
        vec![one_line(&entry.key), entry.rev.to_string(), expires, one_line(&entry.value)]
    };
    rows(&["KEY", "REV", "EXPIRES", "VALUE"], found.iter().map(row).collect(), "no entries")
}
