//! Random operations, each compared with the model's answer, then the whole state. The numbers of the two sides are paired as they are
//! seen, and the pairing must keep their order.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use ports::{
    Clock as _, Queue, StoreError,
    queue::{Delivery, Enqueued, Message, MessageId, Peeked, Receipt, Settled},
};
use types::kv::IdempotencyKey;

use super::{QueueFixture, body};
use crate::{SeededRng, model::ModelQueue};

const STEPS: usize = 400;

struct Run<'a> {
    store: &'a QueueFixture,
    model: ModelQueue,
    rng: SeededRng,
    /// Our number for each of the model's.
    ids: BTreeMap<MessageId, MessageId>,
    /// Receipts as both sides gave them, with the index of their queue: good, stale and done ones.
    held: Vec<(usize, Receipt, Receipt)>,
}

pub(super) async fn agrees_with_the_model(store: &QueueFixture, seed: u64) {
    let model = ModelQueue::new(store.clock.clone());
    let mut run = Run { store, model, rng: SeededRng::new(seed), ids: BTreeMap::new(), held: Vec::new() };
    for _ in 0..STEPS {
        run.step().await;
    }
    for index in 0..store.names.len() {
        run.compare_state(index).await;
    }
}

fn code<T>(reply: &Result<T, StoreError>) -> Option<types::Code> {
    reply.as_ref().err().map(StoreError::code)
}

impl Run<'_> {
    async fn step(&mut self) {
        let index = self.rng.below(3);
        match self.rng.below(12) {
            0..4 => self.enqueue(self.rng.below(2)).await,
            4..7 => self.claim(index).await,
            7..9 => self.settle().await,
            9 => self.store.clock.advance(Duration::from_millis(self.rng.below(4_000) as u64)),
            10 => self.compare_state(index).await,
            _ => self.redrive().await,
        }
    }

    fn message(&self) -> Message {
        let text = self.rng.below(3).to_string();
        let key = |chance| self.rng.percent(chance).then(|| Bytes::from(self.rng.below(3).to_string()));
        let (dedup, group) = (key(15), key(50));
        let delay = if group.is_none() && self.rng.percent(30) { self.rng.below(3_000) } else { 0 };
        Message { dedup, group, delay: Duration::from_millis(delay as u64), ..body(&text) }
    }

    async fn enqueue(&mut self, index: usize) {
        let messages: Vec<Message> = (0..=self.rng.below(3)).map(|_| self.message()).collect();
        let key = self.rng.percent(10).then(|| IdempotencyKey(self.rng.below(5).to_string()));
        let name = &self.store.names[index];
        let ours = self.store.queue.enqueue(name, messages.clone(), key.clone()).await;
        let models = self.model.enqueue(name, messages, key).await;
        assert_eq!(code(&ours), code(&models), "{ours:?} against {models:?}");
        for (ours, models) in ours.into_iter().flatten().zip(models.into_iter().flatten()) {
            match (ours, models) {
                (Enqueued::New(ours), Enqueued::New(models)) | (Enqueued::Duplicate(ours), Enqueued::Duplicate(models)) => {
                    self.pair(ours, models);
                }
                (ours, models) => panic!("{ours:?} against {models:?}"),
            }
        }
    }

    /// Keeps the two numbers together.
    fn pair(&mut self, ours: MessageId, models: MessageId) {
        let known = *self.ids.entry(models).or_insert(ours);
        assert_eq!(known, ours, "one message has one number");
        let before = self.ids.range(..models).next_back();
        assert!(before.is_none_or(|(_, id)| *id < ours), "numbers keep their order");
    }

    async fn claim(&mut self, index: usize) {
        let name = &self.store.names[index];
        let (max, lease) = (1 + self.rng.below(4), Duration::from_millis(1 + self.rng.below(5_000) as u64));
        let ours = self.store.queue.claim(name, max, lease, Duration::ZERO).await.expect("claimable");
        let models = self.model.claim(name, max, lease, Duration::ZERO).await.expect("the model gives");
        assert_eq!(ours.len(), models.len(), "{ours:?} against {models:?}");
        for (ours, models) in ours.into_iter().zip(models) {
            self.pair(ours.receipt.id, models.receipt.id);
            self.held.push((index, ours.receipt, models.receipt));
            let of = |delivery: Delivery| (delivery.receipt.attempt, delivery.enqueued, delivery.message);
            assert_eq!(of(ours), of(models));
        }
    }

    /// Does something with some receipts of one queue, old ones among them.
    async fn settle(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let index = self.rng.pick(&self.held).0;
        let of_queue = || self.held.iter().filter(|(of, ..)| *of == index);
        let picked: Vec<_> = of_queue().filter(|_| self.rng.percent(30)).copied().collect();
        let (ours, models): (Vec<_>, Vec<_>) = picked.into_iter().map(|(_, ours, models)| (ours, models)).unzip();
        let how = self.rng.below(4);
        let time = Duration::from_millis(1 + self.rng.below(3_000) as u64);
        let our_reply = self.settle_on(&*self.store.queue, index, &ours, how, time).await;
        let model_reply = self.settle_on(&self.model, index, &models, how, time).await;
        assert_eq!(our_reply, model_reply, "way {how} on {ours:?}");
        if self.held.len() > 40 {
            self.held.drain(..20);
        }
    }

    async fn settle_on(&self, queue: &dyn Queue, index: usize, receipts: &[Receipt], how: usize, time: Duration) -> Vec<Settled> {
        let names = &self.store.names;
        let settled = match how {
            0 => queue.ack(&names[index], receipts).await,
            1 => queue.extend(&names[index], receipts, time).await,
            2 if index != 2 => queue.bury(&names[index], receipts, &names[2], "why").await,
            _ => {
                queue.nack(&names[index], receipts, if time.as_millis().is_multiple_of(2) { time } else { Duration::ZERO }).await
            }
        };
        settled.expect("there is room")
    }

    async fn redrive(&mut self) {
        let max = 1 + self.rng.below(3);
        let ours = self.store.queue.redrive(&self.store.names[2], max).await.expect("there is room");
        assert_eq!(ours, self.model.redrive(&self.store.names[2], max).await.expect("the model gives"));
    }

    async fn compare_state(&mut self, index: usize) {
        let name = &self.store.names[index];
        let ours = self.store.queue.peek(name, None, 1_000).await.expect("readable");
        let models = self.model.peek(name, None, 1_000).await.expect("the model reads");
        assert_eq!(ours.len(), models.len(), "{ours:#?} against {models:#?}");
        for (ours, models) in ours.into_iter().zip(models) {
            self.pair(ours.id, models.id);
            assert_eq!(Peeked { id: models.id, ..ours }, models);
        }
        let ours = self.store.queue.stats(name).await.expect("readable");
        assert_eq!(ours, self.model.stats(name).await.expect("the model reads"), "at {}", self.store.clock.now().unix_ms());
    }
}
