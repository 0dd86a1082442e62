//! What names of HTTP fields mean, where several crates have to agree on it: a field that one of them lets through and another does
//! not know is how requests are smuggled.

/// Whether a field concerns one connection and not the message, and so is never passed on (RFC 9110 §7.6.1). The name is in lower case.
#[must_use]
pub fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}
