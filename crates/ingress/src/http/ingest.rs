//! `POST /events`: CloudEvents from outside, published on a bus of the app that asks for this in its manifest.
//!
//! The key is looked at before anything of the body is read. The answer is 202 once the events and the messages for all functions that
//! wait for them are durable, and names the events' ids in order.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use ports::{Body, StoreError, unit::UnitOutcome};
use serde_json::json;
use types::{
    AppKey, Cause, CloudEvent, Code, Problem, TraceContext, event::BusName, kv::IdempotencyKey, settings::EventsSettings,
};

use super::{Gateway, problem, whole};
use crate::cloudevents;

/// The path that is the platform's in an app with `[events]`, for `POST` only.
pub(crate) const PATH: &str = "/events";

/// The way in of one app.
#[derive(Debug)]
pub(crate) struct Ingest {
    pub(crate) key: AppKey,
    pub(crate) settings: EventsSettings,
}

impl Ingest {
    /// Takes the events of one request in, and answers it.
    pub(crate) async fn serve(
        self: Arc<Self>,
        gateway: Arc<Gateway>,
        headers: HeaderMap,
        body: Body,
        parent: Option<TraceContext>,
    ) -> Response<Body> {
        match self.take(&gateway, &headers, body, parent).await {
            Ok(ids) => {
                let mut response = Response::new(Body::from(json!({ "ids": ids }).to_string()));
                *response.status_mut() = StatusCode::ACCEPTED;
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(problem) => {
                let mut response = problem::response(&problem, &headers);
                if problem.code == Code::E0211 {
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                }
                if matches!(problem.code, Code::E0602 | Code::E0606 | Code::E0601) {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
                }
                response
            }
        }
    }

    async fn take(
        &self,
        gateway: &Gateway,
        headers: &HeaderMap,
        body: Body,
        parent: Option<TraceContext>,
    ) -> Result<Vec<String>, Problem> {
        self.check_key(gateway, headers).await?;
        let events = cloudevents::from_request(headers, whole::read(body).await?)?;
        let ids: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
        self.publish(gateway, &events, parent).await?;
        Ok(ids)
    }

    async fn check_key(&self, gateway: &Gateway, headers: &HeaderMap) -> Result<(), Problem> {
        let refused =
            |what: &str| Problem::new(Code::E0211, what).help("send the key as `authorization: Bearer …` or `x-api-key: …`");
        let presented = presented(headers).ok_or_else(|| refused("the request carries no key"))?;
        let Some(expected) = gateway.keys.get(&self.key, &self.settings.key).await? else {
            tracing::warn!(app = %self.key, secret = self.settings.key, "events are refused, because the secret with their key is not set");
            return Err(refused("the key is not the one that this app takes"));
        };
        // Digests have one length whatever was sent, and their comparison takes the same time wherever they differ.
        if expected.0.is_empty() || blake3::hash(presented) != blake3::hash(&expected.0) {
            return Err(refused("the key is not the one that this app takes"));
        }
        Ok(())
    }

    async fn publish(&self, gateway: &Gateway, events: &[CloudEvent], parent: Option<TraceContext>) -> Result<(), Problem> {
        let bus = BusName { key: self.key.clone(), name: self.settings.bus.clone() };
        let cause = parent.map(|trace| Cause { trace, depth: 0 });
        let effects = gateway.bus.effects(&bus, events, cause).map_err(|error| match error {
            StoreError::Denied(what) => Problem::new(Code::E0411, what),
            other => other.into(),
        })?;
        let mut random = [0; 16];
        gateway.rng.fill(&mut random);
        let key = IdempotencyKey(format!("ingest/{}", HEXLOWER.encode(&random)));
        match gateway.unit.commit(effects, key).await? {
            UnitOutcome::Committed => Ok(()),
            UnitOutcome::Refused(why) => Err(Problem::new(Code::E0601, format!("the events were refused: {why}"))),
        }
    }
}

/// The key that a request presents.
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let bytes = value.as_bytes();
        let (scheme, rest) = bytes.split_at_checked(7)?;
        return scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii());
    }
    headers.get("x-api-key").map(|value| value.as_bytes().trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_as_bearer_or_as_api_key() {
        let with = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static(value))])
        };
        assert_eq!(presented(&with("authorization", "bearer  k")), Some(&b"k"[..]));
        assert_eq!(presented(&with("x-api-key", "k")), Some(&b"k"[..]));
        for bad in ["Basic k", "k", "Bearer"] {
            assert_eq!(presented(&with("authorization", bad)), None, "{bad}");
        }
        assert_eq!(presented(&HeaderMap::new()), None);
    }
}
