//! Random failures, slow runs, conflicts and crashes, over the models of the stores: each message takes effect once, groups in order.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::Response;
use http_body_util::BodyExt as _;
use ingress::{Drain, TriggerSettings, Triggers};
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Clock as _, Invocation, Invoker, Plane, Queue, Unit, Verdict,
    invoker::Acknowledge,
    unit::{Effects, UnitOutcome},
};
use serde_json::Value;
use testkit::{
    SeededRng, TestClock,
    model::{ModelKv, ModelQueue, ModelUnit},
    rng::seeds,
};
use types::kv::IdempotencyKey;

use super::{
    store::Store,
    world::{grouped, message, orders, shared, worker},
};

const MESSAGES: usize = 200;

/// A function that does what chance says, and a ledger of what took effect.
struct Chance {
    rng: SeededRng,
    clock: Arc<TestClock>,
    unit: ModelUnit,
    ledger: Mutex<Vec<String>>,
    units: Mutex<u64>,
}

impl Chance {
    async fn run(self: Arc<Self>, invocation: Invocation) -> Verdict {
        let batch = invocation.batch.expect("a trigger's invocation has a batch");
        let body = invocation.request.into_body().collect().await.expect("a body").to_bytes();
        let events: Vec<Value> = serde_json::from_slice(&body).expect("a list");
        let bodies: Vec<&str> = events.iter().map(|event| event["data"].as_str().expect("text")).collect();
        let failed: Vec<String> = match self.rng.below(100) {
            0..15 => return Verdict::Failed { reason: "chance".into() },
            15..20 => return Verdict::Conflict,
            20..25 => return Verdict::Unknown { reason: "chance".into() },
            25..35 => {
                let time = Duration::from_millis(self.rng.below(20_000) as u64);
                self.clock.sleep_until(self.clock.monotonic_ns() + u64::try_from(time.as_nanos()).expect("short")).await;
                Vec::new()
            }
            // Of a group only all may fail, or its order would be the function's own doing.
            35..50 => {
                let loose = batch.items.iter().zip(&bodies).filter(|(_, body)| body.starts_with('u'));
                loose.filter(|_| self.rng.percent(50)).map(|(item, _)| item.id.clone()).collect()
            }
            _ => Vec::new(),
        };
        let mut effects = Effects::default();
        let mut done = Vec::new();
        for (item, body) in batch.items.iter().zip(&bodies).filter(|(item, _)| !failed.contains(&item.id)) {
            let Acknowledge::Message(queue, receipt) = item.acknowledge.clone() else { panic!("a message") };
            effects.acks.push((queue, receipt));
            done.push((*body).to_owned());
        }
        let key = {
            let mut units = self.units.lock();
            *units += 1;
            IdempotencyKey(format!("unit {units}"))
        };
        match self.unit.commit(effects, key).await.expect("the model commits") {
            UnitOutcome::Committed => {
                self.ledger.lock().extend(done);
                // The answer is lost now and then, after everything happened.
                if self.rng.percent(10) { Verdict::Unknown { reason: "lost".into() } } else { Verdict::Done { failed } }
            }
            UnitOutcome::Refused(_) => Verdict::Superseded,
        }
    }
}

struct Runs(Arc<Chance>);
impl Invoker for Runs {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<Response<Body>> {
        let chance = Arc::clone(&self.0);
        Box::pin(async move {
            let mut response = Response::new(Body::Empty);
            response.extensions_mut().insert(chance.run(invocation).await);
            response
        })
    }
}

#[tokio::test]
async fn whatever_fails_each_message_takes_effect_once_and_groups_in_order() {
    for seed in seeds(3) {
        let clock = Arc::new(TestClock::new());
        let (rng, store) = (SeededRng::new(seed), Store::new(&clock));
        let (kv, queue) = (Arc::new(ModelKv::new(clock.clone())), Arc::new(ModelQueue::new(clock.clone())));
        let unit = || ModelUnit::new(kv.clone(), queue.clone());
        let chance = Arc::new(Chance {
            rng: rng.clone(),
            clock: clock.clone(),
            unit: unit(),
            ledger: Mutex::default(),
            units: Mutex::default(),
        });
        let start = || {
            let triggers = Triggers::new(TriggerSettings {
                invoker: Arc::new(Runs(chance.clone())),
                queue: queue.clone(),
                log: store.clone(),
                unit: Arc::new(unit()),
                kv: kv.clone(),
                sql: store.clone(),
                clock: clock.clone(),
                rng: Arc::new(rng.clone()),
                member: "node".into(),
                drain_time: Duration::from_secs(20),
            });
            triggers.install(&shared(1, vec![(1, vec![worker(|rules| rules.retries = 100)], 1)]));
            let served = triggers.serve(Drain::new());
            (triggers, served)
        };
        let mut running = start();
        let mut sent = 0;
        for step in 0..20_000 {
            if sent < MESSAGES && rng.percent(40) {
                let body = match rng.below(3) {
                    0 => message(&format!("u{sent}")),
                    group => grouped(&format!("g{group}-{sent:04}"), &group.to_string()),
                };
                queue.enqueue(&orders(), vec![body], None).await.expect("the model takes it");
                sent += 1;
            }
            if step % 300 == 299 && sent < MESSAGES {
                running.1.abort();
                running = start();
            }
            clock.advance(Duration::from_millis(if sent < MESSAGES { 100 } else { 1_000 }));
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let stats = queue.stats(&orders()).await.expect("figures");
            if sent == MESSAGES && stats.ready + stats.delayed + stats.claimed == 0 {
                break;
            }
        }
        running.1.abort();
        judge(&chance.ledger.lock());
    }
}

fn judge(ledger: &[String]) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for body in ledger {
        *counts.entry(body).or_default() += 1;
    }
    assert_eq!(counts.len(), MESSAGES, "none is lost");
    assert!(counts.values().all(|count| *count == 1), "none is doubled: {counts:?}");
    for group in ["g1", "g2"] {
        let order: Vec<&String> = ledger.iter().filter(|body| body.starts_with(group)).collect();
        assert!(order.is_sorted(), "{group} is in order: {order:?}");
    }
}
