//! `dayfly doctor`: what this machine has, what it lacks, and how to get it.

use std::{fs, net::TcpListener, path::Path};

use serde::Serialize;

use crate::{
    Context,
    build::GuestToolchain,
    exit::{self, Result},
    node::{AWS_ADDR, CONTROL_ADDR, GATEWAY_ADDR},
};

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// It works without, but less well.
    Warn,
    /// Something can't be done.
    Lack,
}

/// The exit code is 1 if something is lacking.
pub(crate) async fn run(context: &Context) -> Result<u8> {
    let checks = vec![
        kernel(),
        maps(),
        cgroup(),
        disk(),
        clock(),
        port("gateway port", GATEWAY_ADDR),
        port("control port", CONTROL_ADDR),
        port("aws port", AWS_ADDR),
        toolchain().await,
    ];
    let lacking = checks.iter().any(|check| check.state == State::Lack);
    context.printer.data(&checks, |checks| {
        let line = |check: &Check| {
            let mark = match check.state {
                State::Ok => "ok",
                State::Warn => "warn",
                State::Lack => "lack",
            };
            let fix = check.fix.as_ref().map(|fix| format!("\n      fix: {fix}")).unwrap_or_default();
            format!("{mark:<5} {:<16} {}{fix}", check.name, check.found)
        };
        checks.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if lacking { exit::code::FAILED } else { exit::code::DONE })
}

fn check(name: &'static str, state: State, found: impl Into<String>, fix: Option<&str>) -> Check {
    Check { name, state, found: found.into(), fix: fix.filter(|_| state != State::Ok).map(str::to_owned) }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// Page-map scanning resets an instance's memory cheaply from Linux 6.7 on.
fn kernel() -> Check {
    let release = read("/proc/sys/kernel/osrelease");
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let state = if version >= (6, 7) { State::Ok } else { State::Warn };
    check("kernel", state, format!("Linux {release}"), Some("Linux 6.7 or newer resets instances at less than half the cost"))
}

/// Each live instance takes about six mappings.
fn maps() -> Check {
    let allowed: u64 = read("/proc/sys/vm/max_map_count").parse().unwrap_or(0);
    let state = if allowed >= 65_530 { State::Ok } else { State::Lack };
    check("memory mappings", state, format!("vm.max_map_count {allowed}"), Some("sysctl -w vm.max_map_count=262144"))
}

fn cgroup() -> Check {
    let v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let found = if v2 { "v2" } else { "v1 or hybrid" };
    check("cgroups", State::Ok, found, None)
}

fn disk() -> Check {
    let free = rustix::fs::statvfs(".").map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    let state = if free >= 1 << 30 { State::Ok } else { State::Lack };
    check(
        "disk",
        state,
        format!("{} free here", types::ByteCount(free)),
        Some("free 1 GiB, or choose another folder with --data"),
    )
}

/// Ids and retention go by the wall clock.
fn clock() -> Check {
    let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let state = if year >= 2026 { State::Ok } else { State::Lack };
    check("clock", state, jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), Some("timedatectl set-ntp true"))
}

fn port(name: &'static str, address: &str) -> Check {
    match TcpListener::bind(address) {
        Ok(_) => check(name, State::Ok, format!("{address} is free"), None),
        Err(error) => {
            check(name, State::Warn, format!("{address}: {error}"), Some("dayfly up --listen 127.0.0.1:0 --control 127.0.0.1:0"))
        }
    }
}

async fn toolchain() -> Check {
    match GuestToolchain::find().await {
        Ok(GuestToolchain::Active) => check("rust components", State::Ok, "the active toolchain has wasm32-wasip2", None),
        Ok(GuestToolchain::Assembled(rustc)) => check("rust components", State::Ok, rustc.display().to_string(), None),
        Err(problem) => check(
            "rust components",
            State::Lack,
            problem.message,
            Some("rustup target add wasm32-wasip2; where that is refused, cargo xtask setup in dayfly's sources"),
        ),
    }
}
