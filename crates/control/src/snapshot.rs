//! Builds what the data plane serves and hands it over. What did not change is shared with the snapshot before: a deployment among
//! 10,000 apps costs a pointer for each of the others.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use ports::Plane;
use types::{
    App, AppName, Code, EnvName, FunctionName, LiveApp, LiveRevision, Problem, Revision, Snapshot,
    revision::{AppKey, Share},
    site::Site,
};

use crate::hosts::{self, Hosts};

/// An app to be served: each revision with its weight.
pub(crate) struct Served {
    pub(crate) key: AppKey,
    pub(crate) shares: Vec<Weighed>,
}

/// A revision with its site, and its part of the traffic.
pub(crate) struct Weighed {
    pub(crate) revision: Revision,
    pub(crate) site: Option<Arc<Site>>,
    pub(crate) weight: u32,
}

/// Holds the newest snapshot and installs every new one on all planes.
pub(crate) struct Publisher {
    planes: Vec<Arc<dyn Plane>>,
    hosts: Hosts,
    default_app: Option<AppKey>,
    state: Mutex<State>,
}

struct State {
    snapshot: Arc<Snapshot>,
    apps: BTreeMap<AppKey, Entry>,
    /// The number by which each function's limits are held, whichever revision runs. Never reused.
    gates: HashMap<(AppKey, FunctionName), u64>,
}

struct Entry {
    live: Arc<LiveApp>,
    /// The model of the largest share: it names the app's own domain.
    app: Option<App>,
}

impl Publisher {
    pub(crate) fn new(planes: Vec<Arc<dyn Plane>>, hosts: Hosts, default_app: Option<AppKey>) -> Self {
        let state = State { snapshot: Arc::default(), apps: BTreeMap::new(), gates: HashMap::new() };
        Self { planes, hosts, default_app, state: Mutex::new(state) }
    }

    /// The newest snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.state.lock().snapshot)
    }

    /// One app as it is served.
    pub(crate) fn app(&self, key: &AppKey) -> Option<Arc<LiveApp>> {
        self.state.lock().apps.get(key).map(|entry| Arc::clone(&entry.live))
    }

    /// Where an app answers, best first.
    pub(crate) fn urls(&self, key: &AppKey) -> Vec<String> {
        self.app(key).map_or_else(Vec::new, |live| self.hosts.urls(&live.hosts, live.default))
    }

    /// Serves these apps as given from now on, all others as before. Planes have the new snapshot when this returns.
    pub(crate) fn publish(&self, served: impl IntoIterator<Item = Served>) {
        let mut state = self.state.lock();
        let mut changed = BTreeSet::new();
        for app in served {
            changed.insert(app.key.app.clone());
            state.set(app);
        }
        self.name_hosts(&mut state, &changed);
        let apps = state.apps.values().map(|entry| Arc::clone(&entry.live)).collect();
        state.snapshot = Arc::new(Snapshot { number: state.snapshot.number + 1, apps });
        // Under the lock, so that planes see snapshots in the order of their numbers.
        for plane in &self.planes {
            plane.install(&state.snapshot);
        }
    }

    /// # Errors
    /// `E0105` if another app answers to the domain that this one asks for.
    pub(crate) fn check_domain(&self, key: &AppKey, app: &App) -> Result<(), Problem> {
        let Some(domain) = &app.domain else { return Ok(()) };
        let state = self.state.lock();
        match state.apps.iter().find(|(other, entry)| *other != key && entry.live.hosts.contains(domain)) {
            None => Ok(()),
            Some((other, _)) => Err(Problem::new(Code::E0105, format!("domain {domain:?} is already that of {other}"))),
        }
    }

    /// Gives apps their host names, which depend on the other environments of the same app, and says which app is the default one, which
    /// depends on all. Apps for which nothing changes stay untouched.
    fn name_hosts(&self, state: &mut State, changed: &BTreeSet<AppName>) {
        let mut environments: BTreeMap<AppName, Vec<EnvName>> = BTreeMap::new();
        for key in state.apps.keys().filter(|key| changed.contains(&key.app)) {
            environments.entry(key.app.clone()).or_default().push(key.env.clone());
        }
        let only = state.apps.len() == 1;
        for (key, entry) in &mut state.apps {
            let default = self.default_app.as_ref().map_or(only, |default| default == key);
            let hosts = environments.get(&key.app).map(|environments| {
                let first = hosts::first(environments.iter()) == Some(&key.env);
                self.hosts.of(key, entry.app.as_ref(), first)
            });
            let hosts = hosts.filter(|hosts| *hosts != entry.live.hosts);
            if hosts.is_some() || entry.live.default != default {
                let hosts = hosts.unwrap_or_else(|| entry.live.hosts.clone());
                entry.live = Arc::new(LiveApp { hosts, default, ..LiveApp::clone(&entry.live) });
            }
        }
    }
}

impl State {
    fn set(&mut self, Served { key, shares }: Served) {
        if shares.is_empty() {
            self.apps.remove(&key);
            return;
        }
        let previous = self.apps.get(&key).map(|entry| entry.live.shares.clone()).unwrap_or_default();
        let app = shares.iter().max_by_key(|share| share.weight).map(|share| share.revision.app.clone());
        let shares = shares.into_iter().map(|Weighed { revision, site, weight }| {
            let known = previous.iter().find(|(live, _)| live.number == revision.number);
            (known.map_or_else(|| self.live(&key, &revision, site), |(live, _)| Arc::clone(live)), weight)
        });
        let shares = shares.collect();
        let live = Arc::new(LiveApp { key: key.clone(), hosts: Vec::new(), default: false, shares });
        self.apps.insert(key, Entry { live, app });
    }

    fn live(&mut self, key: &AppKey, revision: &Revision, site: Option<Arc<Site>>) -> Arc<LiveRevision> {
        let gates = &mut self.gates;
        let gate = |name: &FunctionName| {
            let next = gates.len() as u64;
            *gates.entry((key.clone(), name.clone())).or_insert(next)
        };
        Arc::new(LiveRevision { site, ..LiveRevision::of(key, revision, gate) })
    }
}

/// The share with the largest weight, which stands for the app where one revision has to.
pub(crate) fn largest(shares: &[Share]) -> Option<Share> {
    shares.iter().copied().max_by_key(|share| share.weight)
}
