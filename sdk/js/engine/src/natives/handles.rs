//! Numbers for things that JavaScript holds and only Rust looks into.

use std::cell::RefCell;

/// Things by number. Numbers begin with 1 and are used again.
#[derive(Debug)]
pub(crate) struct Handles<T>(RefCell<Vec<Option<T>>>);

impl<T> Handles<T> {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Keeps a thing and gives its number.
    pub(crate) fn insert(&self, thing: T) -> u32 {
        let mut slots = self.0.borrow_mut();
        let index = slots.iter().position(Option::is_none).unwrap_or(slots.len());
        if index == slots.len() {
            slots.push(None);
        }
        slots[index] = Some(thing);
        u32::try_from(index + 1).expect("there are fewer things than a 32-bit memory has bytes")
    }

    /// Takes a thing away.
    pub(crate) fn take(&self, number: u32) -> Option<T> {
        self.0.borrow_mut().get_mut(index(number)?).and_then(Option::take)
    }

    /// Looks at a thing. `None` if there is none of this number.
    pub(crate) fn with<R>(&self, number: u32, look: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.borrow_mut().get_mut(index(number)?).and_then(Option::as_mut).map(look)
    }
}

fn index(number: u32) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}
