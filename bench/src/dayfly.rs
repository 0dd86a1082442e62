//! dayfly under test: its own folder, its own ports, the same program that users run.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::server::{self, Server};

pub const TOKEN: &str = "bench-token-that-guards-nothing";

/// The programs and components that the benchmark needs.
pub struct Parts {
    /// The `dayfly` program, built for release.
    pub program: PathBuf,
    /// Where the components of the tests lie.
    pub components: PathBuf,
}

impl Parts {
    /// Looks for them where the build leaves them.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the benchmark lies in the project")?;
        let program = root.join("target/release/dayfly");
        ensure!(program.is_file(), "{} is missing: cargo build --release -p server", program.display());
        let components = root.join("target/programs");
        ensure!(components.join("hello.wasm").is_file(), "components are missing: cargo xtask programs");
        Ok(Self { program, components })
    }
}

/// A node with its folder; both go when it is dropped.
pub struct Node {
    pub server: Server,
    pub control: SocketAddr,
    pub folder: Folder,
    program: PathBuf,
}

/// A folder that is removed when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("dayfly-bench-{}-{name}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed stays in the system's folder for temporary files.
        drop(fs::remove_dir_all(&self.0));
    }
}

impl Node {
    /// Starts a node without apps.
    pub async fn start(parts: &Parts, name: &'static str) -> Result<Self> {
        let folder = Folder::new(&name.replace([' ', ',', '='], "-"))?;
        Self::start_in(parts, name, folder).await
    }

    /// Starts a node on what a folder holds.
    pub async fn start_in(parts: &Parts, name: &'static str, folder: Folder) -> Result<Self> {
        let (listen, control, aws) = (server::free_port()?, server::free_port()?, server::free_port()?);
        let mut command = Command::new(&parts.program);
        command.arg("server").arg("--data").arg(folder.0.join("data"));
        command
            .args(["--listen", &listen.to_string(), "--control", &control.to_string(), "--aws", &aws.to_string()])
            .env("DAYFLY_TOKEN", TOKEN);
        let server = Server::start(name, listen, &mut command).await?;
        Ok(Self { server, control, folder, program: parts.program.clone() })
    }

    /// The program that it runs.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The server alone, with its folder.
    pub fn into_server(self) -> Server {
        let Self { mut server, folder, .. } = self;
        server.folder = Some(folder);
        server
    }

    /// Stops the node and gives its folder back.
    pub async fn stop(self) -> Result<Folder> {
        let Self { server, folder, .. } = self;
        server.stop().await?;
        Ok(folder)
    }

    /// Deploys the manifest of a folder, as users do.
    pub async fn deploy(&self, folder: &Path) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("deploy").arg(folder).args(["--yes", "--to", &format!("http://{}", self.control)]);
        let output = command.env("DAYFLY_TOKEN", TOKEN).stdin(Stdio::null()).output().await?;
        ensure!(output.status.success(), "deploy failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}

/// Writes an app with one function, made from one component.
pub fn app(folder: &Path, name: &str, component: &Path, settings: &str) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::copy(component, folder.join("api.wasm")).with_context(|| format!("cannot copy {}", component.display()))?;
    let manifest = format!("app = \"{name}\"\n[fn.api]\npath = \"api.wasm\"\nroute = [\"/\", \"/{{*path}}\"]\n{settings}\n");
    Ok(fs::write(folder.join("dayfly.toml"), manifest)?)
}

/// A node that serves hello with the given settings.
pub async fn hello(parts: &Parts, name: &'static str, settings: &str) -> Result<Node> {
    let node = Node::start(parts, name).await?;
    let folder = node.folder.0.join("app");
    app(&folder, "hello", &parts.components.join("hello.wasm"), settings)?;
    node.deploy(&folder).await?;
    Ok(node)
}
