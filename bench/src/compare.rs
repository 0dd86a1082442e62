//! Several servers under the same load, taking turns, so that a noisy moment hits all of them.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    cpu,
    load::{self, Load},
    server::Server,
};

/// How one server did in one turn.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// CPU time of the server's process for one request, in microseconds.
    pub cpu_us: f64,
}

/// The medians of a server's turns.
pub struct Row {
    pub name: &'static str,
    pub median: Turn,
    /// The lowest and highest CPU time per request of all turns.
    pub cpu_us_range: (f64, f64),
}

/// What is asked of a server.
pub struct Target<'a> {
    pub server: &'a Server,
    pub method: &'static str,
    pub target: String,
    pub body: Vec<u8>,
}

/// Lets the servers take turns under load, `rounds` times each, after one turn that is not counted.
pub async fn run(servers: &[Server], connections: usize, turn: Duration, rounds: usize) -> Result<Vec<Row>> {
    let get = |server| Target { server, method: "GET", target: server.path.clone(), body: Vec::new() };
    run_targets(&servers.iter().map(get).collect::<Vec<_>>(), connections, turn, rounds).await
}

/// The same with requests of any kind.
pub async fn run_targets(targets: &[Target<'_>], connections: usize, turn: Duration, rounds: usize) -> Result<Vec<Row>> {
    let mut turns: Vec<Vec<Turn>> = vec![Vec::new(); targets.len()];
    for round in 0..=rounds {
        for (target, turns) in targets.iter().zip(&mut turns) {
            let done = under_load(target, connections, turn).await?;
            if round > 0 {
                turns.push(done);
            }
        }
    }
    Ok(targets.iter().zip(turns).map(|(target, turns)| row(target.server.name, &turns)).collect())
}

/// One server under load for one turn.
pub async fn one(server: &Server, connections: usize, duration: Duration) -> Result<Turn> {
    under_load(&Target { server, method: "GET", target: server.path.clone(), body: Vec::new() }, connections, duration).await
}

async fn under_load(asked: &Target<'_>, connections: usize, duration: Duration) -> Result<Turn> {
    let Target { server, method, target, body } = asked;
    let request = load::request_with(method, &server.host, target, body);
    let load = Load { address: server.address, request, connections, duration };
    let before = cpu::cpu_time(server.pid())?;
    let outcome = load::run(load).await?;
    let spent = cpu::cpu_time(server.pid())? - before;
    ensure!(outcome.failed == 0, "{}: {} of {} requests failed", server.name, outcome.failed, outcome.requests());
    Ok(Turn {
        per_second: outcome.per_second(),
        p50_ms: outcome.quantile_ms(0.5),
        p99_ms: outcome.quantile_ms(0.99),
        cpu_us: spent.as_secs_f64() * 1e6 / outcome.requests() as f64,
    })
}

fn row(name: &'static str, turns: &[Turn]) -> Row {
    let sorted = |value: fn(&Turn) -> f64| {
        let mut values: Vec<f64> = turns.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let median = |value| sorted(value)[turns.len() / 2];
    let cpu = sorted(|turn| turn.cpu_us);
    Row {
        name,
        median: Turn {
            per_second: median(|turn| turn.per_second),
            p50_ms: median(|turn| turn.p50_ms),
            p99_ms: median(|turn| turn.p99_ms),
            cpu_us: median(|turn| turn.cpu_us),
        },
        cpu_us_range: (cpu[0], cpu[cpu.len() - 1]),
    }
}

/// The rows as a Markdown table; ratios are to the first row.
pub fn table(rows: &[Row]) -> String {
    let base = rows[0].median;
    let mut out = String::from(
        "| server | requests/s | p50 ms | p99 ms | CPU µs a request (range) | CPU × | requests/s × |\n|---|---|---|---|---|---|---|\n",
    );
    for Row { name, median, cpu_us_range: (low, high) } in rows {
        let Turn { per_second, p50_ms, p99_ms, cpu_us } = median;
        let (cpu_ratio, rate_ratio) = (cpu_us / base.cpu_us, per_second / base.per_second);
        out += &format!(
            "| {name} | {per_second:.0} | {p50_ms:.2} | {p99_ms:.2} | {cpu_us:.1} ({low:.1}–{high:.1}) | {cpu_ratio:.2} | {rate_ratio:.2} |\n"
        );
    }
    out
}
