//! The machine: one runtime with one context, through its three phases.
//!
//! Its state is the thread's: an instance has one thread and one machine, and so has each native test. A machine is never freed, as the
//! memory of an instance ends with it.

mod common_js;
pub(crate) mod events;
mod limits;
mod modules;
pub(crate) mod phase;
mod rejections;
mod synthetic;
mod thrown;
pub(crate) mod timers;

use std::cell::Cell;
use std::mem::ManuallyDrop;

use rquickjs::{Context, Ctx, Function, Module, Object, Persistent, Promise, Runtime, Value, promise::PromiseState};

use crate::memory;
use crate::natives;
use crate::script::{Failure, Refusal, Script, Thrown};
use events::Ended;
use phase::Phase;

pub use phase::current as current_phase;

/// A failed invocation: how, and with what.
pub type Failed = (Failure, Thrown);

thread_local! {
    static IS_WRONG_ANSWER: Cell<bool> = const { Cell::new(false) };
}

/// A runtime with the prelude in it, and perhaps a script.
pub struct Machine {
    context: ManuallyDrop<Context>,
    /// `load`, `serve` and `place` of the prelude's `dispatch`.
    load: Persistent<Function<'static>>,
    serve: Persistent<Function<'static>>,
    place: Persistent<Function<'static>>,
}

impl Machine {
    /// Makes the runtime and evaluates the prelude.
    ///
    /// # Errors
    ///
    /// The prelude threw, which is a mistake in it.
    pub fn new() -> Result<Self, Thrown> {
        phase::enter(Phase::Setup);
        let no_memory = |_| Thrown { message: "there is too little memory for the engine".to_owned(), ..Thrown::default() };
        let runtime = ManuallyDrop::new(Runtime::new().map_err(no_memory)?);
        limits::set(&runtime);
        rejections::watch(&runtime);
        modules::install(&runtime);
        let context = ManuallyDrop::new(Context::full(&runtime).map_err(no_memory)?);
        let [load, serve, place] = context.with(|ctx| {
            evaluate_prelude(&ctx)
                .and_then(|main| Ok([kept(&main, "load")?, kept(&main, "serve")?, kept(&main, "place")?]))
                .map_err(|error| thrown_of(&ctx, error))
        })?;
        limits::collect(&runtime);
        memory::seal();
        Ok(Self { context, load, serve, place })
    }

    /// Evaluates a script. Gives the names of the handlers that it has.
    ///
    /// # Errors
    ///
    /// It does not parse, it threw at top level, or it lacks a handler.
    pub fn load(&self, script: Script) -> Result<Vec<String>, Refusal> {
        phase::enter(Phase::Load);
        let Script { entry, modules, bindings, handlers } = script;
        modules::provide(modules);
        let handlers = self.context.with(|ctx| {
            let module = modules::declared(&ctx, &entry).map_err(|error| Refusal::Syntax(thrown_of(&ctx, error)))?;
            // Errors of linking come at once, those of evaluation through the promise.
            let (module, promise) = module.eval().map_err(|error| Refusal::Syntax(thrown_of(&ctx, error)))?;
            settle(&ctx, &promise).map_err(|(_, thrown)| Refusal::Threw(thrown))?;
            let namespace = module.namespace().map_err(|error| Refusal::Threw(thrown_of(&ctx, error)))?;
            let bindings: Vec<Vec<String>> =
                bindings.into_iter().map(|binding| vec![binding.resource.to_owned(), binding.name]).collect();
            let answer = self.load.clone().restore(&ctx).and_then(|load| load.call((namespace, bindings, handlers)));
            let answer: Value<'_> = answer.map_err(|error| Refusal::Threw(thrown_of(&ctx, error)))?;
            handlers_of(&answer)
        })?;
        memory::seal();
        Ok(handlers)
    }

    /// Runs one invocation: what the host has for [`crate::host`] is the request.
    ///
    /// # Errors
    ///
    /// It failed; the host ends it with this.
    pub fn serve(&self) -> Result<(), Failed> {
        begin();
        self.context.with(|ctx| self.serve_in(&ctx).map_err(|failed| self.placed(&ctx, failed)))
    }

    fn serve_in(&self, ctx: &Ctx<'_>) -> Result<(), Failed> {
        let started = self.serve.clone().restore(ctx).and_then(|serve| serve.call::<_, Value<'_>>(()));
        let value = started.map_err(|error| failed_of(ctx, error))?;
        match value.as_promise() {
            // A handler that waits for nothing has no promise to wait for; what it left to be done at once is done.
            None => match events::run_ready(ctx) {
                Ended::Stopped => Err(failed_of(ctx, rquickjs::Error::Exception)),
                Ended::Settled | Ended::Stuck => Ok(()),
            },
            Some(promise) => settle(ctx, promise),
        }
    }

    /// What was thrown and has no place in the script, as a text or what the platform says of an answer, is placed where its handler is.
    fn placed(&self, ctx: &Ctx<'_>, (failure, mut thrown): Failed) -> Failed {
        if failure != Failure::NeverSettles && !thrown::has_place(&thrown) {
            let place = self.place.clone().restore(ctx).and_then(|place| place.call::<_, String>(()));
            match place {
                Ok(place) if !place.is_empty() => thrown.stack = place,
                Ok(_) => {}
                // It was stopped, or has no memory.
                Err(_) => drop(ctx.catch()),
            }
        }
        (failure, thrown)
    }

    /// Runs a script to its end as one invocation, for tests of the prelude: top-level code may do what a handler may.
    ///
    /// # Errors
    ///
    /// It does not parse, or it threw.
    pub fn run(&self, script: Script) -> Result<(), Failed> {
        phase::enter(Phase::Load);
        modules::provide(script.modules);
        self.context.with(|ctx| {
            let module = modules::declared(&ctx, &script.entry).map_err(|error| failed_of(&ctx, error))?;
            begin();
            let (_, promise) = module.eval().map_err(|error| failed_of(&ctx, error))?;
            settle(&ctx, &promise)
        })
    }
}

/// Has the present invocation fail as one that gave a wrong answer, when it throws next.
pub(crate) fn note_wrong_answer() {
    IS_WRONG_ANSWER.set(true);
}

/// Evaluates all of the prelude in its order, and gives what `dispatch` exports.
fn evaluate_prelude<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let imports = crate::prelude::MODULES.iter().map(|module| format!("import \"{}{}\";\n", modules::PRELUDE, module.name));
    let code = format!("{}export * from \"{}dispatch\";\n", imports.collect::<String>(), modules::PRELUDE);
    let (module, promise) = Module::declare(ctx.clone(), "dayfly:main", code)?.eval()?;
    promise.finish::<()>()?;
    module.namespace()
}

/// A function that a module exports, to be called later.
fn kept<'js>(main: &Object<'js>, name: &str) -> rquickjs::Result<Persistent<Function<'static>>> {
    Ok(Persistent::save(main.ctx(), main.get::<_, Function<'js>>(name)?))
}

/// Begins an invocation: nothing of what was at deploy goes on in it.
fn begin() {
    phase::enter(Phase::Serve);
    limits::begin();
    natives::reseed();
}

/// Runs until the promise is settled.
fn settle<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> Result<(), Failed> {
    let ended = events::run(ctx, promise);
    if let Some(uncaught) = rejections::take_uncaught() {
        let value = uncaught.restore(ctx).map_err(|error| failed_of(ctx, error))?;
        return Err((Failure::Threw, thrown::describe(ctx, &value)));
    }
    match ended {
        Ended::Stopped => Err(failed_of(ctx, rquickjs::Error::Exception)),
        Ended::Stuck => Err((Failure::NeverSettles, Thrown::default())),
        Ended::Settled if promise.state() == PromiseState::Resolved => Ok(()),
        Ended::Settled => {
            let reason = promise.result::<Value<'js>>().and_then(Result::err);
            Err(failed_of(ctx, reason.unwrap_or(rquickjs::Error::Exception)))
        }
    }
}

fn handlers_of(answer: &Value<'_>) -> Result<Vec<String>, Refusal> {
    if let Some(text) = answer.as_string().and_then(|text| text.to_string().ok()) {
        return Err(Refusal::Handlers(text));
    }
    Ok(answer.as_array().map(|names| names.iter::<String>().flatten().collect()).unwrap_or_default())
}

fn thrown_of(ctx: &Ctx<'_>, error: rquickjs::Error) -> Thrown {
    failed_of(ctx, error).1
}

/// What an error is to the host.
fn failed_of(ctx: &Ctx<'_>, error: rquickjs::Error) -> Failed {
    let value = rejections::value_of(ctx, error).unwrap_or_else(|| ctx.catch());
    let thrown = thrown::describe(ctx, &value);
    let failure = if limits::is_interrupted() {
        Failure::Interrupted
    } else if limits::is_out_of_memory(&thrown) {
        Failure::OutOfMemory
    } else if IS_WRONG_ANSWER.take() {
        Failure::WrongAnswer
    } else {
        Failure::Threw
    };
    (failure, thrown)
}
