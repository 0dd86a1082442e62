//! An app's folder: its manifest, its code, and the way of both to a node.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use manifest::Loaded;
use types::{
    Code, EnvName, FunctionName, Problem, Resource,
    id::InvalidId,
    sql::Migration,
    wire::api::{Artifact, Deploy, Deployed, Plan, Uploaded},
};

use crate::{
    build::{self, Built, Scripts},
    client::Client,
    exit::Result,
    migrations,
    progress::Progress,
    site::SiteFiles,
    stopwatch::Stopwatch,
    target::Target,
};

/// An app that was loaded and built.
pub(crate) struct Project {
    pub(crate) loaded: Loaded,
    pub(crate) built: BTreeMap<FunctionName, Built>,
    migrations: BTreeMap<String, Vec<Migration>>,
    site: SiteFiles,
    /// Resources whose data is to go, by name.
    pub(crate) drop: Vec<Resource>,
    /// Resources that are named no more and whose data is to stay.
    pub(crate) keep: Vec<Resource>,
}

/// A name of any kind from the command line.
///
/// # Errors
/// `E0111` if it is not a name.
pub(crate) fn name<T: FromStr<Err = InvalidId>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: InvalidId| Problem::new(Code::E0111, error.to_string()))
}

/// The environment that a command names, or the usual one of its target.
///
/// # Errors
/// `E0111` if it is not a name.
pub(crate) fn env(named: Option<&str>, target: &Target) -> Result<EnvName, Problem> {
    name(named.unwrap_or_else(|| target.usual_env()))
}

/// Loads the manifest of a folder or file.
pub(crate) fn load(dir: &Path, env: &EnvName) -> Result<Loaded> {
    Ok(manifest::load(dir, env)?)
}

/// The folder that a manifest's paths are relative to, as people write it: relative to here if it lies below.
pub(crate) fn folder(dir: &Path) -> PathBuf {
    let folder = if dir.is_dir() { dir } else { dir.parent().unwrap_or(dir) };
    let here = std::env::current_dir().unwrap_or_default();
    let below = folder.strip_prefix(here).unwrap_or(folder);
    below.strip_prefix(".").unwrap_or(below).to_owned()
}

impl Project {
    /// Loads the manifest and builds every function; `done` hears of each as it is built.
    pub(crate) async fn build(
        dir: &Path,
        env: &EnvName,
        scripts: &Scripts,
        done: impl FnMut(&FunctionName, &Built),
    ) -> Result<Self> {
        let loaded = load(dir, env)?;
        let folder = folder(dir);
        // What takes no time comes first: a folder that can't be read is told before anything is built.
        let migrations = migrations::of(&folder, &loaded.app)?;
        let built = build::all(&folder, &loaded.app, scripts, done).await?;
        // After the build, which may be what makes the site.
        let site = SiteFiles::of(&folder, &loaded.app).await?;
        Ok(Self { loaded, built, migrations, site, drop: Vec::new(), keep: Vec::new() })
    }

    /// What deploying would change, and which code the node lacks.
    ///
    /// # Errors
    /// The problem that the node answers.
    pub(crate) async fn plan(&self, client: &Client) -> Result<Plan, Problem> {
        client.post(&self.path("plan"), &self.request(None)).await
    }

    /// Uploads the code and the site's files that the plan found missing: each artifact once, however many functions share it.
    pub(crate) async fn upload(&self, client: &Client, plan: &Plan) -> Result<Duration, Problem> {
        let began = Stopwatch::start();
        for missing in &plan.missing {
            let built = self.built.values().find(|built| built.digest == *missing).map(|built| built.artifact.clone());
            let bytes = match built {
                Some(artifact) => Some(artifact),
                None => self.site.read(missing)?,
            };
            let bytes =
                bytes.ok_or_else(|| Problem::new(Code::E0301, format!("the node lacks {missing}, which is not of this app")))?;
            let _: Uploaded = client.upload("/v1/artifacts", bytes).await?;
        }
        Ok(began.elapsed())
    }

    /// Deploys what the plan showed, and nothing else: if another revision came in between, the node refuses.
    pub(crate) async fn deploy(&self, client: &Client, plan: &Plan) -> Result<(Deployed, Duration), Problem> {
        let began = Stopwatch::start();
        let _progress = Progress::start("verifying and compiling");
        let deployed = client.post(&self.path("deploy"), &self.request(Some(plan))).await?;
        Ok((deployed, began.elapsed()))
    }

    fn path(&self, verb: &str) -> String {
        let app = &self.loaded.app;
        format!("/v1/apps/{}/{}/{verb}", app.name, app.env)
    }

    fn request(&self, plan: Option<&Plan>) -> Deploy {
        let artifact = |built: &Built| Artifact { digest: built.digest, bytes: built.artifact.len() as u64 };
        Deploy {
            app: self.loaded.app.clone(),
            artifacts: self.built.iter().map(|(name, built)| (name.clone(), artifact(built))).collect(),
            after: plan.and_then(|plan| plan.latest),
            migrations: self.migrations.clone(),
            site: self.site.artifacts(),
            drop: self.drop.clone(),
            keep: self.keep.clone(),
        }
    }
}
