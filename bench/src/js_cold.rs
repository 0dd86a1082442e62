//! Ten thousand functions in JavaScript on one node: disk, memory, the first request to one that is not in memory, and what deploying takes.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    cpu,
    dayfly::{Node, Parts},
    load::{self, Client},
};

/// Functions that are deployed, each with text of its own.
const FUNCTIONS: usize = 10_000;
/// How many apps they are spread over: as many as one deployment takes easily.
const APPS: usize = 20;
/// First requests that are timed.
const TIMED: usize = 1_000;
/// Saves that are timed.
const SAVES: usize = 15;

/// Measures and tells in Markdown.
pub async fn run(parts: &Parts) -> Result<String> {
    let node = Node::start(parts, "dayfly 10,000 scripts").await?;
    let began = Instant::now();
    for app in 0..APPS {
        deploy(&node, app).await?;
    }
    let deployed_ms = began.elapsed().as_secs_f64() * 1e3 / FUNCTIONS as f64;
    let saves = saves(&node).await?;
    // A node that was just started has no function in memory.
    let folder = node.stop().await?;
    let disk = mebibytes_under(&folder.0.join("data"))?;
    let node = Node::start_in(parts, "dayfly 10,000 scripts", folder).await?;
    let idle = cpu::resident_mib(node.server.pid())?;
    let mut client = Client::connect(node.server.address).await?;
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for number in 0..FUNCTIONS {
        let request = request(number);
        let first = one(&mut client, &request).await?;
        if number % (FUNCTIONS / TIMED) == 0 {
            cold.push(first);
            warm.push(one(&mut client, &request).await?);
        }
    }
    // What the node still holds once everything was called, and nothing runs.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let used = cpu::resident_mib(node.server.pid())?;
    let (cold_ms, warm_ms) = (quantile(&mut cold, 0.5), quantile(&mut warm, 0.5));
    Ok(format!(
        "| what | figure |\n|---|---|\n| JavaScript functions deployed, no two alike | {FUNCTIONS} |\n\
         | on disk, all told | {disk:.0} MiB |\n| resident memory before the first request | {idle:.0} MiB |\n\
         | resident memory after a request to each | {used:.0} MiB |\n| first request, image on disk, p50 | {cold_ms:.2} ms |\n\
         | first request, p99 | {:.2} ms |\n| second request, p50 | {warm_ms:.2} ms |\n\
         | deploying, a function of {} at once | {deployed_ms:.2} ms |\n\
         | `dayfly deploy` of a change, from the command to its end, p50 of {SAVES} | {:.0} ms |\n",
        quantile(&mut cold, 0.99),
        FUNCTIONS / APPS,
        saves,
    ))
}

/// Half of the changes of a small app take no longer than this to deploy and be served, in milliseconds.
async fn saves(node: &Node) -> Result<f64> {
    let folder = node.folder.0.join("saved");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("dayfly.toml"), "app = \"saved\"\n[fn.api]\npath = \"api.js\"\nroute = \"/\"\n")?;
    let mut took = Vec::new();
    for number in 0..SAVES {
        fs::write(folder.join("api.js"), handler(FUNCTIONS + number))?;
        let began = Instant::now();
        node.deploy(&folder).await?;
        let mut client = Client::connect(node.server.address).await?;
        let (status, body) = client.answer(&load::request("saved.localhost", "/")).await?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(
            status == 200 && body.starts_with(format!("function {} ", FUNCTIONS + number).as_bytes()),
            "the change is served"
        );
    }
    Ok(quantile(&mut took, 0.5))
}

fn request(number: usize) -> Vec<u8> {
    load::request(&format!("many{}.localhost", number % APPS), &format!("/f{number}"))
}

async fn one(client: &mut Client, request: &[u8]) -> Result<f64> {
    let began = Instant::now();
    let status = client.call(request).await?;
    ensure!(status == 200, "status {status}");
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

/// The value that this share does not exceed.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

/// A small handler with state that is made at deploy, as real ones have: a table of some names, a pattern, a function or two.
fn handler(number: usize) -> String {
    format!(
        "const names = new Map(Array.from({{ length: 50 }}, (_, i) => [`name-${{i}}`, {{ id: i * {number}, tags: [\"a\", \"b\"] }}]));\n\
         const known = /^\\/f(?<number>\\d+)$/u;\n\nfunction greet(path) {{\n  const found = known.exec(path)?.groups.number ?? \"none\";\n  \
         return `function {number} of ${{found}}, ${{names.size}} names\\n`;\n}}\n\n\
         export default {{\n  fetch(request) {{\n    return new Response(greet(new URL(request.url).pathname));\n  }},\n}};\n"
    )
}

async fn deploy(node: &Node, app: usize) -> Result<()> {
    let folder = node.folder.0.join(format!("app{app}"));
    fs::create_dir_all(&folder)?;
    let mut manifest = format!("app = \"many{app}\"\n");
    for number in (app..FUNCTIONS).step_by(APPS) {
        fs::write(folder.join(format!("{number}.js")), handler(number))?;
        writeln!(manifest, "[fn.f{number}]\npath = \"{number}.js\"\nroute = \"/f{number}\"")?;
    }
    fs::write(folder.join("dayfly.toml"), manifest)?;
    node.deploy(&folder).await
}

/// What the files of a folder occupy.
fn mebibytes_under(folder: &Path) -> Result<f64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut blocks = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            blocks += about.blocks();
            if about.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(blocks as f64 * 512.0 / f64::from(1 << 20))
}
