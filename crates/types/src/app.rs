//! The validated model of one app in one environment: what `manifest` makes from `dayfly.toml` and everything else works with.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    id::{AppName, EnvName, FunctionName},
    limits,
    route::Route,
    settings::{EventsSettings, Resources, SiteSettings},
    trigger::{Effects, On, Webhook},
    units::ByteCount,
};

/// An app as one environment sees it: merged, validated, with no reference to the file it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its name.
    pub name: AppName,
    /// The environment whose values were merged in.
    pub env: EnvName,
    /// The date that freezes the platform's behaviour for this app (`since`), as `YYYY-MM-DD`.
    pub since: Option<String>,
    /// Host name under which the gateway serves it, beside `<app>.localhost`.
    pub domain: Option<String>,
    /// Its functions by name.
    pub functions: BTreeMap<FunctionName, Function>,
    /// What it sets of its resources.
    #[serde(default)]
    pub resources: Resources,
    /// Its static site.
    #[serde(default)]
    pub site: Option<SiteSettings>,
    /// Its way in for CloudEvents over HTTP.
    #[serde(default)]
    pub events: Option<EventsSettings>,
}

impl App {
    /// An app with nothing but its name: what readers fill in.
    #[must_use]
    pub fn empty(name: AppName, env: EnvName) -> Self {
        let (functions, resources) = (BTreeMap::new(), Resources::default());
        Self { name, env, since: None, domain: None, functions, resources, site: None, events: None }
    }
}

/// One piece of code with its triggers, grants and limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: FunctionName,
    /// Where its code lies, relative to the manifest: a folder to build or a ready `.wasm`.
    pub path: String,
    /// How the code becomes an artifact.
    pub build: Build,
    /// The requests that start it.
    pub routes: Vec<Route>,
    /// What starts it beside requests.
    #[serde(default)]
    pub on: Option<On>,
    /// Whether the effects of what starts it through `on` happen at once or with its success; of a function without `on`, those of
    /// its requests.
    #[serde(default)]
    pub effects: Effects,
    /// Whether the effects of its requests are atomic. A function with `on` and routes has immediate ones unless the manifest sets both.
    #[serde(default)]
    pub request_effects: Effects,
    /// How requests to its routes are checked to come from whom they say.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// The resources it may use, and how.
    pub uses: Vec<Grant>,
    /// The hosts it may call.
    pub reach: Vec<Reach>,
    /// Its environment variables; also what `wasi:config/store` answers.
    pub env: BTreeMap<String, String>,
    /// Its bounds.
    pub limits: Limits,
    /// What of its journals is kept.
    pub record: RecordMode,
}

impl Function {
    /// A function of this code with nothing granted and nothing that starts it: what readers fill in.
    #[must_use]
    pub fn empty(name: FunctionName, path: String, build: Build) -> Self {
        Self {
            name,
            path,
            build,
            routes: Vec::new(),
            on: None,
            effects: Effects::default(),
            request_effects: Effects::default(),
            webhook: None,
            uses: Vec::new(),
            reach: Vec::new(),
            env: BTreeMap::new(),
            limits: Limits::default(),
            record: RecordMode::default(),
        }
    }
}

impl Function {
    /// Whether the effects of one invocation happen at once or with its success: one for events, or one for a request.
    #[must_use]
    pub fn effects_of(&self, is_event: bool) -> Effects {
        if !is_event && self.on.is_some() { self.request_effects } else { self.effects }
    }
}

/// How a function's code becomes an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Build {
    /// The path is a component already.
    Component,
    /// The path is a Cargo package to build for `wasm32-wasip2`.
    Cargo,
    /// The path is a JavaScript or TypeScript file.
    Script,
}

/// The kinds of resource that a function can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// A key-value store.
    Kv,
    /// An SQL database.
    Sql,
    /// A bucket of objects.
    Bucket,
    /// A queue.
    Queue,
    /// A stream.
    Stream,
    /// A secret; only ever read.
    Secret,
    /// A bus of events; only ever published to.
    Event,
}

impl ResourceKind {
    /// Every kind, in the order in which messages list them.
    pub const ALL: [Self; 7] = [Self::Kv, Self::Sql, Self::Bucket, Self::Queue, Self::Stream, Self::Secret, Self::Event];
    /// The word before the dot.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kv => "kv",
            Self::Sql => "sql",
            Self::Bucket => "bucket",
            Self::Queue => "queue",
            Self::Stream => "stream",
            Self::Secret => "secret",
            Self::Event => "event",
        }
    }
    /// Whether a grant of it can be narrowed by `:read`: the others are only ever sent to, or only ever read.
    #[must_use]
    pub fn narrows(self) -> bool {
        matches!(self, Self::Kv | Self::Sql | Self::Bucket | Self::Stream)
    }
}

/// A resource: a kind and a name, printed as `kv.sessions`. It exists because a function uses it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its name within the app and environment.
    pub name: String,
}

/// What a grant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Reading only (`kv.x:read`).
    Read,
    /// Reading and writing (`kv.x`).
    ReadWrite,
}

/// What a function may do with one resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grant {
    /// The resource.
    pub resource: Resource,
    /// What is allowed.
    pub access: Access,
}

/// Why a text is not a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGrant {
    /// Not `kind.name`.
    #[error("{0:?} is not a resource: write kind.name, such as kv.sessions")]
    Shape(String),
    /// The kind is not one that exists.
    #[error("{kind:?} in {text:?} is not a kind of resource")]
    Kind {
        /// The whole text.
        text: String,
        /// What stands where a kind should.
        kind: String,
    },
    /// What follows the colon is not `read`.
    #[error("{0:?} is not an access: only :read narrows a grant")]
    Access(String),
}

impl FromStr for Resource {
    type Err = InvalidGrant;
    fn from_str(text: &str) -> Result<Self, InvalidGrant> {
        let (kind, name) = text.split_once('.').ok_or_else(|| InvalidGrant::Shape(text.into()))?;
        let kind = ResourceKind::ALL.into_iter().find(|k| k.as_str() == kind);
        let kind = kind
            .ok_or_else(|| InvalidGrant::Kind { text: text.into(), kind: text.split('.').next().unwrap_or_default().into() })?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if name.is_empty() || name.len() > 63 || !name.bytes().all(fits) {
            return Err(InvalidGrant::Shape(text.into()));
        }
        Ok(Self { kind, name: name.into() })
    }
}
impl FromStr for Grant {
    type Err = InvalidGrant;
    fn from_str(text: &str) -> Result<Self, InvalidGrant> {
        let (resource, access) = match text.split_once(':') {
            None => (text, Access::ReadWrite),
            Some((resource, "read")) => (resource, Access::Read),
            Some((_, other)) => return Err(InvalidGrant::Access(other.into())),
        };
        Ok(Self { resource: resource.parse()?, access })
    }
}
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.kind.as_str(), self.name))
    }
}
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let narrowed = if self.access == Access::Read { ":read" } else { "" };
        f.pad(&format!("{}{narrowed}", self.resource))
    }
}

/// A place that a function may call: scheme, host (`*.` before it covers subdomains) and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reach {
    /// `http` or `https`.
    pub scheme: String,
    /// A host name or address in lower case; a leading `*.` stands for one or more labels.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the text named the port: only then may a private address be reached.
    pub port_named: bool,
}

/// A text that should have been a place to reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a place to reach: write a scheme and a host, such as https://api.example.com or http://10.0.0.5:8080")]
pub struct InvalidReach(pub String);

impl FromStr for Reach {
    type Err = InvalidReach;
    fn from_str(text: &str) -> Result<Self, InvalidReach> {
        let invalid = || InvalidReach(text.into());
        let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(invalid()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match authority.rfind(':') {
            Some(at) if !authority.ends_with(']') => {
                (&authority[..at], Some(authority[at + 1..].parse::<u16>().map_err(|_| invalid())?))
            }
            _ => (authority, None),
        };
        let name = host.strip_prefix("*.").unwrap_or(host);
        let literal =
            name.starts_with('[') && name.ends_with(']') && name[1..name.len() - 1].parse::<std::net::Ipv6Addr>().is_ok();
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.' || b == b'_';
        if name.is_empty() || (!literal && !name.bytes().all(fits)) || port == Some(0) {
            return Err(invalid());
        }
        Ok(Self {
            scheme: scheme.into(),
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(default_port),
            port_named: port.is_some(),
        })
    }
}
impl Reach {
    /// Whether a call to this place is covered. `host` is compared without regard to case.
    #[must_use]
    pub fn covers(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        let named = match self.host.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => host == self.host,
        };
        named && self.scheme == scheme && self.port == port
    }
}
impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port_named { write!(f, ":{}", self.port) } else { Ok(()) }
    }
}

macro_rules! via_string {
    ($($type:ident, $error:ident);*) => {$(
        impl TryFrom<String> for $type {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> { text.parse() }
        }
        impl From<$type> for String {
            fn from(value: $type) -> Self { value.to_string() }
        }
    )*};
}
via_string!(Resource, InvalidGrant; Grant, InvalidGrant; Reach, InvalidReach; RecordMode, InvalidRecordMode);

/// The bounds of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Linear memory of one instance.
    pub memory: ByteCount,
    /// Wall time of one invocation.
    pub time: Duration,
    /// Invocations at once.
    pub concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: limits::MEMORY_DEFAULT, time: limits::TIME_DEFAULT, concurrency: limits::CONCURRENCY_DEFAULT }
    }
}

/// What of a function's journals is kept. The summary of every invocation is kept whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RecordMode {
    /// Nothing.
    Off,
    /// Journals of invocations that trap, run out of time or answer 5xx.
    #[default]
    Errors,
    /// Failures, and this many of 10,000 of all others.
    Sample(u16),
    /// Everything.
    All,
}

/// A text that should have been a record mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a record mode: use \"off\", \"errors\", \"all\" or a percentage such as \"1%\"")]
pub struct InvalidRecordMode(pub String);

impl FromStr for RecordMode {
    type Err = InvalidRecordMode;
    fn from_str(text: &str) -> Result<Self, InvalidRecordMode> {
        let invalid = || InvalidRecordMode(text.into());
        match text {
            "off" => Ok(Self::Off),
            "errors" => Ok(Self::Errors),
            "all" => Ok(Self::All),
            _ => {
                let percent: f64 = text.strip_suffix('%').and_then(|p| p.trim().parse().ok()).ok_or_else(invalid)?;
                if !(0.01..=100.0).contains(&percent) {
                    return Err(invalid());
                }
                Ok(Self::Sample((percent * 100.0).round() as u16))
            }
        }
    }
}
impl fmt::Display for RecordMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Errors => f.write_str("errors"),
            Self::All => f.write_str("all"),
            Self::Sample(hundredths) => write!(f, "{}%", f64::from(*hundredths) / 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_print_as_they_were_read() {
        for text in ["kv.sessions", "kv.a_b-C:read"] {
            assert_eq!(text.parse::<Grant>().expect(text).to_string(), text);
        }
        for bad in ["kv", "kv.", "kv.a b", "table.x", "kv.x:write", "kv.x:"] {
            assert!(bad.parse::<Grant>().is_err(), "{bad}");
        }
    }

    #[test]
    fn reach_covers_what_it_names_and_no_more() {
        let reach = |text: &str| text.parse::<Reach>().expect(text);
        assert!(reach("https://api.example.com").covers("https", "API.example.com", 443));
        assert!(!reach("https://api.example.com").covers("http", "api.example.com", 443));
        assert!(!reach("https://api.example.com").covers("https", "api.example.com", 8443));
        assert!(reach("https://*.example.com").covers("https", "a.b.example.com", 443));
        assert!(!reach("https://*.example.com").covers("https", "example.com", 443));
        assert!(!reach("https://*.example.com").covers("https", "badexample.com", 443));
        assert!(reach("http://[::1]:8080").covers("http", "[::1]", 8080));
        for bad in ["api.example.com", "ftp://x", "http://", "http://a b", "http://x:0", "http://u@h", "http://x/path"] {
            assert!(bad.parse::<Reach>().is_err(), "{bad}");
        }
    }

    #[test]
    fn record_modes_print_as_they_were_read() {
        for text in ["off", "errors", "all", "1%", "0.5%"] {
            assert_eq!(text.parse::<RecordMode>().expect(text).to_string(), text);
        }
        assert!("0%".parse::<RecordMode>().is_err() && "some".parse::<RecordMode>().is_err());
    }
}
