//! Replays an exported invocation in this process: the code is compiled or found in the cache, and everything else comes from the file.

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use cli::node::ReplayOptions;
use invoke::{Halt, Replay, Report, export};
use ports::runtime::ArtifactSource;
use types::{
    Digest, InvocationId, Outcome, Problem,
    journal::LogLine,
    wire::{
        Export,
        replay::{self, ReplayReport, ReplayedLine},
    },
};

use crate::registry;

/// Replays the invocation.
///
/// # Errors
/// `E0805` if the file is not an export, `E0804` if its component is not the recorded one, `E03` for a component that can't be run.
pub(crate) async fn run(options: ReplayOptions, compiler: &Path) -> Result<ReplayReport, Problem> {
    let ReplayOptions { cache_dir, export, with, until } = options;
    let Export { journal, digest, component } = export::decode(&export)?;
    let (artifact, digest) = match with {
        None => (Bytes::from(component), digest),
        Some(other) => {
            let other = export::in_place_of(&component, other);
            let digest = Digest::from_bytes(*blake3::hash(&other).as_bytes());
            (other, digest)
        }
    };
    let runtime = registry::runtime(&cache_dir, compiler, registry::rng())?;
    runtime.prepare(&digest, &artifact).await?;
    let (code, _) = runtime.load(&digest, &Given(artifact)).await?;
    let id = journal.invoke.id;
    let until = until.map(|index| index as usize);
    let report = invoke::replay(Replay { journal, code, until }, &*registry::clock()).await?;
    Ok(describe(id, digest, report))
}

/// An artifact at hand.
struct Given(Bytes);

#[async_trait]
impl ArtifactSource for Given {
    async fn artifact(&self, _: &Digest) -> Result<Bytes, Problem> {
        Ok(self.0.clone())
    }
}

fn describe(invocation: InvocationId, artifact: Digest, report: Report) -> ReplayReport {
    let faithful = report.is_faithful();
    let Report { steps_recorded, steps_replayed, halt, differences, outcome, logs, response, fakes } = report;
    let line = |LogLine { at: _, level, context, text }| ReplayedLine { level: level.as_str().to_owned(), context, text };
    ReplayReport {
        invocation,
        artifact,
        faithful,
        steps_recorded: steps_recorded as u64,
        steps_replayed: steps_replayed as u64,
        halt: halt.map(|halt| match halt {
            Halt::Diverged { at, expected, got } => replay::Halt::Diverged { step: at as u64, recorded: expected, replayed: got },
            Halt::EndOfRecord => replay::Halt::EndOfRecord,
            Halt::Incomplete => replay::Halt::Incomplete,
            Halt::Until => replay::Halt::Until,
        }),
        differences,
        failure: outcome.as_ref().and_then(observe::failure),
        outcome: outcome.map(|outcome| match outcome {
            Outcome::Answered { status } => format!("answered {status}"),
            Outcome::Failed { code, message, .. } => format!("{code} {message}"),
        }),
        status: response.map(|(status, ..)| status),
        logs: logs.into_iter().map(line).collect(),
        secrets_replaced: fakes,
    }
}
