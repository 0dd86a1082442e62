//! From a message that is durable to the start of the function that it starts, and what a thousand queues cost that hold nothing.

use std::{fmt::Write as _, fs, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    cpu,
    dayfly::{Node, Parts},
    load::{self, Client},
};

const MESSAGES: usize = 500;
const IDLE_QUEUES: usize = 1_000;

pub async fn run(parts: &Parts) -> Result<String> {
    Ok(format!("{}\n{}", latency(parts).await?, idle(parts).await?))
}

/// The producer's span of the call ends when the message is durable; the consumer's record begins when it was admitted.
async fn latency(parts: &Parts) -> Result<String> {
    let node = Node::start(parts, "dayfly, events").await?;
    let folder = node.folder.0.join("app");
    fs::create_dir_all(&folder)?;
    fs::copy(parts.components.join("state.wasm"), folder.join("state.wasm"))?;
    let manifest = "app = \"chain\"\n[fn.api]\npath = \"state.wasm\"\nroute = \"/{*rest}\"\nuses = [\"queue.work\"]\n\
                    [fn.worker]\npath = \"state.wasm\"\non = { queue = \"work\", batch = 1 }\nenv = { MODE = \"log\" }\n";
    fs::write(folder.join("dayfly.toml"), manifest)?;
    node.deploy(&folder).await?;
    let mut client = Client::connect(node.server.address).await?;
    let request = load::request("chain.localhost", "/queue/send?queue=work&body=x");
    for _ in 0..MESSAGES {
        ensure!(client.call(&request).await? == 200, "the message was not sent");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let list = |function: &'static str| node.json(format!("trace --list --of chain/{function} -n {MESSAGES} --json"));
    let (sent, started) = (list("api").await?, list("worker").await?);
    let mut gaps = Vec::new();
    for worker in lines(&started)? {
        let trace = worker["trace"].as_str().context("a trace")?.to_owned();
        let Some(api) = lines(&sent)?.into_iter().find(|api| api["trace"] == trace.as_str()) else { continue };
        let whole = node.json(format!("trace {} --json", api["invocation"].as_str().context("an id")?)).await?;
        if let Some(gap) = gap_ns(&serde_json::from_str(&whole)?) {
            gaps.push(gap);
        }
        if gaps.len() >= 200 {
            break;
        }
    }
    ensure!(!gaps.is_empty(), "no trace has both ends");
    gaps.sort_unstable();
    let at = |share: usize| gaps[gaps.len() * share / 100] as f64 / 1e6;
    Ok(format!(
        "| from the durable message to the admission of its function | p50 | p90 | p99 |\n|---|---|---|---|\n| {} messages, one at a \
         time | {:.2} ms | {:.2} ms | {:.2} ms |\n",
        gaps.len(),
        at(50),
        at(90),
        at(99)
    ))
}

fn lines(text: &str) -> Result<Vec<Value>> {
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Between the end of the call that sent and the beginning of the function that was started.
fn gap_ns(trace: &Value) -> Option<i64> {
    let (mut sent, mut started) = (None, None);
    walk(trace, &mut |span| {
        let name = span["name"].as_str().unwrap_or_default();
        let (at, duration) = (span["offset_ns"].as_i64()?, span["duration_ns"].as_i64()?);
        if name.starts_with("queue.work send") {
            sent = Some(at + duration);
        } else if name.starts_with("worker queue work") {
            started = Some(at);
        }
        Some(())
    });
    Some(started? - sent?)
}

fn walk(value: &Value, visit: &mut impl FnMut(&Value) -> Option<()>) {
    match value {
        Value::Object(members) => {
            visit(value);
            members.values().for_each(|member| walk(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

/// CPU time of a node over some seconds in which nothing happens, without queues and with a thousand that functions wait on.
async fn idle(parts: &Parts) -> Result<String> {
    let node = Node::start(parts, "dayfly, idle").await?;
    let empty = spent(&node).await?;
    let folder = node.folder.0.join("app");
    fs::create_dir_all(&folder)?;
    fs::copy(parts.components.join("hello.wasm"), folder.join("hello.wasm"))?;
    let mut manifest = String::from("app = \"idle\"\n");
    for index in 0..IDLE_QUEUES {
        writeln!(manifest, "[fn.f{index}]\npath = \"hello.wasm\"\non = {{ queue = \"q{index}\" }}")?;
    }
    fs::write(folder.join("dayfly.toml"), manifest)?;
    node.deploy(&folder).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let full = spent(&node).await?;
    Ok(format!(
        "| CPU time of an idle node | ms a second |\n|---|---|\n| no queue | {empty:.2} |\n| {IDLE_QUEUES} queues, each waited on | {full:.2} |\n"
    ))
}

async fn spent(node: &Node) -> Result<f64> {
    const SPAN: Duration = Duration::from_secs(10);
    let before = cpu::cpu_time(node.server.pid())?;
    tokio::time::sleep(SPAN).await;
    Ok((cpu::cpu_time(node.server.pid())? - before).as_secs_f64() * 1e3 / SPAN.as_secs_f64())
}

impl Node {
    /// What a command prints that speaks to this node.
    async fn json(&self, arguments: String) -> Result<String> {
        let mut command = Command::new(self.program());
        command.args(arguments.split(' ')).args(["--to", &format!("http://{}", self.control)]);
        let output = command.env("DAYFLY_TOKEN", crate::dayfly::TOKEN).stdin(Stdio::null()).output().await?;
        ensure!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}
