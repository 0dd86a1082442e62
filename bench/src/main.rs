//! Measures dayfly beside what people use instead: a bare hyper server, `wasmtime serve`, workerd, Node, Redis, `s3s-fs`, nginx. In one run,
//! taking turns, as ratios.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml` runs everything and prints it as Markdown; with the name of a part
//! (`http`, `sweep`, `cold`, `start`, `neighbours`, `queue`, `events`, `s3`, `site`, `js`, `js-cold`) it runs that. What was found, and what it means: `docs/reference/performance.md`.

mod cold;
mod compare;
mod cpu;
mod dayfly;
mod events;
mod hyper_hello;
mod js;
mod js_cold;
mod js_peers;
mod load;
mod neighbours;
mod queue;
mod s3;
mod server;
mod site;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::{
    dayfly::{Node, Parts},
    load::Client,
    server::Server,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    // The baseline runs as anyone would run it: tokio's default, a worker for each core. The load generator makes do with one.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if command.as_deref() == Some("hyper-hello") {
        let address = args.next().context("an address is missing")?.parse()?;
        return runtime.enable_all().build()?.block_on(hyper_hello::serve(address));
    }
    let runtime = runtime.worker_threads(1).enable_all().build()?;
    let parts = Parts::find()?;
    runtime.block_on(async {
        let part = match command.as_deref() {
            None => return everything(&parts).await,
            Some("http") => http(&parts).await?,
            Some("sweep") => sweep(&parts).await?,
            Some("cold") => cold::run(&parts).await?,
            Some("start") => start(&parts).await?,
            Some("neighbours") => neighbours::run(&parts).await?,
            Some("queue") => queue::run(&parts).await?,
            Some("events") => events::run(&parts).await?,
            Some("s3") => s3::run(&parts).await?,
            Some("site") => site::run(&parts).await?,
            Some("js") => js::run(&parts).await?,
            Some("js-cold") => js_cold::run(&parts).await?,
            Some(other) => {
                bail!("there is no part {other:?}: http, sweep, cold, start, neighbours, queue, events, s3, site, js, js-cold")
            }
        };
        println!("{part}");
        Ok(())
    })
}

/// All parts, under one head.
async fn everything(parts: &Parts) -> Result<()> {
    println!("Machine: {}\n\n## One function, a fresh instance for each request\n\n{}", cpu::machine(), http(parts).await?);
    println!("## Over concurrency\n\n{}", sweep(parts).await?);
    println!("## 10,000 functions\n\n{}", cold::run(parts).await?);
    println!("## Start\n\n{}", start(parts).await?);
    println!("## Beside guests that spin\n\n{}", neighbours::run(parts).await?);
    println!("## Durable messages\n\n{}", queue::run(parts).await?);
    println!("## Events\n\n{}", events::run(parts).await?);
    println!("## Objects\n\n{}", s3::run(parts).await?);
    println!("## A static file\n\n{}", site::run(parts).await?);
    println!("## JavaScript\n\n{}", js::run(parts).await?);
    println!("## 10,000 functions in JavaScript\n\n{}", js_cold::run(parts).await?);
    Ok(())
}

async fn hyper() -> Result<Server> {
    let address = server::free_port()?;
    let program = std::env::current_exe()?;
    Server::start("bare hyper", address, Command::new(program).arg("hyper-hello").arg(address.to_string())).await
}

/// `wasmtime serve` with its pooling allocator and a component, if it is installed.
async fn wasmtime(parts: &Parts, name: &'static str, component: &str) -> Result<Option<Server>> {
    let Some(program) = server::on_path("wasmtime") else {
        eprintln!("wasmtime is not installed: left out");
        return Ok(None);
    };
    let address = server::free_port()?;
    let mut command = Command::new(program);
    command.args(["serve", "-S", "cli", "-O", "pooling-allocator", "--addr", &address.to_string()]);
    Server::start(name, address, command.arg(parts.components.join(component))).await.map(Some)
}

async fn http(parts: &Parts) -> Result<String> {
    let views = dayfly::hello(parts, "dayfly, all views", "").await?;
    let off = dayfly::hello(parts, "dayfly, record = off", "record = \"off\"").await?;
    let mut servers = vec![hyper().await?, views.server, off.server];
    servers.extend(wasmtime(parts, "wasmtime serve", "hello.wasm").await?);
    let rows = compare::run(&servers, 16, Duration::from_secs(3), 7).await?;
    Ok(compare::table(&rows))
}

async fn sweep(parts: &Parts) -> Result<String> {
    let node = dayfly::hello(parts, "dayfly, all views", "").await?;
    let servers = vec![hyper().await?, node.server];
    let mut out = String::new();
    for connections in [1, 4, 16, 64, 256] {
        let rows = compare::run(&servers, connections, Duration::from_secs(2), 3).await?;
        out += &format!("{connections} connections\n\n{}\n", compare::table(&rows));
    }
    Ok(out)
}

/// From the start of the process to the first answer, with the example deployed.
async fn start(parts: &Parts) -> Result<String> {
    let mut folder = dayfly::hello(parts, "dayfly start", "").await?.stop().await?;
    let (mut listening, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let began = Instant::now();
        let node = Node::start_in(parts, "dayfly start", folder).await?;
        listening.push(began.elapsed().as_secs_f64() * 1e3);
        let status = Client::connect(node.server.address).await?.call(&load::request("hello.localhost", "/ada")).await?;
        anyhow::ensure!(status == 200, "status {status}");
        answered.push(began.elapsed().as_secs_f64() * 1e3);
        folder = node.stop().await?;
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Ok(format!(
        "| from the start of the process | p50 of 9 |\n|---|---|\n| listening | {:.0} ms |\n| first answer | {:.0} ms |\n",
        median(&mut listening),
        median(&mut answered)
    ))
}
