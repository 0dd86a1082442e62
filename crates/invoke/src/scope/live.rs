//! The live scope: real services, everything noted.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, atomic::AtomicU32},
};

use bytes::Bytes;
use http::Response;
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Clock, Kv, Outbound, Publish, Scope, Tape,
    scope::{OpenBucket, OpenKv, OpenQueue, OpenSql, OpenStream},
    secrets::SecretValue,
    tape::{Diverged, Question},
};
use types::{
    ByteCount, Cause, Code, Elapsed, LiveFunction, Timestamp,
    app::{Resource, ResourceKind},
    journal::{Answer, Entry, Failure, Level, LogLine},
    kv::Namespace,
    object::BucketName,
    queue::QueueName,
    sql::DatabaseName,
    stream::StreamName,
};

use super::{
    bucket, bus,
    granted::{GrantedKv, GrantedOutbound},
    held::{Held, kv::HeldKv},
    internal::Internal,
    queue,
    random::SeedStream,
    recorded::{RecordedKv, RecordedOutbound},
    secret,
    service::{self, Decide, Granted, Recorded, Service},
    sql, stream,
};
use crate::{
    engine::Services,
    flight::Slot,
    journal::{Note, Writer},
    memory::Share,
};

/// What notes things: the journal with the clock that dates them.
pub(crate) struct Pen {
    clock: Arc<dyn Clock>,
    began_ns: u64,
    writer: Mutex<Writer>,
}

impl Pen {
    /// Time since admission.
    pub(crate) fn elapsed(&self) -> Elapsed {
        Elapsed::from_ns(self.clock.monotonic_ns().saturating_sub(self.began_ns))
    }
    pub(crate) fn write<T>(&self, with: impl FnOnce(&mut Writer) -> T) -> T {
        with(&mut self.writer.lock())
    }
}

/// One live invocation's world.
pub(crate) struct LiveScope {
    services: Arc<Services>,
    function: Arc<LiveFunction>,
    pub(crate) pen: Arc<Pen>,
    pub(crate) slot: Slot,
    pub(crate) seed: [u8; 32],
    /// What this invocation is to whatever it causes.
    pub(crate) cause: Cause,
    /// Where its effects wait, if they are atomic.
    pub(crate) held: Option<Arc<Held>>,
    repeatable: Option<Arc<[u8; 32]>>,
    random: Mutex<Option<SeedStream>>,
    outbound: Mutex<Option<Arc<dyn Outbound>>>,
    connections: OnceLock<Arc<sql::Open>>,
    memory: Share,
}

/// What a live scope is made of.
pub(crate) struct Beginning {
    pub(crate) function: Arc<LiveFunction>,
    pub(crate) began_ns: u64,
    pub(crate) seed: [u8; 32],
    pub(crate) cause: Cause,
    pub(crate) detailed: bool,
    pub(crate) held: Option<Arc<Held>>,
    /// What is the same in every delivery of the same events; nothing for requests, which nobody repeats.
    pub(crate) repeatable: Option<Arc<[u8; 32]>>,
}

impl LiveScope {
    pub(crate) fn new(services: Arc<Services>, beginning: Beginning) -> Self {
        let Beginning { function, began_ns, seed, cause, detailed, held, repeatable } = beginning;
        let writer = Mutex::new(Writer::new(detailed));
        let pen = Arc::new(Pen { clock: services.clock.clone(), began_ns, writer });
        let (slot, random, outbound) = (Slot::default(), Mutex::default(), Mutex::default());
        let (memory, connections) = (services.memory.share(), OnceLock::new());
        Self { services, function, pen, slot, seed, cause, held, repeatable, random, outbound, connections, memory }
    }

    /// What the live half of a service is made of, if the grants name the resource.
    fn granted(&self, kind: ResourceKind, name: &str, decide: Decide) -> Result<Granted, Failure> {
        let LiveFunction { function, .. } = &*self.function;
        let access = decide(function.name.as_str(), &function.uses, kind, name).inspect_err(|failure| self.refused(failure))?;
        Ok(Granted {
            services: self.services.clone(),
            function: self.function.clone(),
            cause: self.cause,
            held: self.held.clone(),
            access,
            resource: Resource { kind, name: name.to_owned() },
        })
    }

    fn recorded(&self, inner: impl Service + 'static) -> Arc<dyn Service> {
        Arc::new(Recorded { inner, pen: self.pen.clone() })
    }
}

impl Scope for LiveScope {
    fn kv(&self, store: &str) -> Result<OpenKv, Failure> {
        let LiveFunction { key, function, resources, .. } = &*self.function;
        let access = service::access(function.name.as_str(), &function.uses, ResourceKind::Kv, store);
        let access = access.inspect_err(|failure| self.refused(failure))?;
        let (kv, clock) = (self.services.kv.clone(), &self.services.clock);
        let inner: Arc<dyn Kv> = match &self.held {
            Some(held) => Arc::new(HeldKv { inner: kv, held: held.clone(), clock: clock.clone() }),
            None => kv,
        };
        let expire = resources.kv.get(store).and_then(|settings| settings.expire);
        let granted = Arc::new(GrantedKv::new(inner, access, store, self.cause).expiring(expire, clock));
        let recorded = RecordedKv { inner: granted, store: store.to_owned(), pen: self.pen.clone() };
        Ok(OpenKv { kv: Arc::new(recorded), namespace: Namespace::of(&key.app, &key.env, store) })
    }

    fn queue(&self, name: &str) -> Result<OpenQueue, Failure> {
        let service = self.recorded(queue::Live(self.granted(ResourceKind::Queue, name, service::send_access)?));
        let front = queue::Front { service, name: name.to_owned() };
        let key = &self.function.key;
        Ok(OpenQueue { queue: Arc::new(front), name: QueueName::of(&key.app, &key.env, name) })
    }

    fn stream(&self, name: &str) -> Result<OpenStream, Failure> {
        let service = self.recorded(stream::Live(self.granted(ResourceKind::Stream, name, service::access)?));
        let front = stream::Front { service, name: name.to_owned() };
        let key = &self.function.key;
        Ok(OpenStream { log: Arc::new(front), name: StreamName::of(&key.app, &key.env, name) })
    }

    fn sql(&self, name: &str) -> Result<OpenSql, Failure> {
        let granted = self.granted(ResourceKind::Sql, name, service::access)?;
        let access = sql::access_of(granted.access);
        let open = self.connections.get_or_init(Arc::default).clone();
        let connections = open.numbers.clone();
        let service = self.recorded(sql::Live { granted, open });
        let key = &self.function.key;
        let database = DatabaseName::of(&key.app, &key.env, name);
        Ok(OpenSql { sql: Arc::new(sql::Front { service, name: name.to_owned(), connections }), database, access })
    }

    fn bucket(&self, name: &str) -> Result<OpenBucket, Failure> {
        let granted = self.granted(ResourceKind::Bucket, name, service::access)?;
        let service = self.recorded(bucket::Live { granted, pen: self.pen.clone() });
        let key = &self.function.key;
        let bucket = BucketName::of(&key.app, &key.env, name);
        let front = bucket::Front { service, name: name.to_owned(), bucket: bucket.clone() };
        Ok(OpenBucket { objects: Arc::new(front), bucket })
    }

    fn bus(&self, name: &str) -> Result<Arc<dyn Publish>, Failure> {
        let service = self.recorded(bus::Live(self.granted(ResourceKind::Event, name, service::send_access)?));
        Ok(Arc::new(bus::Front { service, name: name.to_owned() }))
    }

    fn secret(&self, name: &str) -> BoxFuture<Result<Option<SecretValue>, Failure>> {
        let LiveFunction { function, .. } = &*self.function;
        match service::access(function.name.as_str(), &function.uses, ResourceKind::Secret, name) {
            Ok(_) => Box::pin(secret::read(self.services.clone(), self.function.clone(), self.pen.clone(), name.to_owned())),
            Err(failure) => {
                self.refused(&failure);
                Box::pin(std::future::ready(Err(failure)))
            }
        }
    }

    fn secrets(&self) -> Vec<String> {
        service::secrets(&self.function.function.uses)
    }

    fn source(&self) -> String {
        service::source(&self.function.key.app, &self.function.function.name)
    }

    fn outbound(&self) -> Arc<dyn Outbound> {
        let open = || -> Arc<dyn Outbound> {
            let (services, function) = (self.services.clone(), self.function.clone());
            let inner = Arc::new(GrantedOutbound {
                inner: services.outbound.clone(),
                internal: Internal { services, function, cause: self.cause },
                calls: AtomicU32::new(0),
                repeatable: self.repeatable.clone(),
            });
            let traceparent = self.cause.trace.to_traceparent();
            let traceparent = traceparent.parse().expect("a traceparent is hexadecimal digits and dashes");
            Arc::new(RecordedOutbound { inner, traceparent, pen: self.pen.clone() })
        };
        self.outbound.lock().get_or_insert_with(open).clone()
    }

    fn environment(&self) -> &BTreeMap<String, String> {
        &self.function.function.env
    }

    fn wall_now(&self) -> Timestamp {
        let now = self.services.clock.now();
        self.pen.write(|writer| writer.answer(Answer::Wall(now)));
        now
    }

    fn monotonic_now(&self) -> u64 {
        let now = self.services.clock.monotonic_ns();
        self.pen.write(|writer| writer.answer(Answer::Monotonic(now)));
        now
    }

    fn sleep_until(&self, monotonic_ns: u64) -> BoxFuture<()> {
        self.services.clock.sleep_until(monotonic_ns)
    }

    fn random(&self, bytes: &mut [u8]) {
        self.random.lock().get_or_insert_with(|| SeedStream::new(&self.seed)).fill(bytes);
    }

    fn is_overdue(&self) -> bool {
        self.services.clock.monotonic_ns() >= super::overdue_ns(self.pen.began_ns, self.function.function.limits.time)
    }

    fn tape(&self) -> &dyn Tape {
        self
    }

    fn instantiated(&self) {
        let at = self.pen.elapsed();
        self.pen.write(|writer| writer.instantiated = Some(at));
    }

    fn log(&self, level: Level, context: &str, text: &str) {
        let at = self.pen.elapsed();
        self.pen.write(|writer| writer.log(LogLine { at, level, context: context.to_owned(), text: text.to_owned() }));
    }

    fn memory(&self, bytes: ByteCount) {
        self.memory.set(bytes);
        self.pen.write(|writer| writer.counts.memory_peak = writer.counts.memory_peak.max(bytes.0));
    }

    fn grow_denied(&self, wanted: u64, allowed: u64) {
        let at = self.pen.elapsed();
        self.pen.write(|writer| writer.note(Note::Entry(Entry::GrowDenied { at, wanted, allowed })));
    }

    fn refused(&self, failure: &Failure) {
        let Failure { code, message } = failure.clone();
        if code == Code::E0509 {
            self.slot.break_off(&message);
        }
        let at = self.pen.elapsed();
        self.pen.write(|writer| writer.note(Note::Entry(Entry::Refused { at, code, message })));
    }

    fn body_read(&self, bytes: u64) {
        self.pen.write(|writer| writer.counts.bytes_in += bytes);
    }

    fn respond(&self, response: Response<Body>) {
        let at = self.pen.elapsed();
        self.pen.write(|writer| {
            writer.counts.bytes_out += crate::flight::head_bytes(response.headers());
            if writer.detailed {
                writer.note(Note::Respond { at, status: response.status(), headers: response.headers().clone() });
            }
        });
        self.slot.give(response);
    }

    fn body_written(&self, bytes: &Bytes) {
        self.pen.write(|writer| {
            writer.counts.bytes_out += bytes.len() as u64;
            if writer.detailed {
                writer.body.add(bytes);
            }
        });
    }
}

impl Tape for LiveScope {
    fn recall(&self, _: Question) -> Result<Option<Answer>, Diverged> {
        Ok(None)
    }
    fn keeps(&self) -> bool {
        self.pen.write(|writer| writer.records())
    }
    fn keep(&self, answer: Answer) {
        self.pen.write(|writer| writer.answer(answer));
    }
}
