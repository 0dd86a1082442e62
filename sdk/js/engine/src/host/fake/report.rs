//! What the machine reports to the platform, kept for the test.

use std::cell::{Cell, RefCell};

use crate::script::Thrown;

thread_local! {
    static UNHANDLED: RefCell<Vec<Thrown>> = const { RefCell::new(Vec::new()) };
    static INTERRUPT_AFTER: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Keeps a rejection that nobody handled.
pub(crate) fn unhandled_rejection(thrown: &Thrown) {
    eprintln!("unhandled rejection: {}: {}\n{}", thrown.name, thrown.message, thrown.stack);
    UNHANDLED.with_borrow_mut(|unhandled| unhandled.push(thrown.clone()));
}

/// The rejections since this was last asked.
pub fn take_unhandled() -> Vec<Thrown> {
    UNHANDLED.take()
}

/// Has the time be up when the machine asks for the `count`th time from now.
pub fn interrupt_after(count: u32) {
    INTERRUPT_AFTER.set(Some(count));
}

/// Whether the time is up.
pub(crate) fn interrupted() -> bool {
    match INTERRUPT_AFTER.get() {
        None => false,
        Some(0) => true,
        Some(left) => {
            INTERRUPT_AFTER.set(Some(left - 1));
            left == 1
        }
    }
}
