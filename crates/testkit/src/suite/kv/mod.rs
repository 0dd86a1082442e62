//! What every key-value store must do.

mod concurrent;
mod random;
mod reading;
mod repeating;
mod time;
mod watching;
mod writing;

use std::{any::Any, sync::Arc};

use bytes::Bytes;
use futures_util::StreamExt as _;
use ports::{BoxStream, Kv};
use types::{
    Timestamp,
    kv::{Change, Committed, Entry, Namespace, Rev, Transaction, WatchFrom, Write},
};

use super::soon;
use crate::{TestClock, rng::seeds};

/// A fresh key-value store with the clock that it was given.
pub struct KvFixture {
    /// The store, or a decorator around one.
    pub kv: Arc<dyn Kv>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Two namespaces that the suite may use; a decorator may need certain ones.
    pub namespaces: [Namespace; 2],
    /// What must live as long: a temporary folder, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl KvFixture {
    /// A fixture that keeps nothing and may use any namespace.
    #[must_use]
    pub fn new(kv: Arc<dyn Kv>, clock: Arc<TestClock>) -> Self {
        let namespaces = [Namespace("shop/dev/first".into()), Namespace("shop/dev/second".into())];
        Self { kv, clock, namespaces, keep: Box::new(()) }
    }
    /// Keeps something alive with the store.
    #[must_use]
    pub fn keeping(mut self, keep: impl Any + Send + Sync) -> Self {
        self.keep = Box::new(keep);
        self
    }
}

/// Runs every case on a fresh store.
///
/// # Panics
/// If the store fails a case.
pub async fn kv<F: Future<Output = KvFixture>>(make: impl Fn() -> F) {
    macro_rules! run {
        ($($module:ident::$case:ident),* $(,)?) => {$(
            eprintln!("case {}::{}", stringify!($module), stringify!($case));
            $module::$case(&make().await).await;
        )*};
    }
    run!(
        writing::a_transaction_happens_wholly_or_not_at_all,
        writing::names_the_first_condition_that_failed,
        writing::conditions_see_revisions_and_absence,
        writing::later_writes_of_a_transaction_win,
        writing::refuses_what_is_over_a_limit,
        writing::namespaces_share_nothing,
        reading::keys_and_values_are_any_bytes,
        reading::lists_in_pages_without_gaps,
        reading::prefixes_end_where_they_should,
        reading::reads_many_keys_at_once,
        reading::bounds_what_is_read_at_once,
        repeating::a_repeated_call_has_one_effect,
        repeating::a_refusal_is_repeated_too,
        repeating::a_key_used_for_something_else_is_a_conflict,
        repeating::keys_are_forgotten_after_their_time,
        time::expired_entries_are_gone_for_everyone,
        time::expiry_is_a_delete_for_watchers,
        time::a_later_write_outlives_the_first_expiry,
        watching::gives_the_present_then_what_follows,
        watching::resumes_at_each_revision_without_loss,
        watching::a_transaction_shares_its_revision,
        watching::sees_its_prefix_only,
        watching::says_when_changes_are_gone,
        concurrent::no_revision_appears_below_one_seen,
        concurrent::counters_lose_no_increment,
    );
    for seed in seeds(4) {
        random::agrees_with_the_model(&make().await, seed).await;
    }
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
fn put(key: &str, value: &str) -> Write {
    Write::Put { key: bytes(key), value: bytes(value), expires: None }
}
fn put_until(key: &str, value: &str, expires: Timestamp) -> Write {
    Write::Put { key: bytes(key), value: bytes(value), expires: Some(expires) }
}
fn delete(key: &str) -> Write {
    Write::Delete { key: bytes(key) }
}
fn writes(writes: impl Into<Vec<Write>>) -> Transaction {
    Transaction { writes: writes.into(), ..Transaction::default() }
}

// Short forms for the first namespace, for cases that don't care about errors.
impl KvFixture {
    fn namespace(&self) -> &Namespace {
        &self.namespaces[0]
    }
    async fn commit(&self, transaction: Transaction) -> Committed {
        self.kv.commit(self.namespace(), transaction).await.expect("the commit succeeds")
    }
    async fn write(&self, items: impl Into<Vec<Write>>) -> Rev {
        match self.commit(writes(items)).await {
            Committed::At(rev) => rev,
            Committed::Refused { .. } => panic!("there was no condition to fail"),
        }
    }
    async fn get(&self, key: &str) -> Option<Entry> {
        self.kv.get(self.namespace(), &bytes(key)).await.expect("readable")
    }
    async fn value(&self, key: &str) -> Option<Bytes> {
        self.get(key).await.map(|entry| entry.value)
    }
    async fn list(&self, prefix: impl AsRef<[u8]>) -> Vec<Entry> {
        let prefix = Bytes::copy_from_slice(prefix.as_ref());
        self.kv.list(self.namespace(), &prefix, None, 100_000).await.expect("readable")
    }
    async fn watch(&self, prefix: &str, from: WatchFrom) -> BoxStream<Change> {
        self.kv.watch(self.namespace(), bytes(prefix), from).await.expect("it can be watched")
    }
}

async fn next(watch: &mut BoxStream<Change>) -> Change {
    soon("a change", watch.next()).await.expect("the watch goes on")
}

/// Everything until the watch has caught up, and the revision that it says.
async fn until_caught_up(watch: &mut BoxStream<Change>) -> (Vec<Change>, Rev) {
    let mut changes = Vec::new();
    loop {
        match next(watch).await {
            Change::CaughtUp(rev) => return (changes, rev),
            change => changes.push(change),
        }
    }
}

fn rev_of(change: &Change) -> Rev {
    match change {
        Change::Put(entry) => entry.rev,
        Change::Delete { rev, .. } | Change::CaughtUp(rev) => *rev,
        Change::Compacted => panic!("nothing was compacted here"),
    }
}
