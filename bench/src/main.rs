//! Measures dayfly beside a bare hyper server and, where it is installed, `wasmtime serve`: in one run, taking turns, as ratios.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml` runs everything and prints Markdown; `-- http` and the like run one part.

mod compare;
mod cpu;
mod hyper_hello;
mod load;
mod server;

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::server::Server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    // The baseline runs as anyone would run it: tokio's default, a worker for each core. The load generator makes do with one.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    match command.as_deref() {
        Some("hyper-hello") => {
            let address = args.next().context("an address is missing")?.parse()?;
            runtime.enable_all().build()?.block_on(hyper_hello::serve(address))
        }
        _ => runtime.worker_threads(1).enable_all().build()?.block_on(http()),
    }
}

async fn hyper() -> Result<Server> {
    let address = server::free_port()?;
    let program = std::env::current_exe()?;
    Server::start("bare hyper", address, Command::new(program).arg("hyper-hello").arg(address.to_string())).await
}

async fn http() -> Result<()> {
    let servers = vec![hyper().await?];
    let rows = compare::run(&servers, 16, Duration::from_secs(3), 3).await?;
    println!("{}", compare::table(&rows));
    Ok(())
}
