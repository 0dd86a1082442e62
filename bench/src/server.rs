//! Servers under test: each a process of its own, so that its CPU time is its own.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

use crate::dayfly::Folder;

/// A server that runs until it is dropped.
pub struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    pub host: String,
    pub path: String,
    /// What it works on: gone with it.
    pub folder: Option<Folder>,
    child: Child,
}

impl Server {
    /// Starts the command and waits until its port accepts connections.
    pub async fn start(name: &'static str, address: SocketAddr, command: &mut Command) -> Result<Self> {
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true).spawn();
        let mut child = child.with_context(|| format!("cannot start {name}"))?;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended with {status} before it listened");
            }
            if began.elapsed() > Duration::from_secs(120) {
                bail!("{name} did not listen on {address} within 120 s");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(Self { name, address, host: address.to_string(), path: "/ada".into(), folder: None, child })
    }

    /// Ends the server and waits until it is gone.
    pub async fn stop(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs until it is dropped")
    }
}

/// A free loopback port. Another process could take it before it is used; then starting fails and says so.
pub fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The first program of this name on the path, if there is one.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder: PathBuf| folder.join(program)).find(|file: &PathBuf| Path::is_file(file))
}
