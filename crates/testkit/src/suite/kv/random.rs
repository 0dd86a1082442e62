//! Random operations, each compared with the model's answer, then the whole state and history.
//!
//! Revisions may have gaps, so the two sides' are not equal: they are paired as they are seen, and the pairing must keep their order.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use ports::{Clock as _, Kv as _};
use types::kv::{Change, Committed, Condition, Entry, IdempotencyKey, Rev, Transaction, WatchFrom, Write};

use super::{KvFixture, next, until_caught_up};
use crate::{SeededRng, model::ModelKv};

const STEPS: usize = 300;
const KEYS: [&[u8]; 8] = [b"", b"a", b"a\0", b"a\xff", b"a\xffb", b"b", b"\xff", b"\xff\xff"];

/// A transaction in the words of both sides: their conditions name different revisions.
struct Pair {
    ours: Transaction,
    models: Transaction,
}

struct Run<'a> {
    store: &'a KvFixture,
    model: ModelKv,
    rng: SeededRng,
    /// Our revision for each of the model's, by namespace.
    revs: [BTreeMap<Rev, Rev>; 2],
    /// Transactions that had an idempotency key, to be repeated.
    named: Vec<(usize, Pair)>,
}

pub(super) async fn agrees_with_the_model(store: &KvFixture, seed: u64) {
    let model = ModelKv::new(store.clock.clone());
    let mut run = Run { store, model, rng: SeededRng::new(seed), revs: Default::default(), named: Vec::new() };
    let mut watches = Vec::new();
    for namespace in &store.namespaces {
        let mut watch = store.kv.watch(namespace, Bytes::new(), WatchFrom::Snapshot).await.expect("it can be watched");
        until_caught_up(&mut watch).await;
        watches.push(watch);
    }
    for _ in 0..STEPS {
        run.step().await;
    }
    for (index, mut watch) in watches.into_iter().enumerate() {
        run.compare_state(index).await;
        // What a watcher saw, applied in order, is what is there.
        let end = Write::Put { key: Bytes::from_static(b"end"), value: Bytes::new(), expires: None };
        store.kv.commit(&store.namespaces[index], super::writes([end])).await.expect("the commit succeeds");
        let mut seen: BTreeMap<Bytes, Entry> = BTreeMap::new();
        while !seen.contains_key(b"end".as_slice()) {
            match next(&mut watch).await {
                Change::Put(entry) => drop(seen.insert(entry.key.clone(), entry)),
                Change::Delete { key, .. } => assert!(seen.remove(&key).is_some(), "{key:?} was not there"),
                other => panic!("{other:?} in the middle of a watch"),
            }
        }
        let now = store.clock.now();
        let seen: Vec<Entry> = seen.into_values().filter(|entry| entry.expires.is_none_or(|at| at > now)).collect();
        let listed = store.kv.list(&store.namespaces[index], &Bytes::new(), None, 1_000).await.expect("readable");
        assert_eq!(seen, listed);
    }
}

impl Run<'_> {
    async fn step(&mut self) {
        let index = self.rng.below(2);
        match self.rng.below(10) {
            0..5 => self.commit(index).await,
            5 => self.repeat().await,
            6 => self.get(index).await,
            7 => self.list(index).await,
            8 => self.compare_state(index).await,
            _ => self.store.clock.advance(Duration::from_millis(self.rng.below(3_000) as u64)),
        }
    }

    fn key(&self) -> Bytes {
        Bytes::from_static(KEYS[self.rng.below(KEYS.len())])
    }

    async fn commit(&mut self, index: usize) {
        let mut pair = self.transaction(index).await;
        if self.rng.percent(30) {
            let key = Some(IdempotencyKey(self.rng.below(40).to_string()));
            (pair.ours.idempotency, pair.models.idempotency) = (key.clone(), key);
        }
        self.compare_commit(index, &pair).await;
        if pair.ours.idempotency.is_some() {
            self.named.push((index, pair));
        }
    }

    async fn repeat(&mut self) {
        if self.named.is_empty() {
            return;
        }
        let at = self.rng.below(self.named.len());
        let (index, pair) = self.named.swap_remove(at);
        self.compare_commit(index, &pair).await;
    }

    async fn transaction(&self, index: usize) -> Pair {
        let namespace = &self.store.namespaces[index];
        let (mut ours, mut models) = (Vec::new(), Vec::new());
        for _ in 0..self.rng.below(3) {
            let key = self.key();
            let present = self.model.get(namespace, &key).await.expect("the model reads");
            let (revs, present) = (&self.revs[index], present.map(|entry| entry.rev));
            let stale = revs.keys().next().copied();
            let rev = present.filter(|_| self.rng.percent(80)).or(stale).filter(|_| self.rng.percent(70));
            match rev.and_then(|rev| Some((rev, *revs.get(&rev)?))) {
                Some((model_rev, our_rev)) => {
                    ours.push(Condition::At(key.clone(), our_rev));
                    models.push(Condition::At(key, model_rev));
                }
                None => {
                    ours.push(Condition::Absent(key.clone()));
                    models.push(Condition::Absent(key));
                }
            }
        }
        let writes: Vec<Write> = (0..self.rng.below(4)).map(|_| self.write()).collect();
        let of = |conditions| Transaction { conditions, writes: writes.clone(), idempotency: None, cause: None };
        Pair { ours: of(ours), models: of(models) }
    }

    fn write(&self) -> Write {
        let key = self.key();
        if self.rng.percent(25) {
            return Write::Delete { key };
        }
        let value = Bytes::from(vec![self.rng.below(256) as u8; self.rng.below(64)]);
        let span = Duration::from_millis(1 + self.rng.below(5_000) as u64);
        let expires = self.rng.percent(40).then(|| self.store.clock.now().plus(span.into()));
        Write::Put { key, value, expires }
    }

    async fn compare_commit(&mut self, index: usize, Pair { ours, models }: &Pair) {
        let namespace = &self.store.namespaces[index];
        let our_reply = self.store.kv.commit(namespace, ours.clone()).await;
        let model_reply = self.model.commit(namespace, models.clone()).await;
        match (our_reply, model_reply) {
            (Ok(Committed::At(our_rev)), Ok(Committed::At(model_rev))) => self.pair(index, our_rev, model_rev),
            (Ok(ours), Ok(models)) => assert_eq!(ours, models),
            (ours, models) => {
                let code = |reply: &Result<_, ports::StoreError>| reply.as_ref().err().map(ports::StoreError::code);
                assert_eq!(code(&ours), code(&models), "{ours:?} against {models:?}");
            }
        }
    }

    /// Keeps the two revisions together.
    fn pair(&mut self, index: usize, ours: Rev, models: Rev) {
        let revs = &mut self.revs[index];
        let known = *revs.entry(models).or_insert(ours);
        assert_eq!(known, ours, "one commit has one revision");
        let before = revs.range(..models).next_back();
        let after = revs.range(Rev(models.0 + 1)..).next();
        assert!(before.is_none_or(|(_, rev)| *rev < ours), "revisions keep their order");
        assert!(after.is_none_or(|(_, rev)| *rev > ours), "revisions keep their order");
    }

    fn compare(&self, ours: &Entry, models: &Entry) {
        assert_eq!((&ours.key, &ours.value, ours.expires), (&models.key, &models.value, models.expires));
    }

    async fn get(&self, index: usize) {
        let (namespace, keys) = (&self.store.namespaces[index], [self.key(), self.key()]);
        let ours = self.store.kv.get(namespace, &keys[0]).await.expect("readable");
        let many = self.store.kv.get_many(namespace, &keys).await.expect("readable");
        let models = self.model.get_many(namespace, &keys).await.expect("the model reads");
        assert_eq!(ours, many[0]);
        for (ours, models) in many.iter().zip(&models) {
            assert_eq!(ours.is_some(), models.is_some());
            ours.iter().zip(models).for_each(|(ours, models)| self.compare(ours, models));
        }
    }

    async fn list(&self, index: usize) {
        let (namespace, prefix) = (&self.store.namespaces[index], self.key());
        let (after, limit) = (Some(self.key()).filter(|_| self.rng.percent(50)), self.rng.below(6));
        let ours = self.store.kv.list(namespace, &prefix, after.as_ref(), limit).await.expect("readable");
        let models = self.model.list(namespace, &prefix, after.as_ref(), limit).await.expect("the model reads");
        assert_eq!(ours.len(), models.len());
        ours.iter().zip(&models).for_each(|(ours, models)| self.compare(ours, models));
    }

    async fn compare_state(&self, index: usize) {
        let namespace = &self.store.namespaces[index];
        let ours = self.store.kv.list(namespace, &Bytes::new(), None, 1_000).await.expect("readable");
        let models = self.model.list(namespace, &Bytes::new(), None, 1_000).await.expect("the model reads");
        assert_eq!(ours.len(), models.len());
        ours.iter().zip(&models).for_each(|(ours, models)| self.compare(ours, models));
    }
}
