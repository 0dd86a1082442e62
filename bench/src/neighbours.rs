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
    let spin = Load {
        address: server.address,
        request: crate::load::request("hostile.localhost", "/spin"),
        connections: SPINNING,
        duration: TIME,
    };
    let spinning = tokio::spawn(load::run(spin));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let beside = compare::one(&server, 1, TIME).await?;
    spinning.abort();
    Ok(format!(
        "| hello, one request at a time | requests/s | p50 ms | p99 ms | cores that the node uses |\n|---|---|---|---|---|\n{}{}",
        line("alone", &alone),
        line(&format!("beside {SPINNING} spinning guests"), &beside)
    ))
}

fn line(name: &str, turn: &compare::Turn) -> String {
    let compare::Turn { per_second, p50_ms, p99_ms, cpu_us } = turn;
    format!("| {name} | {per_second:.0} | {p50_ms:.2} | {p99_ms:.2} | {:.2} |\n", cpu_us * per_second / 1e6)
}
