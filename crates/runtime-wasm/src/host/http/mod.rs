//! `wasi:http`: the request that came in, the response that goes out, and requests to the outside.

pub(crate) mod body;
pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod future;
pub(crate) mod incoming;
pub(crate) mod outgoing;
pub(crate) mod pipe;
pub(crate) mod source;
mod types;

use super::bindings::wasi::http::types::{Method, Scheme};

/// The guest's word for a method.
pub(crate) fn method_of(method: &http::Method) -> Method {
    match method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

/// The method that the guest means, if it is one.
pub(crate) fn method_from(method: &Method) -> Option<http::Method> {
    Some(match method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
        Method::Connect => http::Method::CONNECT,
        Method::Options => http::Method::OPTIONS,
        Method::Trace => http::Method::TRACE,
        Method::Patch => http::Method::PATCH,
        Method::Other(other) => http::Method::from_bytes(other.as_bytes()).ok()?,
    })
}

/// The guest's word for a scheme.
pub(crate) fn scheme_of(scheme: &str) -> Scheme {
    match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_survive_the_way_to_the_guest_and_back() {
        for name in ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PURGE"] {
            let method = http::Method::from_bytes(name.as_bytes()).expect("a method");
            assert_eq!(method_from(&method_of(&method)), Some(method));
        }
        assert_eq!(method_from(&Method::Other("a b".into())), None);
    }
}
