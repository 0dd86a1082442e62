//! The gateway: what it serves and with what.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use ports::{Bus, Clock, Invoker, Plane, Rng, Unit};
use tokio::{net::TcpListener, task::JoinHandle};
use types::Snapshot;

use super::{Drain, Framing, GatewayLimits, GatewaySettings, accept, keys::Keys, site::SiteCache, table::Table};

/// Serves HTTP/1.1 and HTTP/2 and hands each request to the invoker.
pub struct Gateway {
    pub(crate) limits: GatewayLimits,
    pub(crate) framing: Framing,
    pub(crate) invoker: Arc<dyn Invoker>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) unit: Arc<dyn Unit>,
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) table: ArcSwap<Table>,
    /// Files of sites that were asked for lately.
    pub(crate) site_cache: Arc<SiteCache>,
    /// Held while a new table is built, so that two snapshots don't overtake one another.
    installing: Mutex<()>,
}

impl Gateway {
    /// A gateway that serves nothing yet.
    #[must_use]
    pub fn new(settings: GatewaySettings) -> Arc<Self> {
        let GatewaySettings { limits, framing, invoker, blob, bus, unit, secrets, clock, rng } = settings;
        let (table, installing, site_cache) = (ArcSwap::default(), Mutex::new(()), Arc::new(SiteCache::new(blob)));
        let keys = Keys::new(secrets, Arc::clone(&clock));
        Arc::new(Self { limits, framing, invoker, bus, unit, keys, clock, rng, table, site_cache, installing })
    }

    /// Serves the listener's connections on the present runtime until `drain` begins; then finishes the open requests within the limit
    /// and cuts off what is left. The task ends when no connection is left; aborting it cuts them all off.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn serve(self: &Arc<Self>, listener: TcpListener, drain: Drain) -> JoinHandle<()> {
        tokio::spawn(accept::run(Arc::clone(self), listener, drain))
    }
}

impl Plane for Gateway {
    fn install(&self, snapshot: &Arc<Snapshot>) {
        let _one_at_a_time = self.installing.lock();
        let old = self.table.load();
        if snapshot.number < old.number {
            return;
        }
        self.table.store(Arc::new(Table::build(snapshot, &old)));
    }
}
