//! The live scope: real services, everything noted.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::Response;
use parking_lot::Mutex;
use ports::{
    Body, BoxFuture, Clock, Outbound, Scope, Tape,
    scope::OpenKv,
    tape::{Diverged, Question},
};
use types::{
    ByteCount, Code, Elapsed, LiveFunction, Timestamp,
    journal::{Answer, Entry, Failure, Level, LogLine},
    kv::Namespace,
};

use super::{
    granted::{self, GrantedKv, GrantedOutbound},
    random::SeedStream,
    recorded::{RecordedKv, RecordedOutbound},
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
    traceparent: types::TraceContext,
    random: Mutex<Option<SeedStream>>,
    outbound: Mutex<Option<Arc<dyn Outbound>>>,
    memory: Share,
}

/// What a live scope is made of.
pub(crate) struct Beginning {
    pub(crate) function: Arc<LiveFunction>,
    pub(crate) began_ns: u64,
    pub(crate) seed: [u8; 32],
    pub(crate) trace: types::TraceContext,
    pub(crate) detailed: bool,
}

impl LiveScope {
    pub(crate) fn new(services: Arc<Services>, beginning: Beginning) -> Self {
        let Beginning { function, began_ns, seed, trace, detailed } = beginning;
        let writer = Mutex::new(Writer::new(detailed));
        let pen = Arc::new(Pen { clock: services.clock.clone(), began_ns, writer });
        let (slot, random, outbound) = (Slot::default(), Mutex::default(), Mutex::default());
        let memory = services.memory.share();
        Self { services, function, pen, slot, seed, traceparent: trace, random, outbound, memory }
    }
}

impl Scope for LiveScope {
    fn kv(&self, store: &str) -> Result<OpenKv, Failure> {
        let LiveFunction { key, function, .. } = &*self.function;
        let access =
            granted::kv_access(function.name.as_str(), &function.uses, store).inspect_err(|failure| self.refused(failure))?;
        let granted = Arc::new(GrantedKv::new(self.services.kv.clone(), access, store));
        let recorded = RecordedKv { inner: granted, store: store.to_owned(), pen: self.pen.clone() };
        Ok(OpenKv { kv: Arc::new(recorded), namespace: Namespace::of(&key.app, &key.env, store) })
    }

    fn outbound(&self) -> Arc<dyn Outbound> {
        let open = || -> Arc<dyn Outbound> {
            let inner = Arc::new(GrantedOutbound::new(self.services.outbound.clone(), self.function.clone()));
            let traceparent = self.traceparent.to_traceparent();
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
