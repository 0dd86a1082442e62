//! One call: a fresh store and instance, the guest's handler, and an end that is always told.
//!
//! A run is one future with one allocation of its own, polled where the request is. It may be dropped at any await point: the store goes
//! with it, and the guest's stack is unwound.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use ports::{
    Scope,
    runtime::{Call, Ended, Fault, Run},
};
use types::{Code, journal::Failure};
use wasmtime::{Store, StoreContextMut, UpdateDeadline, component::Resource};

use crate::{
    component::{Places, WasmComponent},
    ended,
    host::{Host, IncomingRequest, ResponseOutparam},
    script::Texts,
    stop::Stop,
    ticker::{SLICE_TICKS, Slice},
};

/// What the host may copy out of a guest in one call of it. The largest is a batch of key-value entries.
const HOSTCALL_BYTES: usize = 8 << 20;

/// Starts a run. Nothing happens before its first poll.
pub(crate) fn start(component: Arc<WasmComponent>, call: Call) -> Pin<Box<dyn Run>> {
    let slice = Arc::new(Slice::default());
    let guest = Some(guest(component.clone(), call, slice.clone()));
    Box::pin(WasmRun { guest, slice, component })
}

pin_project! {
    /// A guest's future with what its polls need.
    struct WasmRun<F> {
        #[pin]
        guest: Option<F>,
        slice: Arc<Slice>,
        component: Arc<WasmComponent>,
    }
}

impl<F: Future<Output = Ended> + Send> Run for WasmRun<F> {
    fn is_busy(&self) -> bool {
        self.slice.is_busy()
    }
    fn could_go_on(&self) -> bool {
        self.slice.has_given_way()
    }
}

impl<F: Future<Output = Ended>> Future for WasmRun<F> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let mut this = self.project();
        let ticker = &this.component.shared.ticker;
        let guest = this.guest.as_mut().as_pin_mut().expect("a run is not polled after its end");
        let polling = ticker.polling();
        this.slice.begin(ticker.now());
        // The guest's store is not used again after a panic: it is dropped with the future, below.
        let polled = catch_unwind(AssertUnwindSafe(|| guest.poll(cx)));
        drop(polling);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(ended)) => {
                this.guest.set(None);
                Poll::Ready(ended)
            }
            Err(panic) => {
                let message = panic_message(panic.as_ref());
                tracing::error!(%message, "a host call panicked");
                if catch_unwind(AssertUnwindSafe(|| this.guest.set(None))).is_err() {
                    tracing::error!("dropping the guest panicked as well");
                }
                Poll::Ready(Ended::Stopped(Fault {
                    code: Code::E0513,
                    message: format!("dayfly failed within a call of the function: {message}"),
                    backtrace: Vec::new(),
                }))
            }
        }
    }
}

async fn guest(component: Arc<WasmComponent>, call: Call, slice: Arc<Slice>) -> Ended {
    let Call { request, scope, limits } = call;
    let mut host = Host::new(scope.clone(), request, limits);
    if let Places::Script(sources) = &component.places {
        host.script = Some(Texts::new(sources.clone()));
    }
    let mut store = Store::new(&component.shared.engine, host);
    store.limiter(|host| &mut host.limiter);
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_epoch_deadline(SLICE_TICKS);
    let ticking = component.clone();
    store.epoch_deadline_callback(move |store| at_deadline(&store, &ticking, &slice));
    let result = handle(&component, &mut store, &*scope).await;
    let stopped = result
        .err()
        .map(|error| ended::fault(&error, store.data().limiter.denied(), ended::Origin::Code(&component.places, limits.time)));
    let finished = store.into_data().finish();
    // What stopped the guest comes before what the host found wanting at its end.
    match stopped.or_else(|| finished.err().map(|stop| ended::stopped(&stop))) {
        Some(fault) => Ended::Stopped(fault),
        None => Ended::Returned,
    }
}

async fn handle(component: &WasmComponent, store: &mut Store<Host>, scope: &dyn Scope) -> wasmtime::Result<()> {
    type Arguments = (Resource<IncomingRequest>, Resource<ResponseOutparam>);
    let instance = component.instances.instantiate_async(&mut *store).await?;
    let handle = instance.get_typed_func::<Arguments, ()>(&mut *store, &component.handle)?;
    let arguments = store.data_mut().incoming()?;
    scope.instantiated();
    handle.call_async(store, arguments).await
}

/// Called inside the guest when its epoch deadline has passed. Time in which it waited does not count against it.
fn at_deadline(store: &StoreContextMut<'_, Host>, component: &WasmComponent, slice: &Slice) -> wasmtime::Result<UpdateDeadline> {
    if !slice.is_used_up(component.shared.ticker.now()) {
        return Ok(UpdateDeadline::Continue(1));
    }
    if store.data().client_gone() {
        return Err(Stop::Failed(Failure { code: Code::E0511, message: Code::E0511.title().to_owned() }).into());
    }
    slice.give_way();
    // The engine's own yield wakes the task while it is being polled, which tokio answers by putting it behind all that wait on this
    // worker. tokio's `yield_now` does not do here: a worker that looks for events after each poll, as the busy lane's does, wakes the
    // task from there and into its slot for the next to run, so that one spinning guest starves all others.
    Ok(UpdateDeadline::Yield(1))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    crate::backtrace::printable(text.unwrap_or("no message"), 500)
}
