//! `fields`: header names and values, under the rules of `wasi:http`.
//!
//! A `HeaderMap` in a guest's hands. What concerns the connection and not the message (RFC 9110, section 7.6.1) is the platform's
//! business: guests can't set it and don't see it. `trailer` may be set: HTTP/1.1 sends only trailers that it announces.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use types::{ByteCount, Code, field::is_hop_by_hop, journal::Failure, limits};
use wasmtime::component::Resource;

use crate::{
    host::{
        Host,
        bindings::wasi::http::types::{self as wit, HeaderError},
    },
    stop::Stop,
};

/// Header fields as a guest holds them.
pub enum Fields {
    /// Those of the request that the guest was called for, which the host holds.
    OfRequest,
    /// Fields of its own.
    Own(Own),
}

/// Fields with what they count.
pub(crate) struct Own {
    map: HeaderMap,
    mutable: bool,
    /// Bytes of all names and values.
    bytes: usize,
}

impl Fields {
    /// Fields that can't be changed.
    pub(crate) fn immutable(map: HeaderMap) -> Self {
        Self::Own(Own { map, mutable: false, bytes: 0 })
    }
    fn mutable(map: HeaderMap) -> Self {
        let bytes = bytes_of(&map);
        Self::Own(Own { map, mutable: true, bytes })
    }
}

impl Own {
    fn append(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), Stop> {
        self.bytes += name.as_str().len() + value.len();
        self.map.append(name, value);
        self.check()
    }
    fn check(&self) -> Result<(), Stop> {
        let allowed = limits::GUEST_FIELDS;
        if self.bytes > allowed.as_usize() {
            return Err(too_much("guest fields", ByteCount(self.bytes as u64).to_string(), allowed.to_string()));
        }
        if self.map.len() > limits::GUEST_FIELD_COUNT {
            return Err(too_much("guest field count", self.map.len().to_string(), limits::GUEST_FIELD_COUNT.to_string()));
        }
        Ok(())
    }
}

#[cold]
fn too_much(limit: &str, measured: String, allowed: String) -> Stop {
    Stop::Failed(Failure { code: Code::E0514, message: format!("{limit} {measured}, allowed {allowed}") })
}

fn bytes_of(map: &HeaderMap) -> usize {
    map.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Whether a field concerns the connection, or is made by the platform.
pub(crate) fn is_forbidden(name: &HeaderName) -> bool {
    *name == header::HOST || is_hop_by_hop(name.as_str())
}

/// Takes out what a guest must not see, and keeps the order of the rest.
pub(crate) fn remove_forbidden(map: &mut HeaderMap) {
    if !map.keys().any(is_forbidden) {
        return;
    }
    let mut last = None;
    let mut kept = HeaderMap::with_capacity(map.len());
    // A name comes with the first of its values only.
    for (name, value) in map.drain() {
        last = name.or(last);
        if let Some(name) = last.as_ref().filter(|name| !is_forbidden(name)) {
            kept.append(name, value);
        }
    }
    *map = kept;
}

/// A name that a guest may set.
fn settable(name: &str) -> Result<HeaderName, HeaderError> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::InvalidSyntax)?;
    if is_forbidden(&name) { Err(HeaderError::Forbidden) } else { Ok(name) }
}

fn value(bytes: Vec<u8>) -> Result<HeaderValue, HeaderError> {
    HeaderValue::from_maybe_shared(Bytes::from(bytes)).map_err(|_| HeaderError::InvalidSyntax)
}

impl Host {
    /// The fields behind a handle, wherever they lie.
    fn fields(&self, fields: &Resource<Fields>) -> Result<&HeaderMap, Stop> {
        Ok(match self.table.get(fields)? {
            Fields::OfRequest => self.request.headers(),
            Fields::Own(own) => &own.map,
        })
    }
    fn fields_to_change(&mut self, fields: &Resource<Fields>) -> Result<Result<&mut Own, HeaderError>, Stop> {
        Ok(match self.table.get_mut(fields)? {
            Fields::Own(own) if own.mutable => Ok(own),
            _ => Err(HeaderError::Immutable),
        })
    }
    /// Takes fields out of the guest's hands, to become those of a message.
    pub(crate) fn take_fields(&mut self, fields: Resource<Fields>) -> Result<HeaderMap, Stop> {
        Ok(match self.table.delete(fields)? {
            Fields::OfRequest => self.request.headers().clone(),
            Fields::Own(own) => own.map,
        })
    }
}

impl wit::HostFields for Host {
    fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        Ok(self.table.push(Fields::mutable(HeaderMap::new()))?)
    }
    fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> wasmtime::Result<Result<Resource<Fields>, HeaderError>> {
        let mut own = Own { map: HeaderMap::new(), mutable: true, bytes: 0 };
        for (name, bytes) in entries {
            match settable(&name).and_then(|name| Ok((name, value(bytes)?))) {
                Ok((name, value)) => own.append(name, value)?,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(self.table.push(Fields::Own(own))?))
    }
    fn get(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<Vec<Vec<u8>>> {
        // A text that is no name is no key either, so nothing is found for it.
        let values = self.fields(&fields)?.get_all(name.as_str());
        Ok(values.iter().map(|value| value.as_bytes().to_vec()).collect())
    }
    fn has(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<bool> {
        Ok(self.fields(&fields)?.contains_key(name.as_str()))
    }
    fn set(&mut self, fields: Resource<Fields>, name: String, values: Vec<Vec<u8>>) -> wasmtime::Result<Result<(), HeaderError>> {
        let own = match self.fields_to_change(&fields)? {
            Ok(own) => own,
            Err(error) => return Ok(Err(error)),
        };
        let values: Result<Vec<_>, _> = values.into_iter().map(value).collect();
        let (name, values) = match settable(&name).and_then(|name| Ok((name, values?))) {
            Ok(pair) => pair,
            Err(error) => return Ok(Err(error)),
        };
        own.map.remove(&name);
        own.bytes = bytes_of(&own.map);
        for value in values {
            own.append(name.clone(), value)?;
        }
        Ok(Ok(()))
    }
    fn delete(&mut self, fields: Resource<Fields>, name: String) -> wasmtime::Result<Result<(), HeaderError>> {
        let own = match self.fields_to_change(&fields)? {
            Ok(own) => own,
            Err(error) => return Ok(Err(error)),
        };
        Ok(settable(&name).map(|name| {
            own.map.remove(name);
            own.bytes = bytes_of(&own.map);
        }))
    }
    fn append(&mut self, fields: Resource<Fields>, name: String, bytes: Vec<u8>) -> wasmtime::Result<Result<(), HeaderError>> {
        let own = match self.fields_to_change(&fields)? {
            Ok(own) => own,
            Err(error) => return Ok(Err(error)),
        };
        match settable(&name).and_then(|name| Ok((name, value(bytes)?))) {
            Ok((name, value)) => Ok(Ok(own.append(name, value)?)),
            Err(error) => Ok(Err(error)),
        }
    }
    fn entries(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Vec<(String, Vec<u8>)>> {
        let map = self.fields(&fields)?;
        Ok(map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect())
    }
    fn clone(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Resource<Fields>> {
        let map = self.fields(&fields)?.clone();
        Ok(self.table.push(Fields::mutable(map))?)
    }
    fn drop(&mut self, fields: Resource<Fields>) -> wasmtime::Result<()> {
        self.table.delete(fields)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_connection_and_no_names_are_refused() {
        for name in ["Connection", "keep-alive", "HOST", "Transfer-Encoding", "te", "upgrade", "http2-settings"] {
            assert!(matches!(settable(name), Err(HeaderError::Forbidden)), "{name}");
        }
        for name in ["", "a b", "a\n", "ä"] {
            assert!(matches!(settable(name), Err(HeaderError::InvalidSyntax)), "{name:?}");
        }
        assert!(settable("Content-Length").is_ok() && value(b"a\r\nb: c".to_vec()).is_err());
    }

    #[test]
    fn removes_what_guests_must_not_see_and_keeps_the_order_of_the_rest() {
        let names = ["b", "host", "a", "connection", "c"];
        let mut map = HeaderMap::new();
        for (name, value) in names.into_iter().chain(["b", "host"]).zip(["1", "2", "3", "4", "5", "6", "7"]) {
            map.append(name, HeaderValue::from_static(value));
        }
        remove_forbidden(&mut map);
        let left: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(left, [("b", &b"1"[..]), ("b", b"6"), ("a", b"3"), ("c", b"5")]);
    }

    #[test]
    fn too_many_and_too_large_fields_end_the_guest() {
        let mut own = Own { map: HeaderMap::new(), mutable: true, bytes: 0 };
        for _ in 0..limits::GUEST_FIELD_COUNT {
            own.append(header::ETAG, HeaderValue::from_static("1")).expect("still allowed");
        }
        let stop = own.append(header::ETAG, HeaderValue::from_static("1"));
        assert_eq!(stop.map_err(|stop| stop.to_string()), Err("guest field count 257, allowed 256".to_owned()));
        let mut own = Own { map: HeaderMap::new(), mutable: true, bytes: 0 };
        let large = HeaderValue::from_bytes(&vec![b'a'; limits::GUEST_FIELDS.as_usize()]).expect("a value");
        assert!(matches!(own.append(header::ETAG, large), Err(Stop::Failed(failure)) if failure.code == Code::E0514));
    }
}
