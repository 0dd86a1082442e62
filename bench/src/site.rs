//! One static file: dayfly beside nginx with a worker for each core, which serves the same bytes with `sendfile` and without a log.

use std::{fs, path::Path, time::Duration};

use anyhow::{Result, ensure};
use tokio::process::Command;

use crate::{
    compare,
    dayfly::{Folder, Node, Parts},
    server::{self, Server},
};

/// Sizes that pages, scripts and pictures have.
const SIZES: [(&str, usize); 3] = [("1 KiB", 1 << 10), ("16 KiB", 16 << 10), ("256 KiB", 256 << 10)];

pub async fn run(parts: &Parts) -> Result<String> {
    let mut out = String::new();
    for (title, bytes) in SIZES {
        let folder = Folder::new(&format!("site-{bytes}"))?;
        // Random bytes: nothing that compresses, so both send what lies on the disk.
        let mut random = vec![0; bytes];
        fs::File::open("/dev/urandom").and_then(|mut source| std::io::Read::read_exact(&mut source, &mut random))?;
        fs::create_dir_all(folder.0.join("web"))?;
        fs::write(folder.0.join("web/file.bin"), &random)?;
        let mut servers = vec![nginx(&folder.0).await?, site(parts, &folder.0).await?];
        servers.iter_mut().for_each(|server| server.path = "/file.bin".into());
        let rows = compare::run(&servers, 16, Duration::from_secs(2), 5).await?;
        out += &format!("{title}\n\n{}\n", compare::table(&rows));
    }
    Ok(out)
}

async fn nginx(folder: &Path) -> Result<Server> {
    let Some(program) =
        server::on_path("nginx").or_else(|| Some("/usr/sbin/nginx".into()).filter(|p: &std::path::PathBuf| p.is_file()))
    else {
        anyhow::bail!("nginx is missing: apt-get install nginx-light");
    };
    let address = server::free_port()?;
    let root = folder.display();
    let config = format!(
        "daemon off; master_process off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/nginx.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ sendfile on; tcp_nopush on; keepalive_requests 1000000000; access_log off; default_type application/octet-stream;\n\
         client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3; uwsgi_temp_path {root}/t4;\n\
         scgi_temp_path {root}/t5; server {{ listen {address}; root {root}/web; }} }}\n"
    );
    fs::write(folder.join("nginx.conf"), config)?;
    let mut command = Command::new(program);
    command.arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(folder);
    Server::start("nginx", address, &mut command).await
}

async fn site(parts: &Parts, folder: &Path) -> Result<Server> {
    let node = Node::start(parts, "dayfly, site").await?;
    fs::copy(parts.components.join("hello.wasm"), folder.join("api.wasm"))?;
    let manifest = "app = \"site\"\n[fn.api]\npath = \"api.wasm\"\nroute = \"/hello/{name}\"\n[site]\ndir = \"web\"\n";
    fs::write(folder.join("dayfly.toml"), manifest)?;
    node.deploy(folder).await?;
    ensure!(node.server.address.port() > 0, "it listens");
    Ok(node.into_server())
}
