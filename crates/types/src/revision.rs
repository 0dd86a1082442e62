//! Immutable deployments of a whole app.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    id::{AppName, Digest, EnvName, FunctionName},
    sql::Migration,
    time::Timestamp,
};

/// The number of a revision: 1, 2, 3 … within one app and environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RevisionNumber(pub u32);

impl std::fmt::Display for RevisionNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One deployment: the app's model and the digest of each function's artifact. Never changed once stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its number.
    pub number: RevisionNumber,
    /// The validated model.
    pub app: App,
    /// Each function's artifact.
    pub artifacts: BTreeMap<FunctionName, Digest>,
    /// What else belongs to it.
    pub parts: Parts,
    /// When it was deployed.
    pub created: Timestamp,
}

/// What a revision has beside the model and the code. None of it was there in the first versions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Parts {
    /// The blob with the site's index: a [`Site`](crate::site::Site) as JSON.
    pub site: Option<Digest>,
    /// The migrations of each database by its name, in the order in which they are applied.
    pub migrations: BTreeMap<String, Vec<Migration>>,
}

/// The identity of a deployed app: its name and environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppKey {
    /// The app's name.
    pub app: AppName,
    /// The environment.
    pub env: EnvName,
}

impl std::fmt::Display for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}/{}", self.app, self.env))
    }
}

/// One share of an app's traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The revision that gets it.
    pub revision: RevisionNumber,
    /// Its weight among all shares; not zero.
    pub weight: u32,
}
