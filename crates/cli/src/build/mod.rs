//! From a function's path to its artifact.

mod cargo;
mod guest_toolchain;
mod script;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use types::{App, Build, ByteCount, Code, Digest, Function, FunctionName, Problem, limits};

use crate::{progress::Progress, render::text, stopwatch::Stopwatch};

pub(crate) use self::{
    guest_toolchain::GuestToolchain,
    script::{Scripts, alone, is_script},
};

/// A function's code, ready to be uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) artifact: Bytes,
    pub(crate) digest: Digest,
    /// `typescript`, `rust → component`, or `component` where there was nothing to do.
    pub(crate) how: &'static str,
    pub(crate) took: Duration,
    /// Of a script: the files that it was made from, wherever they lie.
    pub(crate) files: BTreeSet<PathBuf>,
}

/// How a Cargo package is built, as people read it.
pub(crate) const RUST: &str = "rust → component";
/// The size of [`Built::how`] in columns, for what is printed below one another.
const HOW: usize = 10;

impl Built {
    /// `typescript 4.1 KB`, as people read it.
    pub(crate) fn summary(&self) -> String {
        format!("{:<HOW$} {}", self.how, text::size(self.artifact.len() as u64))
    }
}

/// Builds every function of the app whose manifest lies in `folder`.
///
/// # Errors
/// One problem for each function that can't be built.
pub(crate) async fn all(
    folder: &Path,
    app: &App,
    scripts: &Scripts,
    mut done: impl FnMut(&FunctionName, &Built),
) -> Result<BTreeMap<FunctionName, Built>, Vec<Problem>> {
    let (mut built, mut problems) = (BTreeMap::new(), Vec::new());
    // One after the other: cargo uses all cores by itself.
    for (name, function) in &app.functions {
        let progress = Progress::start(&format!("building {name}"));
        let outcome = one(folder, app, function, scripts).await;
        drop(progress);
        match outcome {
            Ok(artifact) => {
                done(name, &artifact);
                built.insert(name.clone(), artifact);
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(built) } else { Err(problems) }
}

async fn one(folder: &Path, app: &App, function: &Function, scripts: &Scripts) -> Result<Built, Vec<Problem>> {
    let began = Stopwatch::start();
    let path = folder.join(&function.path);
    let (artifact, how, files) = match function.build {
        Build::Component => (read(&path, &function.name).await?, "component", BTreeSet::new()),
        Build::Cargo => {
            let file = cargo::build(&path, &function.name).await.map_err(|problem| vec![problem])?;
            (read(&file, &function.name).await?, RUST, BTreeSet::new())
        }
        Build::Script => scripts.build(folder, &path, app, function).await?,
    };
    let digest = Digest::from_bytes(*blake3::hash(&artifact).as_bytes());
    Ok(Built { artifact, digest, how, took: began.elapsed(), files })
}

/// The code's file, unless it is larger than a component may be.
async fn read(file: &Path, function: &FunctionName) -> Result<Bytes, Vec<Problem>> {
    let missing =
        |error| vec![Problem::new(Code::E0301, format!("the code of {function} can't be read: {}: {error}", file.display()))];
    let bytes = ByteCount(tokio::fs::metadata(file).await.map_err(missing)?.len());
    if bytes > limits::COMPONENT {
        return Err(vec![Problem::limit(Code::E0306, &file.display().to_string(), bytes, limits::COMPONENT)]);
    }
    tokio::fs::read(file).await.map(Bytes::from).map_err(missing)
}
