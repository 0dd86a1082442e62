//! Durable messages: dayfly's queues, as functions of the same process use them, beside Redis with `appendfsync always`.
//!
//! 64 producers wait each until their message is durable. dayfly runs as the example program of its store; Redis as a server with 64
//! connections, each with one command under way. They take turns on the same disk.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    task::JoinSet,
};

use crate::{
    cpu,
    dayfly::{Folder, Parts},
    server::{self, Server},
};

const PRODUCERS: usize = 64;
const MESSAGES: usize = 32_000;
const ROUNDS: usize = 3;

pub async fn run(parts: &Parts) -> Result<String> {
    let load = parts.program.with_file_name("examples").join("queue_load");
    ensure!(load.is_file(), "{} is missing: cargo build --release -p store-embedded --example queue_load", load.display());
    let mut out = String::new();
    for round in 1..=ROUNDS {
        let folder = Folder::new(&format!("queue-{round}"))?;
        out += &format!("round {round}\n\n```text\n");
        for size in [256, 4096] {
            let (rate, cpu_us) = redis(&folder, size).await?;
            out += &format!("{:<40} {rate:>9.0}/s {cpu_us:>6.1} µs CPU each\n", format!("redis RPUSH {size} B, 64 producers"));
        }
        let output = Command::new(&load).arg(folder.0.join("store")).stdin(Stdio::null()).output().await?;
        ensure!(output.status.success(), "queue_load failed: {}", String::from_utf8_lossy(&output.stderr));
        out += &format!("{}```\n\n", String::from_utf8_lossy(&output.stdout));
    }
    Ok(out)
}

/// Messages a second, and CPU time of the server for each in microseconds.
async fn redis(folder: &Folder, size: usize) -> Result<(f64, f64)> {
    let program = server::on_path("redis-server").context("redis-server is missing: apt-get install redis-server")?;
    let address = server::free_port()?;
    let data = folder.0.join(format!("redis-{size}"));
    std::fs::create_dir_all(&data)?;
    let mut command = Command::new(program);
    command.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    command.args(["--appendfsync", "always", "--dir"]).arg(&data);
    let server = Server::start("redis", address, &mut command).await?;
    let body = vec![0x5a; size];
    let request = [format!("*3\r\n$5\r\nRPUSH\r\n$1\r\nq\r\n${size}\r\n").as_bytes(), &body, b"\r\n"].concat();
    let (began, before) = (Instant::now(), cpu::cpu_time(server.pid())?);
    let mut producers = JoinSet::new();
    for _ in 0..PRODUCERS {
        let request = request.clone();
        producers.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut reply = [0; 64];
            for _ in 0..MESSAGES / PRODUCERS {
                stream.write_all(&request).await?;
                let read = stream.read(&mut reply).await?;
                ensure!(reply[..read].starts_with(b":"), "redis answered {:?}", String::from_utf8_lossy(&reply[..read]));
            }
            Ok(())
        });
    }
    while let Some(done) = producers.join_next().await {
        done??;
    }
    let (spent, took) = (cpu::cpu_time(server.pid())? - before, began.elapsed().max(Duration::from_nanos(1)));
    server.stop().await?;
    Ok((MESSAGES as f64 / took.as_secs_f64(), spent.as_secs_f64() * 1e6 / MESSAGES as f64))
}
