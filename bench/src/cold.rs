//! Ten thousand functions on one node: memory, and the first request to one that is not in memory.

use std::{fmt::Write as _, fs, time::Instant};

use anyhow::{Result, ensure};

use crate::{
    cpu,
    dayfly::{Node, Parts},
    load::{self, Client},
};

/// Functions that are deployed.
const FUNCTIONS: usize = 10_000;
/// Components that they are made from, each with bytes of its own: each is compiled, stored and mapped by itself.
const COMPONENTS: usize = 500;

/// Measures and tells in Markdown.
pub async fn run(parts: &Parts) -> Result<String> {
    let node = Node::start(parts, "dayfly 10,000 functions").await?;
    deploy(parts, &node).await?;
    // A node that was just started has no function in memory.
    let folder = node.stop().await?;
    let began = Instant::now();
    let node = Node::start_in(parts, "dayfly 10,000 functions", folder).await?;
    let start_ms = began.elapsed().as_secs_f64() * 1e3;
    let idle = cpu::resident_mib(node.server.pid())?;
    let mut client = Client::connect(node.server.address).await?;
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for component in 0..COMPONENTS {
        let request = load::request("many.localhost", &format!("/f{component}"));
        cold.push(one(&mut client, &request).await?);
        warm.push(one(&mut client, &request).await?);
    }
    for function in COMPONENTS..FUNCTIONS {
        let request = load::request("many.localhost", &format!("/f{function}"));
        ensure!(client.call(&request).await? == 200, "f{function} did not answer");
    }
    let used = cpu::resident_mib(node.server.pid())?;
    let (cold_ms, warm_ms) = (median(&mut cold), median(&mut warm));
    let p99 = cold[cold.len() * 99 / 100];
    Ok(format!(
        "| what | figure |\n|---|---|\n| functions deployed (from {COMPONENTS} different components) | {FUNCTIONS} |\n\
         | start of the node until it listens | {start_ms:.0} ms |\n| resident memory before the first request | {idle:.0} MiB |\n\
         | resident memory after a request to each | {used:.0} MiB |\n| first request, component on disk, p50 | {cold_ms:.2} ms |\n\
         | first request, p99 | {p99:.2} ms |\n| second request, p50 | {warm_ms:.2} ms |\n| first beyond second, p50 | {:.2} ms |\n",
        cold_ms - warm_ms
    ))
}

async fn one(client: &mut Client, request: &[u8]) -> Result<f64> {
    let began = Instant::now();
    let status = client.call(request).await?;
    ensure!(status == 200, "status {status}");
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn deploy(parts: &Parts, node: &Node) -> Result<()> {
    let folder = node.folder.0.join("app");
    fs::create_dir_all(&folder)?;
    let component = fs::read(parts.components.join("hello.wasm"))?;
    for number in 0..COMPONENTS {
        fs::write(folder.join(format!("{number}.wasm")), marked(&component, number))?;
    }
    let mut manifest = String::from("app = \"many\"\n");
    for function in 0..FUNCTIONS {
        let number = function % COMPONENTS;
        writeln!(manifest, "[fn.f{function}]\npath = \"{number}.wasm\"\nroute = \"/f{function}\"")?;
    }
    fs::write(folder.join("dayfly.toml"), manifest)?;
    node.deploy(&folder).await
}

/// The component with a custom section of its own at its end, so that it is another artifact.
fn marked(component: &[u8], number: usize) -> Vec<u8> {
    let name = b"bench";
    let mut content = vec![u8::try_from(name.len()).expect("a short name")];
    content.extend_from_slice(name);
    content.extend_from_slice(&u32::try_from(number).expect("few components").to_le_bytes());
    let mut out = component.to_vec();
    out.push(0);
    out.push(u8::try_from(content.len()).expect("a short section"));
    out.extend_from_slice(&content);
    out
}
