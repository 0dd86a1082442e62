//! Apps for tests inside the crate.

use std::{sync::Arc, time::Duration};

use types::{
    AppKey, Build, Digest, Function, LiveApp, LiveFunction, LiveRevision, RevisionNumber, Snapshot,
    trigger::{On, Rules, Source},
};

pub(crate) fn key() -> AppKey {
    AppKey { app: "shop".parse().expect("a name"), env: "dev".parse().expect("a name") }
}

pub(crate) fn on(source: Source) -> On {
    On { source, rules: Rules { batch: 10, wait: Duration::ZERO, retries: 2, dead: "dead".into() } }
}

pub(crate) fn function(name: &str, on: On) -> Function {
    Function { on: Some(on), ..Function::empty(name.parse().expect("a name"), ".".into(), Build::Component) }
}

pub(crate) fn revision(number: u32, functions: Vec<Function>) -> Arc<LiveRevision> {
    let (key, number) = (key(), RevisionNumber(number));
    let live = |function: Function| {
        let (key, artifact) = (key.clone(), Digest::from_bytes([0; 32]));
        let name = function.name.clone();
        (name, Arc::new(LiveFunction { key, revision: number, function, artifact, gate: 0, resources: Arc::default() }))
    };
    Arc::new(LiveRevision { number, functions: functions.into_iter().map(live).collect(), site: None, events: None })
}

pub(crate) fn snapshot(number: u64, shares: Vec<(Arc<LiveRevision>, u32)>) -> Arc<Snapshot> {
    let app = LiveApp { key: key(), hosts: vec![], default: true, shares };
    Arc::new(Snapshot { number, apps: vec![Arc::new(app)] })
}
