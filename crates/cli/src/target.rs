//! Which node a command speaks to: the one that serves this folder, or one that `--to` names.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use types::{Code, Problem};

use crate::node::TOKEN_FILE;

/// Where a node's control API is, and the token for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) token: String,
    /// Whether it is the node of this folder, where the usual environment is `dev`.
    pub(crate) local: bool,
}

/// The folder beside a manifest in which `up` keeps everything.
pub(crate) const DATA_DIR: &str = ".dayfly";
/// The file in the data folder that says where the running node's control API is.
pub const CONTROL_URL_FILE: &str = "control-url";

#[derive(Debug, Serialize, Deserialize)]
struct Named {
    url: String,
    token: String,
}

impl Target {
    /// The target that `--to` names, or the node of this folder or one above it.
    ///
    /// # Errors
    /// `E0705` if there is none, `E0702` if there is no token for it.
    pub(crate) fn find(to: Option<&str>) -> Result<Self, Problem> {
        let token = std::env::var("DAYFLY_TOKEN").ok();
        match to {
            None => {
                let here =
                    std::env::current_dir().map_err(|error| Problem::new(Code::E0705, format!("no current folder: {error}")))?;
                Self::of_folder(&here)
            }
            Some(url) if url.contains("://") => {
                let token = token.or_else(|| named().into_values().find(|named| named.url == url).map(|named| named.token));
                let token = token.ok_or_else(|| {
                    Problem::new(Code::E0702, format!("there is no token for {url}")).help("DAYFLY_TOKEN=… dayfly … --to URL")
                })?;
                Ok(Self { url: url.trim_end_matches('/').to_owned(), token, local: false })
            }
            Some(name) => {
                let found = named().remove(name).ok_or_else(|| {
                    let file = targets_file().unwrap_or_default();
                    Problem::new(Code::E0705, format!("there is no target {name:?} in {}", file.display()))
                        .help(format!("[{name}]\nurl = \"http://…\"\ntoken = \"…\""))
                })?;
                Ok(Self { url: found.url, token: token.unwrap_or(found.token), local: false })
            }
        }
    }

    /// The node that runs in this folder or one above it.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, Problem> {
        let data = folder.ancestors().map(|folder| folder.join(DATA_DIR)).find(|data| data.join(CONTROL_URL_FILE).is_file());
        let data = data.ok_or_else(|| {
            Problem::new(Code::E0705, "no node runs for this folder").help("dayfly up, or name a target with --to")
        })?;
        // A folder above this one may be anybody's; what it names would be given this person's code and believed.
        let unreadable = |error| Problem::new(Code::E0705, format!("cannot read {}: {error}", data.display()));
        let owner = fs::metadata(&data).map_err(unreadable)?.uid();
        if owner != rustix::process::geteuid().as_raw() {
            let problem = Problem::new(Code::E0705, format!("{} belongs to another user", data.display()));
            return Err(problem.help("name a target with --to"));
        }
        let read = |name: &str| fs::read_to_string(data.join(name)).map(|text| text.trim().to_owned());
        let (url, token) = (read(CONTROL_URL_FILE).map_err(unreadable)?, read(TOKEN_FILE).map_err(unreadable)?);
        Ok(Self { url, token, local: true })
    }

    /// The environment that a command means when it names none.
    pub(crate) fn usual_env(&self) -> &'static str {
        if self.local { "dev" } else { "prod" }
    }
}

fn targets_file() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    Some(base?.join("dayfly/targets.toml"))
}

fn named() -> BTreeMap<String, Named> {
    let text = targets_file().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    toml::from_str(&text).unwrap_or_default()
}
