//! Function to function: `http://NAME.internal/…` goes to the app's function of that name, and touches no network.
//!
//! It is an invocation like any other: it is admitted, bounded, metered, recorded and charged, and belongs to the caller's trace. What it
//! does is its own unit, committed when it succeeds, whatever becomes of its caller.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Response, Uri};
use ports::{Body, BoxFuture, Invocation, outbound::OutboundRequest};
use types::{Cause, Code, Elapsed, LiveFunction, field::is_platforms, journal::Failure};

use crate::{engine::Services, path};

/// The name of the function that the address means, if it means one: a single label before `.internal`, over plain HTTP.
pub(crate) fn name(uri: &Uri) -> Option<&str> {
    let plain = uri.scheme_str().is_none_or(|scheme| scheme == "http") && uri.port_u16().is_none_or(|port| port == 80);
    let host = uri.host().filter(|_| plain)?;
    let at = host.len().checked_sub(".internal".len())?;
    let (name, rest) = host.split_at_checked(at)?;
    (rest.eq_ignore_ascii_case(".internal") && !name.is_empty() && !name.contains('.')).then_some(name)
}

/// The way to the functions of the caller's own app and revision.
pub(crate) struct Internal {
    pub(crate) services: Arc<Services>,
    pub(crate) function: Arc<LiveFunction>,
    pub(crate) cause: Cause,
}

impl Internal {
    /// Calls the function. Dropping the future ends its invocation.
    ///
    /// # Errors
    /// `E0213` if the app has no function of that name, `E0209` if it takes longer than the caller waits.
    pub(crate) async fn call(&self, name: &str, request: OutboundRequest) -> Result<Response<Body>, Failure> {
        let OutboundRequest { mut request, first_byte_time, .. } = request;
        remove_platforms(request.headers_mut());
        let clock = &self.services.clock;
        let function = self.find(name)?;
        let received_ns = clock.monotonic_ns();
        let Cause { trace, depth } = self.cause;
        let invocation = Invocation { function, request, parent: Some(trace), received_ns, depth, batch: None };
        let run: BoxFuture<Response<Body>> = Box::pin(path::run(self.services.clone(), invocation));
        // A task of its own: what the callee computes is not the caller's CPU time.
        let mut task = AbortOnDrop(tokio::spawn(run));
        let deadline = clock.sleep_until(received_ns.saturating_add(Elapsed::from(first_byte_time).ns()));
        tokio::select! {
            response = &mut task.0 => response.map_err(|_| {
                Failure { code: Code::E0513, message: format!("the call of {name} ended in a fault of the platform") }
            }),
            () = deadline => {
                let waited = Elapsed::from(first_byte_time);
                Err(Failure { code: Code::E0209, message: format!("{name} did not answer within {waited}") })
            }
        }
    }

    /// The function of the caller's revision; of the newest if that is not served any more.
    fn find(&self, name: &str) -> Result<Arc<LiveFunction>, Failure> {
        let LiveFunction { key, revision, .. } = &*self.function;
        let snapshot = self.services.snapshot.load();
        let app = snapshot.apps.iter().find(|app| app.key == *key);
        let shares = || app.iter().flat_map(|app| &app.shares).map(|(revision, _)| revision);
        let same = shares().find(|share| share.number == *revision);
        let served = same.or_else(|| shares().max_by_key(|share| share.number));
        let named = |functions: &std::collections::BTreeMap<types::FunctionName, Arc<LiveFunction>>| {
            functions.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name)).map(|(_, function)| function.clone())
        };
        served.and_then(|revision| named(&revision.functions)).ok_or_else(|| Failure {
            code: Code::E0213,
            message: format!("{} has no function {name:?} to call as http://{name}.internal", key.app),
        })
    }
}

/// Takes out what only the platform says: a function does not start another one in the name of a queue.
fn remove_platforms(headers: &mut HeaderMap) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| is_platforms(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Ends the callee when nobody waits for its answer any more.
struct AbortOnDrop(tokio::task::JoinHandle<Response<Body>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_label_before_internal_over_plain_http_is_a_function() {
        let named = |uri: &str| name(&uri.parse().expect("a URI")).map(str::to_owned);
        assert_eq!(named("http://mail.internal/send?x=1").as_deref(), Some("mail"));
        assert_eq!(named("http://mail.INTERNAL:80/").as_deref(), Some("mail"));
        let others = [
            "http://metadata.google.internal/",
            "https://mail.internal/",
            "http://mail.internal:8080/",
            "http://.internal/",
            "http://internal/",
            "http://mail.internal.example.com/",
        ];
        others.iter().for_each(|uri| assert_eq!(named(uri), None, "{uri}"));
    }
}
