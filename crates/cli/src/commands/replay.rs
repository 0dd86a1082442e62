//! `dayfly replay`: runs a recorded request again, offline, and says whether it went as it did then.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use serde::Serialize;
use types::{
    Code, Problem,
    wire::{
        query::Search,
        replay::{Halt, ReplayReport},
        view,
    },
};

use super::which;
use crate::{
    Context,
    args::Replay,
    build,
    client::{Client, escape},
    exit,
    exit::Result,
    node::ReplayOptions,
    print,
    render::{
        failure,
        text::{escaped, size},
    },
};

/// What `--export` wrote.
#[derive(Serialize)]
struct Exported {
    file: String,
    bytes: usize,
}

/// The exit code is 1 if the replay parted from the record.
pub(crate) async fn run(context: &Context, args: &Replay) -> Result<u8> {
    let export = match &args.from {
        Some(file) => Bytes::from(read(file)?),
        None => fetch(&context.client()?, args.id.as_deref().unwrap_or("last")).await?,
    };
    if let Some(file) = &args.export {
        write(file, &export)?;
        let exported = Exported { file: file.display().to_string(), bytes: export.len() };
        context.printer.data(&exported, |Exported { file, bytes }| {
            format!("{file}   {}: the journal in clear, and the component; replay it with --from", size(*bytes as u64))
        })?;
        return Ok(exit::code::DONE);
    }
    let with = match &args.with {
        None => None,
        Some(file) if build::is_script(file) => Some(build::alone(file)?),
        Some(file) => Some(Bytes::from(read(file)?)),
    };
    let options = ReplayOptions { cache_dir: cache_dir(), export, with, until: args.until };
    let report = context.node.replay(options).await?;
    context.printer.data(&report, show)?;
    Ok(if report.faithful { exit::code::DONE } else { exit::code::FAILED })
}

/// The exported record of an invocation: by its id, the beginning of its id or its trace's, or `last` for the newest one recorded.
async fn fetch(client: &Client, id: &str) -> Result<Bytes, Problem> {
    let id = match id {
        "last" => {
            let search = Search { from_ms: Some(which::ago_ms("14d")?), limit: Some(1_000), ..Search::default() };
            let requests: Vec<view::Request> = client.search("/v1/invocations", &search).await?;
            let newest = requests.into_iter().find(|request| request.replayable);
            newest.map(|request| request.invocation).ok_or_else(|| {
                Problem::new(Code::E0801, "no request was recorded")
                    .note("requests that fail are recorded unless record = \"off\"")
            })?
        }
        id => id.strip_prefix("t:").unwrap_or(id).to_owned(),
    };
    client.download(&format!("/v1/invocations/{}/export?unsealed=true", escape(&id))).await
}

fn read(file: &PathBuf) -> Result<Vec<u8>, Problem> {
    fs::read(file).map_err(|error| Problem::new(Code::E0805, format!("cannot read {}: {error}", file.display())))
}

fn write(file: &PathBuf, bytes: &[u8]) -> Result<(), Problem> {
    fs::write(file, bytes).map_err(|error| Problem::new(Code::E0805, format!("cannot write {}: {error}", file.display())))
}

/// Where components are compiled for replays that no node is asked for.
fn cache_dir() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("dayfly/replay")
}

fn show(report: &ReplayReport) -> String {
    let mut lines = vec![format!("replay {}   {} of {} steps", report.invocation, report.steps_replayed, report.steps_recorded)];
    let log = |line: &types::wire::replay::ReplayedLine| {
        format!(" {:<5} {:<8} {}", line.level, line.context, escaped(&line.text)).trim_end().to_owned()
    };
    lines.extend(report.logs.iter().filter(|line| !line.text.trim().is_empty()).map(log));
    match &report.halt {
        Some(Halt::Diverged { step, recorded, replayed }) => {
            lines.push(format!("error[{}]: the replay diverged at step {step}", Code::E0803));
            lines.push(format!("  recorded  {recorded}\n  replayed  {replayed}"));
        }
        Some(Halt::EndOfRecord) => lines.push("the record ends here: the run was cut off then".into()),
        Some(Halt::Incomplete) => {
            lines.push(format!("error[{}]: {}: the same up to here", Code::E0802, Code::E0802.title()));
            lines.push("  the journal was full then, so how the run went on is not known".into());
        }
        Some(Halt::Until) => lines.push(format!("stopped before step {}, as asked", report.steps_replayed + 1)),
        None => {}
    }
    match &report.failure {
        Some(failure) => lines.extend(failure::lines(failure)),
        None => lines.extend(report.outcome.as_deref().map(print::printable_lines)),
    }
    if !report.secrets_replaced.is_empty() {
        let names: Vec<_> = report.secrets_replaced.iter().map(|name| escaped(name)).collect();
        lines.push(format!("secrets are in no record: {} stood for something else of the same length", names.join(", ")));
    }
    if !report.differences.is_empty() {
        lines.push(format!("error[{}]: the output is another", Code::E0803));
        lines.extend(report.differences.iter().map(|difference| format!("  {}", escaped(difference))));
    }
    if report.faithful && report.halt.is_none() {
        lines.push("the same, byte for byte".into());
    }
    lines.join("\n")
}
