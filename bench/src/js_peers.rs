//! What serves JavaScript beside dayfly: workerd and Node, with the handlers of `js/`.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::{
    dayfly::{Folder, Node, Parts},
    server::{self, Server},
};

/// Where the handlers and the packages lie.
pub fn handlers() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    ensure!(folder.join("node_modules/marked").is_dir(), "packages are missing: npm ci --prefix {}", folder.display());
    Ok(folder)
}

/// A node whose only function is a handler of `js/`, by its file.
pub async fn dayfly(parts: &Parts, name: &'static str, handler: &str) -> Result<Server> {
    let node = Node::start(parts, name).await?;
    let app = node.folder.0.join("app");
    copy_handlers(&app)?;
    fs::write(
        app.join("dayfly.toml"),
        format!("app = \"js\"\n[fn.api]\npath = \"{handler}\"\nroute = [\"/\", \"/{{*path}}\"]\n"),
    )?;
    node.deploy(&app).await?;
    Ok(node.into_server())
}

/// Cloudflare's runtime, with one V8 isolate for all requests.
pub async fn workerd(handler: &str) -> Result<Server> {
    let (name, folder, address) = ("workerd", Folder::new("workerd")?, server::free_port()?);
    copy_handlers(&folder.0)?;
    fs::write(folder.0.join("config.capnp"), config(&folder.0, handler, &address.to_string())?)?;
    let mut command = Command::new(handlers()?.join("node_modules/.bin/workerd"));
    command.arg("serve").arg(folder.0.join("config.capnp"));
    let mut server = Server::start(name, address, &mut command).await?;
    server.folder = Some(folder);
    Ok(server)
}

/// Node's own HTTP server: no isolation at all.
pub async fn node() -> Result<Server> {
    let address = server::free_port()?;
    let program = server::on_path("node").context("node is missing: apt-get install nodejs npm")?;
    let mut command = Command::new(program);
    command.env("NODE_ENV", "production").arg(handlers()?.join("node.js")).arg(address.port().to_string());
    Server::start("Node http", address, &mut command).await
}

/// The handlers with the packages that they import, as an app's folder has them.
fn copy_handlers(into: &Path) -> Result<()> {
    let from = handlers()?;
    fs::create_dir_all(into)?;
    for file in ["hello.js", "worker.js", "work.js"] {
        fs::copy(from.join(file), into.join(file))?;
    }
    for package in ["marked", "jose"] {
        copy_scripts(&from.join("node_modules").join(package), &into.join("node_modules").join(package))?;
    }
    Ok(())
}

/// Copies what runs of a package: its modules and its manifest.
fn copy_scripts(from: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = into.join(path.file_name().context("an entry has a name")?);
        if path.is_dir() {
            copy_scripts(&path, &target)?;
        } else if path.extension().is_some_and(|end| end == "js") || path.ends_with("package.json") {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

/// The configuration for a handler: workerd resolves no packages, so each module of them is named.
fn config(folder: &Path, handler: &str, address: &str) -> Result<String> {
    fs::write(folder.join("jose.js"), "export * from \"./node_modules/jose/dist/webapi/index.js\";\n")?;
    let mut modules = format!("(name = \"{handler}\", esModule = embed \"{handler}\")");
    let mut add = |name: &str, file: &str| write!(modules, ", (name = \"{name}\", esModule = embed \"{file}\")");
    add("work.js", "work.js")?;
    add("jose", "jose.js")?;
    add("marked", "node_modules/marked/lib/marked.esm.js")?;
    for file in scripts_under(&folder.join("node_modules/jose/dist/webapi"))? {
        let file = file.strip_prefix(folder)?.to_string_lossy().into_owned();
        add(&file, &file)?;
    }
    Ok(format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\nconst config :Workerd.Config = (\n  \
         services = [(name = \"main\", worker = (modules = [{modules}], compatibilityDate = \"2026-01-01\"))],\n  \
         sockets = [(name = \"http\", address = \"{address}\", http = (), service = \"main\")]);\n"
    ))
}

fn scripts_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(scripts_under(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
