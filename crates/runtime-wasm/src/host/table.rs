//! The resources that a guest holds handles to.
//!
//! One flat table for one guest: an item lies in its slot by value, so that making a handle allocates nothing once the table has its
//! first room. A child (a stream of a body, a pollable of a stream) keeps its parent from being dropped, as the interfaces ask, and so
//! may name it by index.

use types::limits;
use wasmtime::component::Resource;

use super::{
    blobstore::{Container, IncomingValue, ObjectNames, OutgoingValue},
    http::{
        body::OutgoingBody,
        fields::Fields,
        future::FutureIncomingResponse,
        incoming::{FutureTrailers, IncomingBody, IncomingRequest, IncomingResponse},
        outgoing::{OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam},
    },
    io::{
        error::IoError,
        poll::Pollable,
        streams::{InputStream, OutputStream},
    },
    keyvalue::{Bucket, Swap},
    queue::QueueHandle,
    sql::Connection,
    stream::StreamHandle,
};
use crate::stop::Stop;

/// Room for the handles of a usual request, so that the table grows seldom.
const ROOM: usize = 16;
const NONE: u32 = u32::MAX;

/// What can lie in the table. Implemented for each kind of resource by the macro below.
pub(crate) trait Held: Sized {
    /// What guests call it.
    const NAME: &'static str;
    fn wrap(self) -> Item;
    fn of(item: &Item) -> Option<&Self>;
    fn of_mut(item: &mut Item) -> Option<&mut Self>;
    fn unwrap(item: Item) -> Option<Self>;
}

macro_rules! items {
    ($($kind:ident $name:literal,)*) => {
        /// Anything that a guest may hold a handle to.
        pub(crate) enum Item { $($kind($kind),)* }

        $(impl Held for $kind {
            const NAME: &'static str = $name;
            fn wrap(self) -> Item { Item::$kind(self) }
            fn of(item: &Item) -> Option<&Self> { if let Item::$kind(held) = item { Some(held) } else { None } }
            fn of_mut(item: &mut Item) -> Option<&mut Self> { if let Item::$kind(held) = item { Some(held) } else { None } }
            fn unwrap(item: Item) -> Option<Self> { if let Item::$kind(held) = item { Some(held) } else { None } }
        })*
    };
}
items! {
    IoError "error",
    Pollable "pollable",
    InputStream "input-stream",
    OutputStream "output-stream",
    Fields "fields",
    IncomingRequest "incoming-request",
    IncomingResponse "incoming-response",
    IncomingBody "incoming-body",
    FutureTrailers "future-trailers",
    FutureIncomingResponse "future-incoming-response",
    OutgoingRequest "outgoing-request",
    OutgoingResponse "outgoing-response",
    OutgoingBody "outgoing-body",
    RequestOptions "request-options",
    ResponseOutparam "response-outparam",
    Bucket "bucket",
    Swap "cas",
    QueueHandle "queue",
    StreamHandle "stream",
    Connection "connection",
    Container "container",
    ObjectNames "stream-object-names",
    OutgoingValue "outgoing-value",
    IncomingValue "incoming-value",
}

enum Slot {
    Free { next: u32 },
    Used { item: Item, parent: u32, children: u32 },
}

/// The table of one guest.
pub(crate) struct Table {
    slots: Vec<Slot>,
    free: u32,
    used: usize,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::with_capacity(ROOM), free: NONE, used: 0 }
    }

    /// Takes the item in and gives its handle.
    ///
    /// # Errors
    /// [`Stop::TooManyHandles`] at `limits::HANDLES`.
    pub(crate) fn push<T: Held>(&mut self, item: T) -> Result<Resource<T>, Stop> {
        self.insert(item.wrap(), NONE).map(Resource::new_own)
    }

    /// Takes the item in as a child of another, which can't be dropped before it.
    pub(crate) fn push_child<T: Held>(&mut self, item: T, parent: u32) -> Result<Resource<T>, Stop> {
        let index = self.insert(item.wrap(), parent)?;
        if let Some(Slot::Used { children, .. }) = self.slots.get_mut(parent as usize) {
            *children += 1;
        }
        Ok(Resource::new_own(index))
    }

    fn insert(&mut self, item: Item, parent: u32) -> Result<u32, Stop> {
        if self.used >= limits::HANDLES {
            return Err(Stop::TooManyHandles { allowed: limits::HANDLES });
        }
        self.used += 1;
        let slot = Slot::Used { item, parent, children: 0 };
        let index = self.free;
        match self.slots.get_mut(index as usize) {
            Some(free) => {
                if let Slot::Free { next } = std::mem::replace(free, slot) {
                    self.free = next;
                }
                Ok(index)
            }
            None => {
                self.slots.push(slot);
                Ok(u32::try_from(self.slots.len() - 1).expect("the table holds fewer than 2^32 items"))
            }
        }
    }

    /// The item behind a handle.
    ///
    /// # Errors
    /// [`Stop::Misuse`] if there is none, or one of another kind. The engine checks handles, so this does not happen.
    pub(crate) fn get<T: Held>(&self, handle: &Resource<T>) -> Result<&T, Stop> {
        self.at(handle.rep())
    }
    /// The item behind a handle, to change it.
    pub(crate) fn get_mut<T: Held>(&mut self, handle: &Resource<T>) -> Result<&mut T, Stop> {
        self.at_mut(handle.rep())
    }
    /// The item at an index that a child or the host itself has kept.
    pub(crate) fn at<T: Held>(&self, index: u32) -> Result<&T, Stop> {
        match self.slots.get(index as usize) {
            Some(Slot::Used { item, .. }) => T::of(item).ok_or_else(unknown::<T>),
            _ => Err(unknown::<T>()),
        }
    }
    /// The item at an index, to change it.
    pub(crate) fn at_mut<T: Held>(&mut self, index: u32) -> Result<&mut T, Stop> {
        match self.slots.get_mut(index as usize) {
            Some(Slot::Used { item, .. }) => T::of_mut(item).ok_or_else(unknown::<T>),
            _ => Err(unknown::<T>()),
        }
    }

    /// Takes the item out.
    ///
    /// # Errors
    /// [`Stop::Misuse`] if it still has children.
    pub(crate) fn delete<T: Held>(&mut self, handle: Resource<T>) -> Result<T, Stop> {
        let index = handle.rep();
        let slot = self.slots.get_mut(index as usize).ok_or_else(unknown::<T>)?;
        match slot {
            Slot::Used { children: 0, item, .. } if T::of(item).is_some() => {}
            Slot::Used { children: 1.., .. } => {
                return Err(Stop::Misuse(format!("dropped {} {index} while it has children", T::NAME)));
            }
            _ => return Err(unknown::<T>()),
        }
        let Slot::Used { item, parent, .. } = std::mem::replace(slot, Slot::Free { next: self.free }) else {
            return Err(unknown::<T>());
        };
        self.free = index;
        self.used -= 1;
        if let Some(Slot::Used { children, .. }) = self.slots.get_mut(parent as usize) {
            *children -= 1;
        }
        T::unwrap(item).ok_or_else(unknown::<T>)
    }
}

#[cold]
fn unknown<T: Held>() -> Stop {
    Stop::Misuse(format!("no {} behind this handle", T::NAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::bindings::wasi::http::types::ErrorCode;

    fn error(text: &str) -> IoError {
        IoError::of_http(ErrorCode::ConfigurationError, text)
    }

    #[test]
    fn slots_are_used_again_and_counted() {
        let mut table = Table::new();
        let first = table.push(error("a")).expect("there is room");
        let second = table.push(error("b")).expect("there is room");
        let index = first.rep();
        assert_eq!(table.delete(first).expect("it is there").to_string(), "a");
        let third = table.push(error("c")).expect("there is room");
        assert_eq!((third.rep(), table.used), (index, 2));
        assert_eq!(table.get(&second).expect("it is there").to_string(), "b");
    }

    #[test]
    fn a_parent_outlives_its_children() {
        let mut table = Table::new();
        let parent = table.push(error("parent")).expect("there is room");
        let child = table.push_child(error("child"), parent.rep()).expect("there is room");
        let again = Resource::<IoError>::new_own(parent.rep());
        assert!(matches!(table.delete(parent), Err(Stop::Misuse(_))));
        table.delete(child).expect("a child may go");
        table.delete(again).expect("now the parent may go");
        assert_eq!(table.used, 0);
    }

    #[test]
    fn refuses_another_kind_and_one_handle_too_many() {
        let mut table = Table::new();
        let handle = table.push(error("a")).expect("there is room");
        assert!(table.at::<Bucket>(handle.rep()).is_err() && table.at::<IoError>(7).is_err());
        for _ in 1..limits::HANDLES {
            table.push(error("b")).expect("there is room");
        }
        assert_eq!(table.push(error("c")).map(|_| ()), Err(Stop::TooManyHandles { allowed: limits::HANDLES }));
    }
}
