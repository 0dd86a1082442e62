//! Time, stack and memory of a script.

use std::cell::Cell;

use rquickjs::Runtime;

use crate::host;
use crate::script::Thrown;

/// How deep a script's calls may go, in bytes of the stack that the compiler keeps in memory. Found by test: the engine's own stack, which
/// no one can look at from within, is not yet used up by then.
const STACK_BYTES_MAX: usize = 280 << 10;

/// Cycles are collected when the heap is larger than this, and again when it has grown by half. A request's garbage dies with its instance.
const GC_THRESHOLD_BYTES: usize = 8 << 20;

thread_local! {
    static IS_INTERRUPTED: Cell<bool> = const { Cell::new(false) };
}

/// Sets them all.
pub(super) fn set(runtime: &Runtime) {
    runtime.set_max_stack_size(STACK_BYTES_MAX);
    runtime.set_gc_threshold(GC_THRESHOLD_BYTES);
    runtime.set_interrupt_handler(Some(Box::new(|| {
        let is_interrupted = IS_INTERRUPTED.get() || host::interrupted();
        IS_INTERRUPTED.set(is_interrupted);
        is_interrupted
    })));
}

/// Collects cycles now, and then not before the heap is large.
pub(super) fn collect(runtime: &Runtime) {
    runtime.run_gc();
    runtime.set_gc_threshold(GC_THRESHOLD_BYTES);
}

/// Begins an invocation.
pub(super) fn begin() {
    IS_INTERRUPTED.set(false);
}

/// Whether the host said that the time is up.
pub(super) fn is_interrupted() -> bool {
    IS_INTERRUPTED.get()
}

/// Whether this is what the engine throws when there is no memory left.
pub(super) fn is_out_of_memory(thrown: &Thrown) -> bool {
    thrown.name == "InternalError" && thrown.message == "out of memory"
}
