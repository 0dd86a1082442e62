//! What the control API, version 1, takes and gives. The routes stand in `docs/reference/openapi.json`.
//!
//! Whole numbers carry their unit in the name. Errors of every route are a [`Problem`](crate::Problem) with the status of its code.

mod call;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::call::{Eval, Evaluated, Invoke, Invoked};
use crate::{
    App, AppName, Build, Digest, EnvName, Function, FunctionName, RevisionNumber,
    app::{Grant, Reach, Resource},
    route::Route,
    sql::Migration,
};

/// `GET /v1/node`: the node that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Node {
    /// Version of dayfly.
    pub version: String,
    /// Version and settings of the Wasm engine.
    pub engine: String,
    /// Where the gateway listens, as a URL.
    pub gateway_url: String,
    /// When it started: RFC 3339 in UTC.
    pub started: String,
    /// The number of the snapshot that it serves.
    pub snapshot: u64,
    /// How telemetry is doing.
    pub telemetry: TelemetryHealth,
}

/// How the telemetry store is doing, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TelemetryHealth {
    /// Records written.
    pub written: u64,
    /// Records dropped because the queue or the disk was full.
    pub dropped: u64,
    /// Blocks that could not be read and were skipped.
    pub damaged: u64,
}

/// `GET /v1/health`: answers while the node can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always true: a node that can't say so answers a problem.
    pub ok: bool,
}

/// One row of `GET /v1/limits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitRow {
    /// The limit's name, as errors print it.
    pub name: String,
    /// What holds when the manifest says nothing.
    pub value: String,
    /// The most that a manifest may set, where it may set it.
    pub max: Option<String>,
    /// The manifest key that sets it, where there is one.
    pub key: Option<String>,
}

/// An app with what it serves: a row of `GET /v1/apps`, and `GET /v1/apps/{app}/{env}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppStatus {
    /// Its name.
    #[schema(value_type = String)]
    pub app: AppName,
    /// Its environment.
    #[schema(value_type = String)]
    pub env: EnvName,
    /// Its newest revision.
    #[schema(value_type = u32)]
    pub latest: RevisionNumber,
    /// Which revisions are served, by weight; empty if none is.
    pub shares: Vec<Share>,
    /// Where it answers, best first.
    pub urls: Vec<String>,
    /// The functions of the served revision with the largest share.
    pub functions: Vec<FunctionStatus>,
}

/// One share of an app's traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// The revision that gets it.
    #[schema(value_type = u32)]
    pub revision: RevisionNumber,
    /// Its weight among all shares.
    pub weight: u32,
}

/// One function of a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunctionStatus {
    /// Its name.
    #[schema(value_type = String)]
    pub name: FunctionName,
    /// Its code.
    #[schema(value_type = String)]
    pub artifact: Digest,
    /// The requests that start it.
    #[schema(value_type = Vec<String>)]
    pub routes: Vec<Route>,
    /// The resources it may use.
    #[schema(value_type = Vec<String>)]
    pub uses: Vec<Grant>,
    /// The hosts it may call.
    #[schema(value_type = Vec<String>)]
    pub reach: Vec<Reach>,
    /// The most memory of one instance, in bytes.
    pub memory_bytes_max: u64,
    /// The most wall time of one invocation, in milliseconds.
    pub time_ms_max: u64,
    /// The most invocations at once.
    pub concurrency_max: u32,
    /// What of its journals is kept: `off`, `errors`, `all` or a percentage.
    pub record: String,
}

/// One row of `GET /v1/apps/{app}/{env}/revisions`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionStatus {
    /// Its number.
    #[schema(value_type = u32)]
    pub number: RevisionNumber,
    /// When it was deployed: RFC 3339 in UTC.
    pub created: String,
    /// Its weight in the app's traffic; 0 if it is not served.
    pub weight: u32,
    /// Each function's code.
    #[schema(value_type = BTreeMap<String, String>)]
    pub artifacts: BTreeMap<FunctionName, Digest>,
}

/// `POST /v1/artifacts`: the artifact is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Uploaded {
    /// Its name from now on.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it was not there before.
    pub new: bool,
}

/// `POST /v1/apps/{app}/{env}/plan` and `…/deploy`: what is to be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The app's model as `dayfly config --json` prints it. Its name and environment must be those of the path.
    #[schema(value_type = Object)]
    pub app: App,
    /// Each function's code.
    #[schema(value_type = BTreeMap<String, Artifact>)]
    pub artifacts: BTreeMap<FunctionName, Artifact>,
    /// The newest revision that the caller knows; absent for a new app. If there is a newer one, nothing is deployed (`E0710`).
    #[schema(value_type = Option<u32>)]
    pub after: Option<RevisionNumber>,
    /// The migrations of each database that has some, in the order of their names. What was applied before stays part of it.
    #[serde(default)]
    pub migrations: BTreeMap<String, Vec<Migration>>,
    /// The files of the site by path, relative to its folder.
    #[serde(default)]
    pub site: BTreeMap<String, Artifact>,
    /// Resources whose data is deleted once the revision is served.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub drop: Vec<Resource>,
    /// Resources that cease to be used and whose data stays nevertheless.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub keep: Vec<Resource>,
}

impl Deploy {
    /// A deployment of a model and its code, and of nothing else.
    #[must_use]
    pub fn of(app: App, artifacts: BTreeMap<FunctionName, Artifact>) -> Self {
        let (migrations, site) = (BTreeMap::new(), BTreeMap::new());
        Self { app, artifacts, after: None, migrations, site, drop: Vec::new(), keep: Vec::new() }
    }
}

/// The code of one function, or one file of the site, as its deployer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Its digest.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What a deployment would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// The app.
    #[schema(value_type = String)]
    pub app: AppName,
    /// The environment.
    #[schema(value_type = String)]
    pub env: EnvName,
    /// The served revision (with the largest share), which is what this is compared with; none if none is served.
    #[schema(value_type = Option<u32>)]
    pub base: Option<RevisionNumber>,
    /// The newest revision, to be given as `after` with the deployment; none for a new app.
    #[schema(value_type = Option<u32>)]
    pub latest: Option<RevisionNumber>,
    /// The number that the new revision would get.
    #[schema(value_type = u32)]
    pub revision: RevisionNumber,
    /// Every function of either, by name.
    pub functions: Vec<FunctionPlan>,
    /// What starts functions beside requests, where it changes.
    pub triggers: Vec<TriggerPlan>,
    /// Resources that begin or cease to be used.
    pub resources: Vec<ResourcePlan>,
    /// Migrations that would be applied.
    pub migrations: Vec<MigrationPlan>,
    /// The site that it will have, if it will have one, and what changes of it.
    pub site: Option<SitePlan>,
    /// Secrets that are used and not set: nothing is deployed until they are (`E0712`).
    pub unset: Vec<String>,
    /// What functions may do that they could not before.
    pub gained: Vec<Permission>,
    /// What functions may do no more.
    pub lost: Vec<Permission>,
    /// The host name besides `<app>.localhost`, if it changes.
    pub domain: Option<Setting>,
    /// Settings of resources, of the site and of the way in for events that change.
    pub settings: Vec<Setting>,
    /// Artifacts that must be uploaded first.
    #[schema(value_type = Vec<String>)]
    pub missing: Vec<Digest>,
    /// Whether it would be the same as the served one: then nothing is deployed, and `revision` is that one's number.
    pub unchanged: bool,
}

/// What happens to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Added,
    /// It stays, but not as it is.
    Changed,
    /// It goes.
    Removed,
    /// It stays as it is.
    Same,
}

/// What happens to one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunctionPlan {
    /// Its name.
    #[schema(value_type = String)]
    pub name: FunctionName,
    /// What happens to it.
    pub change: Change,
    /// What its code will be; none if it is removed.
    #[serde(default)]
    pub kind: Option<CodeKind>,
    /// Whether its code is another.
    pub code_changed: bool,
    /// The size of its new code in bytes; none if it is removed.
    pub bytes: Option<u64>,
    /// All routes that it will have.
    #[schema(value_type = Vec<String>)]
    pub routes: Vec<Route>,
    /// Those of them that are new.
    #[schema(value_type = Vec<String>)]
    pub routes_added: Vec<Route>,
    /// Routes that it has now and will not have.
    #[schema(value_type = Vec<String>)]
    pub routes_removed: Vec<Route>,
    /// What will start it beside requests, in a few words.
    pub on: Option<String>,
    /// Settings that change: limits, recording, effects, delivery, names of environment variables (never their values).
    pub settings: Vec<Setting>,
}

/// The kinds of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CodeKind {
    /// A Wasm component.
    Component,
    /// A JavaScript file with what it imports.
    Javascript,
    /// A TypeScript file with what it imports.
    Typescript,
}

impl CodeKind {
    /// The kind of a function's code, by how it is built and what its file is called.
    #[must_use]
    pub fn of(function: &Function) -> Self {
        let ending = function.path.rsplit_once('.').map_or("", |(_, ending)| ending);
        match function.build {
            Build::Component | Build::Cargo => Self::Component,
            Build::Script if matches!(ending, "ts" | "tsx" | "mts" | "cts") => Self::Typescript,
            Build::Script => Self::Javascript,
        }
    }
}

/// One setting that changes. Absent means not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Setting {
    /// Its name: `memory`, `time`, `concurrency`, `record`, `env.NAME`, `domain`.
    pub name: String,
    /// What it is now.
    pub before: Option<String>,
    /// What it will be.
    pub after: Option<String>,
}

/// What happens to one resource of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResourcePlan {
    /// Its name: `kv.cache`.
    #[schema(value_type = String)]
    pub resource: Resource,
    /// Added: a function begins to use it. Removed: none uses it any more.
    pub change: Change,
    /// Of one that is removed, what it holds, in a few words: it is deployed only if the data is dropped or kept by name (`E0713`).
    pub holds: Option<String>,
}

/// What happens to what starts one function beside requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TriggerPlan {
    /// The function.
    #[schema(value_type = String)]
    pub function: FunctionName,
    /// What happens.
    pub change: Change,
    /// What starts it now: `queue mail`, `cron 0 6 * * * in Europe/Berlin`.
    pub before: Option<String>,
    /// What will start it.
    pub after: Option<String>,
}

/// Migrations of one database that would be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MigrationPlan {
    /// The database's name.
    pub database: String,
    /// Their names, in order.
    pub names: Vec<String>,
}

/// The site, and what changes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct SitePlan {
    /// Files that it will have.
    pub files: u64,
    /// Bytes that they have.
    pub bytes: u64,
    /// Files that are new.
    pub added: u64,
    /// Files that are not what they were.
    pub changed: u64,
    /// Files that go.
    pub removed: u64,
}

impl SitePlan {
    /// Whether it is not what it was.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

/// Something that a function is allowed to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Permission {
    /// The function.
    #[schema(value_type = String)]
    pub function: FunctionName,
    /// What, in the words of the manifest: `kv.cache`, `kv.cache:read`, `https://api.github.com`.
    pub what: String,
    /// In which way.
    pub kind: PermissionKind,
}

/// The kinds of permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PermissionKind {
    /// To call a host: the manifest's `reach`.
    Outbound,
    /// To read a resource: the manifest's `uses`.
    Read,
    /// To write a resource: the manifest's `uses`.
    Write,
    /// To be started by it and to get what it says: the manifest's `on`.
    Start,
}

/// `POST …/deploy`: the revision is stored and served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deployed {
    /// What changed.
    pub plan: Plan,
    /// Where it answers, best first.
    pub urls: Vec<String>,
    /// What was compiled for it, by function.
    #[schema(value_type = BTreeMap<String, Prepared>)]
    pub prepared: BTreeMap<FunctionName, Prepared>,
    /// Checking and compiling, in nanoseconds.
    pub prepare_ns: u64,
    /// Storing and switching, in nanoseconds.
    pub switch_ns: u64,
    /// Migrations that were applied, by database.
    pub migrated: Vec<MigrationPlan>,
    /// Resources whose data was deleted.
    #[schema(value_type = Vec<String>)]
    pub dropped: Vec<Resource>,
}

/// What checking and compiling an artifact told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Prepared {
    /// The size of the artifact in bytes.
    pub artifact_bytes: u64,
    /// The size of the compiled code in bytes.
    pub compiled_bytes: u64,
    /// Whether it was compiled before.
    pub cached: bool,
    /// The interfaces it imports.
    pub imports: Vec<String>,
    /// What the top-level code of a script logged.
    #[serde(default)]
    pub logs: Vec<String>,
}

/// `POST …/rollback`: which revision is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rollback {
    /// Its number; absent for the one before the one that is served now.
    #[schema(value_type = Option<u32>)]
    pub to: Option<RevisionNumber>,
}

/// The traffic was switched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolledBack {
    /// What was served before.
    pub before: Vec<Share>,
    /// What is served now.
    #[schema(value_type = u32)]
    pub revision: RevisionNumber,
    /// Resources whose data stays as it is: a rollback moves code and settings only.
    #[schema(value_type = Vec<String>)]
    pub data_kept: Vec<Resource>,
    /// Where it answers, best first.
    pub urls: Vec<String>,
}
