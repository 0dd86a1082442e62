//! Guests that spin, and what a well-behaved function on the same node notices of them.

use std::time::Duration;

use anyhow::Result;

use crate::{
    compare,
    dayfly::{self, Parts},
    load::{self, Load},
};

const SPINNING: usize = 8;
const TIME: Duration = Duration::from_secs(6);

/// Measures and tells in Markdown.
pub async fn run(parts: &Parts) -> Result<String> {
    let node = dayfly::hello(parts, "dayfly beside spinning guests", "").await?;
    let folder = node.folder.0.join("hostile");
    dayfly::app(&folder, "hostile", &parts.components.join("hostile.wasm"), "limits = { time = \"60s\" }")?;
    node.deploy(&folder).await?;
    let mut server = node.server;
    server.host = "hello.localhost".into();
    let alone = compare::one(&server, 1, TIME).await?;
    let spin = Load { address: server.address, host: "hostile.localhost".into(), path: "/spin".into(), connections: SPINNING, duration: TIME };
    let spinning = tokio::spawn(load::run(spin));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let beside = compare::one(&server, 1, TIME).await?;
    spinning.abort();
    Ok(format!(
        "| hello, one request at a time | requests/s | p50 ms | p99 ms |\n|---|---|---|---|\n\
         | alone | {:.0} | {:.2} | {:.2} |\n| beside {SPINNING} spinning guests | {:.0} | {:.2} | {:.2} |\n",
        alone.per_second, alone.p50_ms, alone.p99_ms, beside.per_second, beside.p50_ms, beside.p99_ms
    ))
}
