//! What a request calls: scheme, host and port, checked before anything is looked up.

use std::net::IpAddr;

use http::{Method, Request, Uri};
use types::journal::Failure;

use crate::failure::not_sendable;

/// Ports that may be called without a reach that names them.
const PORTS: [u16; 4] = [80, 443, 8080, 8443];
/// The longest host name (RFC 1035 §2.3.4).
const NAME_MAX: usize = 253;

/// A place to call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// Whether by TLS.
    pub(crate) https: bool,
    /// The host as a name or an address without brackets, in lower case.
    pub(crate) host: String,
    /// The host, if it is an address.
    pub(crate) address: Option<IpAddr>,
    /// The port.
    pub(crate) port: u16,
}

impl Target {
    /// Reads what the request calls.
    ///
    /// # Errors
    /// `E0210` for anything that may not be called, whoever calls it.
    pub(crate) fn of<B>(request: &Request<B>, port_named: bool) -> Result<Self, Failure> {
        if matches!(request.method().as_str(), "TRACE" | "TRACK") || request.method() == Method::CONNECT {
            return Err(not_sendable(format!("the method {} is not one that a function may send", request.method())));
        }
        let uri = request.uri();
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(other) => return Err(not_sendable(format!("the scheme {other:?} is neither http nor https"))),
            None => return Err(not_sendable("the request's address has no scheme")),
        };
        let (host, address) = host(uri)?;
        let port = port(uri, https)?;
        if !PORTS.contains(&port) && !port_named {
            let message = format!(
                "the port {port} is not 80, 443, 8080 or 8443: name it in `reach`, as in {}://{host}:{port}",
                uri.scheme_str().unwrap_or("http")
            );
            return Err(not_sendable(message));
        }
        Ok(Self { https, host, address, port })
    }

    /// The `host` field for it: the port only where it is not the scheme's own.
    pub(crate) fn host_field(&self) -> String {
        let host = if matches!(self.address, Some(IpAddr::V6(_))) { format!("[{}]", self.host) } else { self.host.clone() };
        let default_port = if self.https { 443 } else { 80 };
        if self.port == default_port { host } else { format!("{host}:{}", self.port) }
    }
}

fn host(uri: &Uri) -> Result<(String, Option<IpAddr>), Failure> {
    let authority = uri.authority().ok_or_else(|| not_sendable("the request's address has no host"))?;
    if authority.as_str().contains('@') {
        return Err(not_sendable("the request's address has a user name: send an authorization field instead"));
    }
    let host = authority.host().to_ascii_lowercase();
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<std::net::Ipv6Addr>().ok());
        let address = address.ok_or_else(|| not_sendable(format!("{host:?} is not an address")))?;
        return Ok((address.to_string(), Some(IpAddr::V6(address))));
    }
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return Ok((host, Some(IpAddr::V4(address))));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let name = host.strip_suffix('.').unwrap_or(&host);
    let labels = name.split('.').all(|label| (1..=63).contains(&label.len()));
    if !labels || name.len() > NAME_MAX || !host.bytes().all(fits) {
        return Err(not_sendable(format!("{host:?} is not a host name")));
    }
    // Resolvers read 0x7f.1 and 2130706433 as addresses, people and reach lists do not (URL standard, "ends in a number").
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_sendable(format!("{host:?} is an address in a form that is not accepted: write four decimal numbers")));
    }
    Ok((host, None))
}

fn port(uri: &Uri, https: bool) -> Result<u16, Failure> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let named = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
    match (uri.port_u16(), named) {
        (Some(0), _) | (None, Some(_)) => Err(not_sendable(format!("{authority:?} has no valid port"))),
        (Some(port), _) => Ok(port),
        (None, None) => Ok(if https { 443 } else { 80 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &str, port_named: bool) -> Result<Target, Failure> {
        let request = Request::get(uri).body(()).map_err(|error| not_sendable(error.to_string()))?;
        Target::of(&request, port_named)
    }

    #[test]
    fn good_targets_keep_name_and_port() {
        for (uri, host, field, port) in [
            ("http://Example.com/x", "example.com", "example.com", 80),
            ("https://a.b.example.com:8443", "a.b.example.com", "a.b.example.com:8443", 8443),
            ("https://example.com.:443/", "example.com.", "example.com.", 443),
            ("http://[2001:DB8::1]:8080/", "2001:db8::1", "[2001:db8::1]:8080", 8080),
            ("http://10.0.0.1/", "10.0.0.1", "10.0.0.1", 80),
        ] {
            let target = target(uri, false).expect(uri);
            assert_eq!((target.host.as_str(), target.host_field().as_str(), target.port), (host, field, port), "{uri}");
        }
    }

    #[test]
    fn what_nobody_may_call_is_refused_before_it_is_looked_up() {
        for uri in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "/path",
            "gopher://example.com/",
            "http://user@example.com/",
            "http://u:p@example.com/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://1.2.3.4.5/",
            "http://a..b/",
            "http://[::1%25lo]/",
            "http://[v1.x]/",
            "http://example.com:0/",
            "http://example.com:/",
            "http://example.com:99999/",
            "http://exa%6dple.com/",
            "http://example.com:25/",
            "http://.example.com/",
        ] {
            assert!(target(uri, false).is_err(), "{uri}");
        }
        assert!(target("http://example.com:25/", true).is_ok());
        for method in ["CONNECT", "TRACE", "TRACK"] {
            let request = Request::builder().method(method).uri("http://example.com/").body(()).expect("a request");
            assert!(Target::of(&request, true).is_err(), "{method}");
        }
    }
}
