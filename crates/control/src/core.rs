//! What control is made of, and its state: the catalog as it was stored, and the snapshot that it serves.

use std::sync::Arc;

use observe::Observer;
use ports::{Blob, Catalog, Clock, Invoker, Journals, Plane, Rng, Runtime, Telemetry};
use tokio::sync::{RwLock, Semaphore, watch};
use types::{Code, PriceSheet, Problem, Timestamp, revision::AppKey};

use crate::{data::Data, hosts::Hosts, prune::Asked, snapshot::Publisher, token::Token};

/// Everything that control needs. No `Default`: forget a field and it does not compile.
pub struct Parts {
    /// What is deployed.
    pub catalog: Arc<dyn Catalog>,
    /// Where artifacts are kept.
    pub blob: Arc<dyn Blob>,
    /// What checks and compiles artifacts.
    pub runtime: Arc<dyn Runtime>,
    /// What was recorded.
    pub telemetry: Arc<dyn Telemetry>,
    /// Opens kept journals.
    pub journals: Arc<dyn Journals>,
    /// Runs functions, for `invoke`.
    pub invoker: Arc<dyn Invoker>,
    /// What apps keep.
    pub data: Data,
    /// What is told of every change.
    pub planes: Vec<Arc<dyn Plane>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// What usage costs.
    pub prices: PriceSheet,
    /// Under which names apps answer.
    pub hosts: Hosts,
    /// The app that answers to hosts which no app names.
    pub default_app: Option<AppKey>,
    /// The token that every request must bear.
    pub token: Token,
    /// Version of dayfly.
    pub version: &'static str,
}

/// The control plane of one node.
pub struct Control {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) blob: Arc<dyn Blob>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) telemetry: Arc<dyn Telemetry>,
    pub(crate) journals: Arc<dyn Journals>,
    pub(crate) invoker: Arc<dyn Invoker>,
    pub(crate) data: Data,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) observer: Observer,
    pub(crate) gateway: std::net::SocketAddr,
    pub(crate) token: Token,
    pub(crate) version: &'static str,
    pub(crate) started: Timestamp,
    pub(crate) publisher: Publisher,
    /// Held from storing a revision until it is served, so that the last to be stored is the one that is served.
    pub(crate) switch: tokio::sync::Mutex<()>,
    /// Held shared by whoever deploys, and alone by what removes what nobody needs.
    pub(crate) deploying: RwLock<()>,
    /// What clients count on though no revision names it.
    pub(crate) asked: Asked,
    /// Components in memory for upload or compilation.
    pub(crate) components: Semaphore,
    /// Clients that follow.
    pub(crate) followers: Arc<Semaphore>,
    /// True once the node drains: streams that would go on end.
    pub(crate) draining: watch::Sender<bool>,
}

/// The most components in memory at once for upload or compilation: each may have 64 MiB.
const COMPONENTS: usize = 4;
/// The most clients that follow at once.
const FOLLOWERS: usize = 64;

impl Control {
    /// Takes up what the catalog has: from then on the planes serve it. No code is loaded or compiled for that.
    ///
    /// # Errors
    /// `E06` if the catalog can't be read. A single revision that can't be read is logged and not served.
    pub async fn restore(parts: Parts) -> Result<Arc<Self>, Problem> {
        let Parts {
            catalog,
            blob,
            runtime,
            telemetry,
            journals,
            invoker,
            data,
            planes,
            clock,
            rng,
            prices,
            hosts,
            default_app,
            token,
            version,
        } = parts;
        let control = Arc::new(Self {
            gateway: hosts.gateway,
            observer: Observer::new(Arc::clone(&telemetry), Arc::clone(&clock), prices),
            started: clock.now(),
            publisher: Publisher::new(planes, hosts, default_app),
            switch: tokio::sync::Mutex::new(()),
            deploying: RwLock::new(()),
            asked: Asked::default(),
            components: Semaphore::new(COMPONENTS),
            followers: Arc::new(Semaphore::new(FOLLOWERS)),
            draining: watch::Sender::new(false),
            catalog,
            blob,
            runtime,
            telemetry,
            journals,
            invoker,
            data,
            clock,
            rng,
            token,
            version,
        });
        control.serve_stored().await?;
        Ok(control)
    }

    /// Ends the streams of those who follow. Everything else goes on.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// The number of the snapshot that the planes were last given.
    #[must_use]
    pub fn snapshot_number(&self) -> u64 {
        self.publisher.snapshot().number
    }
}

/// No such app.
pub(crate) fn no_app(key: &AppKey) -> Problem {
    Problem::new(Code::E0703, format!("{key} is not deployed here")).help("dayfly apps")
}
