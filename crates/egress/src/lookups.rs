//! How many names are looked up at once. A lookup of the system's holds a thread of the pool that files are read on, too, and can't be
//! called off: behind a slow name server those that nobody waits for any more would fill that pool.

use std::{collections::HashMap, io, net::IpAddr, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::revision::AppKey;

use crate::Resolve;

/// Lookups at once on this node.
const ON_NODE: usize = 32;
/// Lookups at once of one app, so that none takes the others' turns.
const PER_APP: usize = 4;

/// Gives turns to look a name up.
pub(crate) struct Lookups {
    node: Arc<Semaphore>,
    per_app: usize,
    /// Those apps of which a lookup runs or waits.
    apps: Mutex<HashMap<AppKey, Arc<Semaphore>>>,
}

impl Default for Lookups {
    fn default() -> Self {
        Self::new(ON_NODE, PER_APP)
    }
}

impl Lookups {
    fn new(on_node: usize, per_app: usize) -> Self {
        Self { node: Arc::new(Semaphore::new(on_node)), per_app, apps: Mutex::default() }
    }

    /// Waits for a turn: first among the app's own lookups, then among all.
    ///
    /// # Cancel safety
    /// Whoever is dropped while waiting takes no turn.
    pub(crate) async fn turn(&self, app: Option<&AppKey>) -> Turn {
        let own = match app {
            Some(app) => Some(acquire(self.of(app)).await),
            None => None,
        };
        Turn { _node: acquire(Arc::clone(&self.node)).await, _own: own }
    }

    fn of(&self, app: &AppKey) -> Arc<Semaphore> {
        let mut apps = self.apps.lock();
        if let Some(turns) = apps.get(app) {
            return Arc::clone(turns);
        }
        // Permits and those who wait for one hold the semaphore. Whose is held by nobody looks nothing up.
        apps.retain(|_, turns| Arc::strong_count(turns) > 1);
        Arc::clone(apps.entry(app.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.per_app))))
    }
}

async fn acquire(turns: Arc<Semaphore>) -> OwnedSemaphorePermit {
    turns.acquire_owned().await.expect("the semaphores are never closed")
}

/// Leave to look one name up.
pub(crate) struct Turn {
    _node: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Looks the name up. The turn ends with the lookup, whether or not somebody still waits for it.
    ///
    /// # Errors
    /// Those of the resolver.
    pub(crate) async fn look_up(self, resolver: &Arc<dyn Resolve>, host: &str) -> io::Result<Vec<IpAddr>> {
        let (resolver, host) = (Arc::clone(resolver), host.to_owned());
        let lookup = tokio::spawn(async move {
            let found = resolver.resolve(&host).await;
            drop(self);
            found
        });
        lookup.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Poll,
    };

    use super::*;

    /// A name server that answers only when it is told to.
    struct Slow {
        begun: AtomicUsize,
        answers: Semaphore,
    }

    #[async_trait::async_trait]
    impl Resolve for Slow {
        async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.answers.acquire().await.map_err(io::Error::other)?.forget();
            Ok(vec![])
        }
    }

    fn app(name: &str) -> AppKey {
        AppKey { app: name.parse().expect("a name"), env: "dev".parse().expect("a name") }
    }

    /// Lets eight callers of one app give up at once on a name server that doesn't answer.
    async fn abandon_eight(lookups: &Lookups, server: &Arc<Slow>) -> usize {
        let resolver: Arc<dyn Resolve> = Arc::clone(server) as _;
        for _ in 0..8 {
            let key = app("one");
            let mut call = Box::pin(async { lookups.turn(Some(&key)).await.look_up(&resolver, "slow.example").await });
            let waits = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
            assert!(waits, "the server answered");
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        server.begun.load(Ordering::SeqCst)
    }

    fn slow() -> Arc<Slow> {
        Arc::new(Slow { begun: AtomicUsize::new(0), answers: Semaphore::new(0) })
    }

    #[tokio::test]
    async fn lookups_that_nobody_waits_for_count_until_they_end() {
        let (lookups, server) = (Lookups::default(), slow());
        assert_eq!(abandon_eight(&lookups, &server).await, PER_APP);
        let other = app("other");
        drop(lookups.turn(Some(&other)).await);
        server.answers.add_permits(PER_APP);
        let key = app("one");
        drop(lookups.turn(Some(&key)).await);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        drop(lookups.turn(Some(&app("third"))).await);
        assert_eq!(lookups.apps.lock().len(), 1, "apps that look nothing up are kept");
    }

    #[tokio::test]
    async fn without_the_bound_they_pile_up() {
        let (lookups, server) = (Lookups::new(1 << 20, 1 << 20), slow());
        assert_eq!(abandon_eight(&lookups, &server).await, 8);
    }

    #[tokio::test]
    async fn a_node_has_a_bound_for_all_apps_together() {
        let lookups = Lookups::new(2, 1);
        let (_first, _second) = (lookups.turn(Some(&app("a"))).await, lookups.turn(None).await);
        let key = app("b");
        let mut third = Box::pin(lookups.turn(Some(&key)));
        assert!(std::future::poll_fn(|cx| Poll::Ready(third.as_mut().poll(cx).is_pending())).await);
    }
}
