//! Objects over the S3 API: dayfly beside `s3s-fs`, the file server of the library that both read requests with.
//!
//! Every request is a link that its server verifies. dayfly's writes are on the disk before they are answered; `s3s-fs` leaves that to the
//! kernel, and so does less. For large objects the measure is a plain copy of a file that is then made durable.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
};

use crate::{
    compare,
    dayfly::{Folder, Node, Parts, TOKEN},
    server::{self, Server},
};

const SMALL: usize = 1 << 10;
const LARGE: u64 = 1 << 30;
const PIECE: usize = 1 << 20;

/// A server with what signs requests for it.
struct Endpoint {
    server: Server,
    id: String,
    secret: String,
}

pub async fn run(parts: &Parts) -> Result<String> {
    let folder = Folder::new("s3")?;
    let endpoints = vec![s3s_fs(&folder).await?, dayfly(parts, &folder).await?];
    let mut out = String::new();
    for (title, method) in [("PUT 1 KiB", "PUT"), ("GET 1 KiB", "GET")] {
        let mut servers = Vec::new();
        for endpoint in &endpoints {
            let target = endpoint.link(method, "small")?;
            let body = if method == "PUT" { vec![0x5a; SMALL] } else { Vec::new() };
            servers.push(compare::Target { server: &endpoint.server, method, target, body });
        }
        let rows = compare::run_targets(&servers, 16, Duration::from_secs(3), 5).await?;
        out += &format!("{title}\n\n{}\n", compare::table(&rows));
    }
    out += &large(&endpoints[1], &folder).await?;
    Ok(out)
}

/// One GiB in and out, and a plain copy with fsync of the same file, taking turns.
async fn large(endpoint: &Endpoint, folder: &Folder) -> Result<String> {
    let source = folder.0.join("large.bin");
    let mut file = File::create(&source)?;
    let block: Vec<u8> = (0..PIECE).map(|at| (at * 31 % 251) as u8).collect();
    for _ in 0..LARGE / PIECE as u64 {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    let (mut copies, mut puts, mut gets, mut reads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        copies.push(timed(async { copy(&source, &folder.0.join("copy.bin")) }).await?);
        puts.push(timed(put(endpoint.server.address, &endpoint.link("PUT", "large")?, &source)).await?);
        reads.push(timed(async { read(&source) }).await?);
        gets.push(timed(get(endpoint.server.address, &endpoint.link("GET", "large")?)).await?);
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (copied, put, read, got) = (median(&mut copies), median(&mut puts), median(&mut reads), median(&mut gets));
    let rate = |seconds: f64| LARGE as f64 / seconds / 1e6;
    Ok(format!(
        "| 1 GiB | MB/s | of a plain copy with fsync |\n|---|---|---|\n| plain copy with fsync | {:.0} | 1.00 |\n| PUT | {:.0} | {:.2} |\n\
         | plain read of the file | {:.0} | {:.2} |\n| GET | {:.0} | {:.2} |\n",
        rate(copied),
        rate(put),
        copied / put,
        rate(read),
        copied / read,
        rate(got),
        copied / got
    ))
}

async fn timed(work: impl Future<Output = Result<()>>) -> Result<f64> {
    let began = Instant::now();
    work.await?;
    Ok(began.elapsed().as_secs_f64())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let (mut source, mut target, mut piece) = (File::open(from)?, File::create(to)?, vec![0; PIECE]);
    loop {
        match source.read(&mut piece)? {
            0 => return Ok(target.sync_all()?),
            count => target.write_all(&piece[..count])?,
        }
    }
}

fn read(from: &Path) -> Result<()> {
    let (mut source, mut piece) = (File::open(from)?, vec![0; PIECE]);
    while source.read(&mut piece)? > 0 {}
    Ok(())
}

async fn put(address: SocketAddr, target: &str, source: &Path) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("PUT {target} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {LARGE}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let (mut source, mut piece) = (File::open(source)?, vec![0; PIECE]);
    loop {
        match source.read(&mut piece)? {
            0 => break,
            count => stream.write_all(&piece[..count]).await?,
        }
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

async fn get(address: SocketAddr, target: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes()).await?;
    let (mut piece, mut total) = (vec![0; PIECE], 0_u64);
    loop {
        match stream.read(&mut piece).await? {
            0 => break,
            count => total += count as u64,
        }
    }
    ensure!(total > LARGE, "only {total} bytes came");
    Ok(())
}

async fn s3s_fs(folder: &Folder) -> Result<Endpoint> {
    let program =
        server::on_path("s3s-fs").context("s3s-fs is missing: cargo install s3s-fs --version 0.14.1 --features binary")?;
    let root = folder.0.join("s3s");
    fs::create_dir_all(root.join("bench"))?;
    let address = server::free_port()?;
    let (id, secret) = ("BENCHKEY".to_owned(), "benchsecret".to_owned());
    let mut command = Command::new(program);
    command.args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
    command.args(["--access-key", &id, "--secret-key", &secret]).arg(&root);
    Ok(Endpoint { server: Server::start("s3s-fs", address, &mut command).await?, id, secret })
}

async fn dayfly(parts: &Parts, folder: &Folder) -> Result<Endpoint> {
    let node = Node::start(parts, "dayfly, S3").await?;
    let app = folder.0.join("app");
    fs::create_dir_all(&app)?;
    fs::copy(parts.components.join("hello.wasm"), app.join("hello.wasm"))?;
    fs::write(app.join("dayfly.toml"), "app = \"files\"\n[fn.api]\npath = \"hello.wasm\"\nuses = [\"bucket.bench\"]\n")?;
    node.deploy(&app).await?;
    let mut command = Command::new(node.program());
    command.args(["env", "aws", "--app", "files", "--json", "--to", &format!("http://{}", node.control)]);
    let output = command.env("DAYFLY_TOKEN", TOKEN).stdin(Stdio::null()).output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let keys: Value = serde_json::from_slice(&output.stdout)?;
    let text = |name: &str| keys[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    let address: SocketAddr = text("endpoint_url")?.trim_start_matches("http://").parse()?;
    let (id, secret) = (text("id")?, text("secret")?);
    let mut server = node.into_server();
    (server.address, server.host) = (address, address.to_string());
    Ok(Endpoint { server, id, secret })
}

impl Endpoint {
    /// The path and query of a link to an object of the bucket `bench`.
    fn link(&self, method: &str, key: &str) -> Result<String> {
        let identity = Credentials::new(&self.id, &self.secret, None, None, "bench").into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(3_600));
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = v4::SigningParams::builder().identity(&identity).region("us-east-1").name("s3");
        let params = params.time(SystemTime::now()).settings(settings).build()?.into();
        let url = format!("http://{}/bench/{key}", self.server.address);
        let request = SignableRequest::new(method, &url, std::iter::empty(), SignableBody::UnsignedPayload)?;
        let (instructions, _) = sign(request, &params)?.into_parts();
        let escape = |text: &str| text.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
        let pairs: Vec<String> = instructions.params().iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        Ok(format!("/bench/{key}?{}", pairs.join("&")))
    }
}
