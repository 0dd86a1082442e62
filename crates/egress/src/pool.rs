//! Connections that wait for another call of the same tenant to the same place. Bounded in number and in time.

use std::{
    collections::HashMap, collections::hash_map::DefaultHasher, hash::BuildHasherDefault, net::SocketAddr, time::Duration,
};

use hyper::client::conn::{http1, http2};
use parking_lot::Mutex;
use ports::Body;
use types::{Elapsed, revision::AppKey};

/// How long a connection waits before nobody takes it any more.
const IDLE: Duration = Duration::from_secs(30);
/// Connections that wait for one tenant and place.
const PER_KEY_MAX: usize = 8;
/// Connections that wait in all.
const TOTAL_MAX: usize = 512;

/// Whose connection to what. The tenant is part of it: nobody gets a connection that somebody else has spoken on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) tenant: AppKey,
    pub(crate) https: bool,
    pub(crate) host: String,
    /// The address that was judged.
    pub(crate) address: SocketAddr,
}

/// The end of a connection that takes requests.
pub(crate) enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Sender {
    fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }
}

struct Waiting {
    sender: Sender,
    since_ns: u64,
}

#[derive(Default)]
pub(crate) struct Pool(Mutex<HashMap<Key, Vec<Waiting>, BuildHasherDefault<DefaultHasher>>>);

impl Pool {
    /// A connection that waits, the one used last. HTTP/2 connections stay for others to share.
    pub(crate) fn take(&self, key: &Key, now_ns: u64) -> Option<Sender> {
        let mut map = self.0.lock();
        let waiting = map.get_mut(key)?;
        waiting.retain(|one| is_fresh(one, now_ns));
        match &waiting.last()?.sender {
            Sender::Http2(sender) => Some(Sender::Http2(sender.clone())),
            Sender::Http1(_) => waiting.pop().map(|one| one.sender),
        }
    }

    /// Keeps a connection for the next call, if there is room.
    pub(crate) fn put(&self, key: Key, sender: Sender, now_ns: u64) {
        let mut map = self.0.lock();
        map.retain(|_, waiting| {
            waiting.retain(|one| is_fresh(one, now_ns));
            !waiting.is_empty()
        });
        let total: usize = map.values().map(Vec::len).sum();
        if total >= TOTAL_MAX || sender.is_closed() {
            return;
        }
        let waiting = map.entry(key).or_default();
        let shared = matches!((&sender, waiting.last()), (Sender::Http2(_), Some(Waiting { sender: Sender::Http2(_), .. })));
        if shared {
            waiting.pop();
        }
        if waiting.len() < PER_KEY_MAX {
            waiting.push(Waiting { sender, since_ns: now_ns });
        }
    }
}

fn is_fresh(one: &Waiting, now_ns: u64) -> bool {
    !one.sender.is_closed() && now_ns.saturating_sub(one.since_ns) < Elapsed::from(IDLE).ns()
}
