//! Signatures against vectors that other libraries made.

use std::time::Duration;

use super::*;

const GITHUB_KEY: &[u8] = b"It's a Secret to Everybody";
const GITHUB_SHA256: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
const STRIPE: &str = "f6ef300ec2c3f1ea8e4bc6d2a62975f58477d6fcd4bd03529a148873f625b1ca";
const STRIPE_KEY: &[u8] = b"whsec_test_secret";
const STRIPE_BODY: &[u8] = br#"{"id":"evt_1"}"#;
const STRIPE_TIME: u64 = 1_767_225_600;

fn github() -> Webhook {
    Webhook {
        header: "x-hub-signature-256".into(),
        secret: "hook".into(),
        algorithm: WebhookHash::Sha256,
        encoding: WebhookEncoding::Hex,
        prefix: "sha256=".into(),
        timestamp: None,
        tolerance: Duration::from_secs(300),
    }
}

fn stripe() -> Webhook {
    let header = "stripe-signature".to_owned();
    Webhook { timestamp: Some(header.clone()), header, prefix: "v1=".into(), ..github() }
}

fn headers(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().expect("a value"))])
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_ms(seconds * 1_000)
}

fn ok(webhook: &Webhook, key: &[u8], headers: &HeaderMap, body: &[u8], now: u64) -> bool {
    match verify(webhook, key, headers, body, at(now)) {
        Ok(()) => true,
        Err(problem) => {
            assert_eq!(problem.code, Code::E0212);
            false
        }
    }
}

/// The key, the body and the signature stand in GitHub's documentation; the other values were computed with another library.
#[test]
fn signatures_as_github_makes_them_are_taken() {
    let signed = headers("x-hub-signature-256", &format!("sha256={GITHUB_SHA256}"));
    assert!(ok(&github(), GITHUB_KEY, &signed, b"Hello, World!", 0));
    assert!(!ok(&github(), GITHUB_KEY, &signed, b"Hello, World?", 0), "another body");
    assert!(!ok(&github(), b"another", &signed, b"Hello, World!", 0), "another key");
    assert!(!ok(&github(), GITHUB_KEY, &HeaderMap::new(), b"Hello, World!", 0), "no signature");
    for bad in
        [GITHUB_SHA256.to_owned(), format!("sha1={GITHUB_SHA256}"), "sha256=".into(), format!("sha256={}", &GITHUB_SHA256[..32])]
    {
        assert!(!ok(&github(), GITHUB_KEY, &headers("x-hub-signature-256", &bad), b"Hello, World!", 0), "{bad}");
    }
}

#[test]
fn every_hash_and_way_of_writing_is_understood() {
    let cases = [
        (WebhookHash::Sha1, WebhookEncoding::Hex, "01dc10d0c83e72ed246219cdd91669667fe2ca59"),
        (WebhookHash::Sha256, WebhookEncoding::Hex, "757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17"),
        (WebhookHash::Sha256, WebhookEncoding::Base64, "dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc="),
        (WebhookHash::Sha256, WebhookEncoding::Base64, "dXEH6g6yUJ_CESIczphLijdXC211hsIsRvQ3nIsEPhc"),
        (
            WebhookHash::Sha512,
            WebhookEncoding::Base64,
            "Ee01WmF+mBNOhCASp5RMz1nBAlbLGCNXvX46QgE/8Hw3b4wUz1zBkj2iC1HWQlay+4678QCqZ6YTJvYf6oERvA==",
        ),
    ];
    for (algorithm, encoding, signature) in cases {
        let webhook = Webhook { algorithm, encoding, prefix: String::new(), ..github() };
        assert!(ok(&webhook, GITHUB_KEY, &headers("x-hub-signature-256", signature), b"Hello, World!", 0), "{signature}");
    }
}

#[test]
fn a_signed_time_must_be_there_and_near() {
    let header = |value: &str| headers("stripe-signature", value);
    let good = format!("t={STRIPE_TIME},v1={STRIPE},v0=ignored");
    for (now, expected) in [(0, true), (300, true), (301, false), (100_000, false)] {
        assert_eq!(ok(&stripe(), STRIPE_KEY, &header(&good), STRIPE_BODY, STRIPE_TIME + now), expected, "{now} s later");
    }
    assert!(!ok(&stripe(), STRIPE_KEY, &header(&good), STRIPE_BODY, STRIPE_TIME - 301), "from the future");
    let rolled = format!("t={STRIPE_TIME}, v1={GITHUB_SHA256}, v1={STRIPE}");
    assert!(ok(&stripe(), STRIPE_KEY, &header(&rolled), STRIPE_BODY, STRIPE_TIME), "one of two keys fits");
    for bad in [format!("v1={STRIPE}"), format!("t={},v1={STRIPE}", STRIPE_TIME + 1), format!("t=soon,v1={STRIPE}")] {
        assert!(!ok(&stripe(), STRIPE_KEY, &header(&bad), STRIPE_BODY, STRIPE_TIME), "{bad}");
    }
    let apart = Webhook { timestamp: Some("x-time".into()), header: "x-signature".into(), prefix: String::new(), ..stripe() };
    let mut two = headers("x-signature", STRIPE);
    two.insert("x-time", STRIPE_TIME.into());
    assert!(ok(&apart, STRIPE_KEY, &two, STRIPE_BODY, STRIPE_TIME), "the time in a header of its own");
}
