//! Running the engine before anything is served: its own setup, and a script's top-level code. What remains is the memory.
//!
//! Both run on the calling thread to the end. Nothing that they could wait for ever comes, so waiting is an error; and they have bounds of their own:
//! CPU time, of which the engine is told when it is used up, and which ends the instance if it does not listen.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use ports::{Body, Scope};
use types::{ByteCount, Code, Digest, Elapsed, Limits, Problem, Script, journal::Failure, limits};
use wasmtime::{
    Store, UpdateDeadline,
    component::{InstancePre, WasmList},
};

use super::{
    Sources, Texts,
    bindings::{Loader, exports::dayfly::js::script::Guest},
    convert,
    scope::LoadScope,
    search,
    story::{Story, Thrown},
};
use crate::{
    backtrace::printable,
    component::Shared,
    ended,
    host::{Host, bindings::dayfly::js::types::Refusal},
    limits::Denied,
    script::report::Uncaught,
    stop::Stop,
    ticker::SLICE_TICKS,
};

/// After so many times the CPU time that it may use, an engine that doesn't listen is ended.
const PATIENCE: u64 = 2;

/// A script that was loaded.
pub(super) struct Loaded {
    /// All of its memory.
    pub(super) memory: Vec<u8>,
    /// What its top-level code logged.
    pub(super) logs: Vec<String>,
    /// CPU time that it took.
    pub(super) cpu: Elapsed,
}

/// Runs the engine's setup, and gives its memory.
pub(super) fn setup(shared: &Shared, engine: &InstancePre<Host>, seed: &Digest) -> Result<Vec<u8>, Problem> {
    let scope = Arc::new(LoadScope::new(seed.as_bytes()));
    let mut store = store(shared, &scope, None);
    let _ticking = shared.ticker.polling();
    let work = async {
        let loader = instantiate(engine, &mut store).await?;
        loader.call_setup(&mut store).await?;
        snapshot(loader, &mut store).await
    };
    let made = to_the_end(work).unwrap_or_else(|| Err(wasmtime::Error::msg("it waits")));
    made.map_err(|error| {
        let fault = ended::fault(&error, None, ended::Origin::Unknown);
        fault.backtrace.into_iter().fold(broken(&fault.message), Problem::note)
    })
}

/// Loads the script into an instance of the engine, and gives its memory.
pub(super) fn load(
    shared: &Shared,
    engine: &InstancePre<Host>,
    digest: &Digest,
    script: &Arc<Script>,
) -> Result<Loaded, Problem> {
    let scope = Arc::new(LoadScope::new(digest.as_bytes()));
    let mut store = store(shared, &scope, Some(script.clone()));
    let _ticking = shared.ticker.polling();
    let work = async {
        let loader = instantiate(engine, &mut store).await?;
        match loader.call_load(&mut store, &convert::script(script)).await? {
            Err(refusal) => Ok(Err(refusal)),
            Ok(_) => snapshot(loader, &mut store).await.map(Ok),
        }
    };
    let ended = to_the_end(work);
    let told = Teller { scope: &scope, script, denied: store.data().limiter.denied() };
    match ended {
        Some(Ok(Ok(memory))) => Ok(Loaded { memory, logs: scope.logs(), cpu: scope.used() }),
        Some(Ok(Err(refusal))) => Err(told.refusal(refusal)),
        Some(Err(error)) => Err(told.error(&error)),
        None => Err(told.waits()),
    }
}

fn store(shared: &Shared, scope: &Arc<LoadScope>, script: Option<Arc<Script>>) -> Store<Host> {
    let request = http::Request::new(Body::Empty);
    let limits = Limits { memory: limits::SCRIPT_MEMORY, ..Limits::default() };
    let mut host = Host::new(scope.clone(), request, limits);
    host.script = script.map(|script| Texts::new(Sources::Held(script)));
    let mut store = Store::new(&shared.engine, host);
    store.limiter(|host| &mut host.limiter);
    // The whole memory comes out at the end.
    store.set_hostcall_fuel(limits::SCRIPT_MEMORY.as_usize() + (1 << 20));
    store.set_epoch_deadline(SLICE_TICKS);
    let scope = scope.clone();
    let allowed = Elapsed::from(limits::SCRIPT_LOAD_TIME);
    store.epoch_deadline_callback(move |_| {
        if scope.used().ns() < allowed.ns() * PATIENCE {
            return Ok(UpdateDeadline::Continue(1));
        }
        Err(Stop::Failed(Failure { code: Code::E0316, message: too_long(&scope).message }).into())
    });
    store
}

async fn instantiate(engine: &InstancePre<Host>, store: &mut Store<Host>) -> wasmtime::Result<Guest> {
    let instance = engine.instantiate_async(&mut *store).await?;
    Ok(Loader::new(&mut *store, &instance)?.dayfly_js_script().clone())
}

/// The guest's memory, in one copy.
async fn snapshot(loader: Guest, store: &mut Store<Host>) -> wasmtime::Result<Vec<u8>> {
    // As bytes of the guest's memory, where the generated method would copy them one more time.
    let function = loader.func_snapshot().func().typed::<(), (WasmList<u8>,)>(&*store)?;
    let (bytes,) = function.call_async(&mut *store, ()).await?;
    Ok(bytes.as_le_slice(&*store).to_vec())
}

/// The future's value; nothing if it waits.
fn to_the_end<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn broken(what: &str) -> Problem {
    Problem::new(Code::E0513, format!("the JavaScript engine can't be set up: {what}"))
}

fn too_long(scope: &LoadScope) -> Problem {
    Problem::limit(Code::E0316, "CPU time", scope.used(), Elapsed::from(limits::SCRIPT_LOAD_TIME))
        .help("do in a handler what takes long, or prepare its result when you build")
}

/// Says why a script was not loaded.
struct Teller<'a> {
    scope: &'a LoadScope,
    script: &'a Script,
    denied: Option<Denied>,
}

impl Teller<'_> {
    fn refusal(&self, refusal: Refusal) -> Problem {
        match refusal {
            Refusal::Syntax(thrown) => {
                let thrown = convert::thrown(thrown);
                self.story(&thrown).or_at(|| search::missing_export(self.script, &thrown.message)).problem(Code::E0312)
            }
            // Whatever it makes of being told that its time is up, or its memory.
            Refusal::Threw(thrown) if self.scope.is_overdue() => self.over(too_long(self.scope), &convert::thrown(thrown)),
            Refusal::Threw(thrown) if self.denied.is_some() => self.over(self.too_large(), &convert::thrown(thrown)),
            Refusal::Threw(thrown) => match convert::thrown(thrown) {
                thrown if thrown == Thrown::default() => self.waits(),
                thrown => self.story(&thrown).problem(Code::E0315),
            },
            Refusal::Handlers(what) => self.handlers(&what),
        }
    }

    fn error(&self, error: &wasmtime::Error) -> Problem {
        if let Some(Stop::Uncaught(uncaught)) = error.downcast_ref::<Stop>() {
            let Uncaught { failure, thrown } = &**uncaught;
            return match failure {
                super::report::Failure::Interrupted => self.over(too_long(self.scope), thrown),
                super::report::Failure::OutOfMemory => self.over(self.too_large(), thrown),
                _ => self.story(thrown).problem(Code::E0315),
            };
        }
        let fault = ended::fault(error, self.denied, ended::Origin::Unknown);
        match fault.code {
            Code::E0503 => self.too_large(),
            Code::E0316 | Code::E0512 | Code::E0513 => Problem::new(fault.code, fault.message),
            _ => Problem::new(Code::E0315, format!("{}: {}", Code::E0315.title(), fault.message)),
        }
    }

    fn too_large(&self) -> Problem {
        let wanted = match self.denied {
            Some(Denied::Memory { wanted, .. }) => ByteCount(wanted).to_string(),
            Some(Denied::Table { .. }) | None => format!("more than {}", limits::SCRIPT_MEMORY),
        };
        Problem::limit(Code::E0316, "memory", wanted, limits::SCRIPT_MEMORY)
            .help("load large data in a handler, from a store or a bucket")
    }

    fn story(&self, thrown: &Thrown) -> Story {
        Story::of(thrown, Some(self.script))
    }

    /// A limit that was hit, with the place where.
    fn over(&self, limit: Problem, thrown: &Thrown) -> Problem {
        self.story(thrown).complete(limit)
    }

    /// It awaits what never comes.
    fn waits(&self) -> Problem {
        let problem = Problem::new(Code::E0315, format!("{}: what it awaits never settles", Code::E0315.title()));
        Story::default().or_at(|| search::await_in_entry(self.script)).complete(problem).help("move what waits into a handler")
    }

    /// What the engine misses, at the entry's default export.
    fn handlers(&self, what: &str) -> Problem {
        let problem = Problem::new(Code::E0318, format!("{}: {}", Code::E0318.title(), printable(what, 1_000)));
        Story::default().or_at(|| search::default_export(self.script)).complete(problem)
    }
}
