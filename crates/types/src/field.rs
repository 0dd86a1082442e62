//! What names of HTTP fields mean, where several crates have to agree on it: a field that one of them lets through and another does
//! not know is how requests are smuggled.

/// The field that says what started a function, if no request did: `queue`, `stream`, `kv`, `bucket`, `sql`, `event`, `cron` or [`EVAL`].
pub const TRIGGER: &str = "dayfly-trigger";

/// The trigger of an expression that the body holds, to be evaluated in the function's environment.
pub const EVAL: &str = "eval";

/// Whether only the platform may set a field of a function's request, so that functions can rely on what it says. Each way on which others
/// bring requests takes such fields out. The name is in lower case.
#[must_use]
pub fn is_platforms(name: &str) -> bool {
    name.starts_with("dayfly-")
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trigger_is_the_platforms_to_name() {
        assert!(is_platforms(TRIGGER) && is_platforms("dayfly-"));
        assert!(!is_platforms("dayfly") && !is_platforms("x-dayfly-trigger"));
    }
}
