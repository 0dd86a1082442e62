//! An app's folder: its manifest, its code, and the way of both to a node.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use manifest::Loaded;
use types::{
    Code, EnvName, FunctionName, Problem,
    wire::api::{Artifact, Deploy, Deployed, Plan, Uploaded},
};

use crate::{
    build::{self, Built},
    client::Client,
    exit::Result,
};

/// An app that was loaded and built.
pub(crate) struct Project {
    pub(crate) loaded: Loaded,
    pub(crate) built: BTreeMap<FunctionName, Built>,
}

/// A name of an environment from the command line.
///
/// # Errors
/// `E0111` if it is not a name.
pub(crate) fn env(name: &str) -> Result<EnvName, Problem> {
    name.parse().map_err(|error: types::id::InvalidId| Problem::new(Code::E0111, error.to_string()))
}

/// Loads the manifest of a folder or file.
pub(crate) fn load(dir: &Path, env: &EnvName) -> Result<Loaded> {
    Ok(manifest::load(dir, env)?)
}

/// The folder that a manifest's paths are relative to.
pub(crate) fn folder(dir: &Path) -> PathBuf {
    if dir.is_dir() { dir.to_owned() } else { dir.parent().map(Path::to_owned).unwrap_or_default() }
}

impl Project {
    /// Loads the manifest and builds every function; `done` hears of each as it is built.
    pub(crate) async fn build(dir: &Path, env: &EnvName, done: impl FnMut(&FunctionName, &Built)) -> Result<Self> {
        let loaded = load(dir, env)?;
        let built = build::all(&folder(dir), &loaded.app, done).await?;
        Ok(Self { loaded, built })
    }

    fn path(&self, verb: &str) -> String {
        let app = &self.loaded.app;
        format!("/v1/apps/{}/{}/{verb}", app.name, app.env)
    }

    /// Uploads the code that the node lacks. A node keeps artifacts by their digest, so what is there already costs one small request.
    pub(crate) async fn upload(&self, client: &Client) -> Result<Artifacts, Problem> {
        let began = build::now();
        let mut artifacts = BTreeMap::new();
        for (name, built) in &self.built {
            let uploaded: Uploaded = client.upload("/v1/artifacts", built.artifact.clone()).await?;
            artifacts.insert(name.clone(), Artifact { digest: uploaded.digest, bytes: uploaded.bytes });
        }
        Ok(Artifacts { artifacts, took: began.elapsed() })
    }

    /// What deploying would change.
    pub(crate) async fn plan(&self, client: &Client, artifacts: &Artifacts) -> Result<Plan, Problem> {
        client.post(&self.path("plan"), &self.request(artifacts, None)).await
    }

    /// Deploys what the plan showed, and nothing else: if another revision came in between, the node refuses.
    pub(crate) async fn deploy(&self, client: &Client, artifacts: &Artifacts, plan: &Plan) -> Result<(Deployed, Duration), Problem> {
        let began: Instant = build::now();
        let deployed = client.post(&self.path("deploy"), &self.request(artifacts, Some(plan))).await?;
        Ok((deployed, began.elapsed()))
    }

    fn request(&self, artifacts: &Artifacts, plan: Option<&Plan>) -> Deploy {
        Deploy {
            app: self.loaded.app.clone(),
            artifacts: artifacts.artifacts.clone(),
            after: plan.and_then(|plan| plan.latest),
        }
    }
}

/// Uploaded code.
pub(crate) struct Artifacts {
    artifacts: BTreeMap<FunctionName, Artifact>,
    pub(crate) took: Duration,
}
