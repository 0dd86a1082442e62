//! Webhooks: requests to a function's routes that must be signed with a secret, before any code of the function runs.
//!
//! The signature is an HMAC over the body's bytes as they came, in a header. Where a header with the time is named, the time is signed
//! too, as `<time>.` before the body, and must not be too far from the node's clock. A header may list several values, separated by commas:
//! those with the prefix are signatures, of which one must fit (so a sender can change its key); `t=…` among the time's is the time. This
//! covers GitHub (`x-hub-signature-256`, prefix `sha256=`) and Stripe (`stripe-signature` for both, prefix `v1=`).

use std::sync::Arc;

use aws_lc_rs::hmac;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use http::{HeaderMap, Request, Response};
use ports::{Body, Invocation};
use types::{
    Code, Elapsed, Problem, Timestamp,
    trigger::{Webhook, WebhookEncoding, WebhookHash},
};

use super::{Gateway, problem, whole};

/// Signatures of one request that are looked at.
const SIGNATURES_MAX: usize = 8;

/// Reads the body, checks the signature over it, and only then runs the function.
pub(crate) async fn invoke(gateway: Arc<Gateway>, invocation: Invocation) -> Response<Body> {
    let Invocation { function, request, parent, received_ns, depth, batch } = invocation;
    let (parts, body) = request.into_parts();
    let checked = async {
        let body = whole::read(body).await?;
        if let Some(webhook) = &function.function.webhook {
            let Some(secret) = gateway.keys.get(&function.key, &webhook.secret).await? else {
                tracing::warn!(app = %function.key, secret = webhook.secret, "webhooks are refused, because the secret with their key is not set");
                return Err(Problem::new(Code::E0212, "the signature can't be checked"));
            };
            verify(webhook, &secret.0, &parts.headers, &body, gateway.clock.now())?;
        }
        Ok(body)
    };
    match checked.await {
        Ok(body) => {
            let request = Request::from_parts(parts, Body::from(body));
            gateway.invoker.invoke(Invocation { function, request, parent, received_ns, depth, batch }).await
        }
        Err(problem) => problem::response(&problem, &parts.headers),
    }
}

/// Whether the request comes from who has the secret.
///
/// # Errors
/// `E0212`, saying what was wrong, but not what would have been right.
pub(crate) fn verify(webhook: &Webhook, secret: &[u8], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Problem> {
    let Webhook { header, secret: _, algorithm, encoding, prefix, timestamp, tolerance } = webhook;
    let refused =
        |what: String| Problem::new(Code::E0212, what).help("sign the body with the secret that this function was given");
    let signatures: Vec<Vec<u8>> = values(headers, header)
        .filter_map(|value| decode(*encoding, value.strip_prefix(prefix.as_str())?))
        .take(SIGNATURES_MAX)
        .collect();
    if signatures.is_empty() {
        return Err(refused(format!("the header {header} carries no signature")));
    }
    let mut signed = Vec::new();
    if let Some(name) = timestamp {
        let time = values(headers, name).find_map(|value| value.strip_prefix("t=")).or_else(|| values(headers, name).next());
        let seconds: Option<u64> = time.and_then(|time| time.parse().ok());
        let (Some(time), Some(seconds)) = (time, seconds) else {
            return Err(refused(format!("the header {name} carries no time in seconds since 1970")));
        };
        let at = Timestamp::from_unix_ns(seconds.saturating_mul(1_000_000_000));
        let apart = now.since(at).max(at.since(now));
        if apart > Elapsed::from(*tolerance) {
            return Err(Problem::limit(Code::E0212, "signed time apart", apart, Elapsed::from(*tolerance)));
        }
        signed.extend_from_slice(time.as_bytes());
        signed.push(b'.');
    }
    signed.extend_from_slice(body);
    let key = hmac::Key::new(hash(*algorithm), secret);
    let fits = signatures.iter().any(|signature| hmac::verify(&key, &signed, signature).is_ok());
    if fits { Ok(()) } else { Err(refused("the signature does not fit the body".to_owned())) }
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

fn decode(encoding: WebhookEncoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        WebhookEncoding::Hex => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
        WebhookEncoding::Base64 => {
            BASE64.decode(text.as_bytes()).or_else(|_| BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes())).ok()
        }
    }
    .filter(|bytes| !bytes.is_empty())
}

fn hash(hash: WebhookHash) -> hmac::Algorithm {
    match hash {
        WebhookHash::Sha256 => hmac::HMAC_SHA256,
        WebhookHash::Sha512 => hmac::HMAC_SHA512,
        WebhookHash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
