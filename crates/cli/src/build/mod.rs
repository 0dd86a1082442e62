//! From a function's path to its artifact.

mod cargo;
mod guest_toolchain;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use types::{App, Build, ByteCount, Code, Digest, Function, FunctionName, Problem, limits};

use crate::{progress::Progress, stopwatch::Stopwatch};

pub(crate) use guest_toolchain::GuestToolchain;

/// A function's code, ready to be uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) artifact: Bytes,
    pub(crate) digest: Digest,
    /// `rust → component`, or `component` where there was nothing to do.
    pub(crate) how: &'static str,
    pub(crate) took: Duration,
}

/// Builds every function of the app whose manifest lies in `folder`.
///
/// # Errors
/// One problem for each function that can't be built.
pub(crate) async fn all(
    folder: &Path,
    app: &App,
    mut done: impl FnMut(&FunctionName, &Built),
) -> Result<BTreeMap<FunctionName, Built>, Vec<Problem>> {
    let (mut built, mut problems) = (BTreeMap::new(), Vec::new());
    // One after the other: cargo uses all cores by itself.
    for (name, function) in &app.functions {
        let progress = Progress::start(&format!("building {name}"));
        let outcome = one(folder, function).await;
        drop(progress);
        match outcome {
            Ok(artifact) => {
                done(name, &artifact);
                built.insert(name.clone(), artifact);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(built) } else { Err(problems) }
}

async fn one(folder: &Path, function: &Function) -> Result<Built, Problem> {
    let began = Stopwatch::start();
    let path = folder.join(&function.path);
    let (file, how) = match function.build {
        Build::Component => (path, "component"),
        Build::Cargo => (cargo::build(&path, &function.name).await?, "rust → component"),
        Build::Script => return Err(Problem::new(Code::E0309, format!("{} is a script: no manifest is read as one yet", function.name))),
    };
    let artifact = read(&file, &function.name).await?;
    let digest = Digest::from_bytes(*blake3::hash(&artifact).as_bytes());
    Ok(Built { artifact, digest, how, took: began.elapsed() })
}

/// The code's file, unless it is larger than a component may be.
async fn read(file: &PathBuf, function: &FunctionName) -> Result<Bytes, Problem> {
    let missing = |error| Problem::new(Code::E0301, format!("the code of {function} can't be read: {}: {error}", file.display()));
    let bytes = ByteCount(tokio::fs::metadata(file).await.map_err(missing)?.len());
    if bytes > limits::COMPONENT {
        return Err(Problem::limit(Code::E0306, &file.display().to_string(), bytes, limits::COMPONENT));
    }
    tokio::fs::read(file).await.map(Bytes::from).map_err(missing)
}
