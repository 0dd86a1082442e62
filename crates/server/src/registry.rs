//! The one file that names implementations: which store, which runtime, which way out. Everything else sees ports.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use egress::{Egress, EgressSettings, Guarding, Roots, SystemResolver};
use invoke::JournalReader;
use ports::{
    AccessKeys, Blob, Catalog, Clock, Feeds, Journals, Kv, Log, Objects, Outbound, Queue, Rng, Runtime, Secrets, Sql, Telemetry,
    Unit,
};
use runtime_wasm::{Compiler, WasmRuntime, WasmSettings};
use store_embedded::{
    EmbeddedStore,
    telemetry::{RetentionDays, TelemetryStore},
};
use system::{SystemClock, SystemRng};
use types::{Problem, limits};

use crate::{
    config::{COMPILE_CHILD, Settings},
    fatal, keys,
};

/// Every service of a node, as ports. No `Default`: forget one and it does not compile.
pub(crate) struct Services {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) kv: Arc<dyn Kv>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) unit: Arc<dyn Unit>,
    pub(crate) feeds: Arc<dyn Feeds>,
    pub(crate) sql: Arc<dyn Sql>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) access_keys: Arc<dyn AccessKeys>,
    pub(crate) blob: Arc<dyn Blob>,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) telemetry: Arc<dyn Telemetry>,
    pub(crate) journals: Arc<dyn Journals>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) seal_key: invoke::SealKey,
}

/// The machine's clock.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// The machine's randomness.
pub(crate) fn rng() -> Arc<dyn Rng> {
    Arc::new(SystemRng)
}

/// Opens everything in the data folder. `own_addresses` are the node's listeners, which no function may call.
///
/// # Errors
/// `E0607` if another process has the folder, `E06` for what the stores say, `E0513` if the engine can't be set up here.
pub(crate) fn open(settings: &Settings, clock: Arc<dyn Clock>, own_addresses: Vec<SocketAddr>) -> Result<Services, Problem> {
    let rng = rng();
    let store = EmbeddedStore::open(&settings.data_dir, Arc::clone(&clock))?;
    let telemetry: Arc<dyn Telemetry> =
        TelemetryStore::open(settings.data_dir.join("telemetry"), Arc::clone(&clock), RetentionDays(limits::RETENTION_DAYS))?;
    // Weak: who stops the node waits for the writer to end, which the last owner of the store does.
    let records = Arc::downgrade(&telemetry);
    store.on_stop(move |reason| fatal::store_stopped(reason, records.upgrade()));
    let seal_key = keys::seal_key(&settings.data_dir, &*rng)?;
    let runtime = runtime(&settings.data_dir, &settings.compiler, Arc::clone(&rng))?;
    let journals = JournalReader::new(Arc::clone(&telemetry), store.blob(), seal_key.clone());
    let outbound = Egress::new(EgressSettings {
        own_addresses,
        clock: Arc::clone(&clock),
        resolver: Arc::new(SystemResolver),
        roots: Roots::Native,
        guarding: Guarding::On,
    });
    Ok(Services {
        kv: store.kv(),
        queue: store.queue(),
        log: store.log(),
        unit: store.unit(),
        feeds: store.feeds(),
        sql: store.sql(),
        objects: store.objects(),
        secrets: store.secrets(),
        access_keys: store.access_keys(),
        blob: store.blob(),
        catalog: store.catalog(),
        journals: Arc::new(journals),
        outbound: Arc::new(outbound),
        clock,
        rng,
        telemetry,
        runtime,
        seal_key,
    })
}

/// The runtime for components and scripts, which keeps compiled code below the folder, and the engine of scripts where all projects find it.
///
/// # Errors
/// As [`open`].
pub(crate) fn runtime(dir: &Path, compiler: &Path, rng: Arc<dyn Rng>) -> Result<Arc<dyn Runtime>, Problem> {
    let compiler = Compiler::new(compiler.to_owned(), vec![COMPILE_CHILD.into()]);
    let mut settings = WasmSettings::new(dir.to_owned(), compiler, rng);
    settings.shared_dir = shared_dir();
    Ok(WasmRuntime::open(settings)?)
}

/// Where this person's programs keep what can be made again: `$XDG_CACHE_HOME/dayfly`, or `~/.cache/dayfly`. A service has no such place.
fn shared_dir() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("dayfly"))
}
