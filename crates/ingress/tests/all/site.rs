//! A static site from outside: forms, conditions, ranges, one address a page, and files that are lost.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use ingress::{Framing, GatewayLimits};
use ports::Blob;
use testkit::model::ModelBlob;
use types::{
    Digest, LiveApp, LiveRevision,
    site::{Site, SiteEncoding, SiteFile, SiteVariant},
};

use crate::rig::{Functions, Rig, app};

const QUIET: Duration = Duration::from_millis(300);
const SCRIPT: &str = "console.log('the same line over and over');\n";

/// A site of a page, a script with a compressed form, and a file that the store has lost.
async fn rig() -> Rig {
    let blob = ModelBlob::default();
    let plain = blob.put(SCRIPT.into()).await.expect("it is kept");
    let small = blob.put(Bytes::from_static(b"pretend brotli")).await.expect("it is kept");
    let page = blob.put(Bytes::from_static(b"<h1>hello</h1>")).await.expect("it is kept");
    let file = |digest, bytes: usize, content_type: &str, variants| SiteFile {
        digest,
        bytes: bytes as u64,
        content_type: content_type.into(),
        variants,
    };
    let variant = SiteVariant { encoding: SiteEncoding::Br, digest: small, bytes: 14 };
    let files = BTreeMap::from([
        ("index.html".to_owned(), file(page, 14, "text/html; charset=utf-8", vec![])),
        ("about.html".to_owned(), file(page, 14, "text/html; charset=utf-8", vec![])),
        ("app.4f3a9c21.js".to_owned(), file(plain, SCRIPT.len(), "text/javascript; charset=utf-8", vec![variant])),
        ("lost.txt".to_owned(), file(Digest::from_bytes([9; 32]), 1, "text/plain", vec![])),
    ]);
    let functions = app("main", true, &[("api", &["/api/{*rest}"])]);
    let (revision, weight) = &functions.shares[0];
    let site = Some(Arc::new(Site { fallback: Some("index.html".into()), files }));
    let revision = Arc::new(LiveRevision { site, ..LiveRevision::clone(revision) });
    let live = Arc::new(LiveApp { shares: vec![(revision, *weight)], ..LiveApp::clone(&functions) });
    Rig::serving(vec![live], Arc::new(blob), GatewayLimits::default(), Framing::Strict, Functions::echo()).await
}

async fn ask(rig: &Rig, line: &str, fields: &str) -> String {
    rig.talk(format!("{line} HTTP/1.1\r\nhost: main.localhost\r\n{fields}connection: close\r\n\r\n").as_bytes(), QUIET).await.text
}

#[tokio::test]
async fn files_are_served_with_their_type_tag_and_the_form_that_the_client_takes() {
    let rig = rig().await;
    let plain = ask(&rig, "GET /app.4f3a9c21.js", "").await;
    assert!(plain.starts_with("HTTP/1.1 200") && plain.ends_with(SCRIPT), "{plain}");
    assert!(plain.contains("content-type: text/javascript; charset=utf-8") && plain.contains("immutable"), "{plain}");
    assert!(plain.contains("vary: accept-encoding"), "{plain}");
    let small = ask(&rig, "GET /app.4f3a9c21.js", "accept-encoding: gzip, br\r\n").await;
    assert!(small.contains("content-encoding: br") && small.ends_with("pretend brotli"), "{small}");
    let page = ask(&rig, "GET /", "").await;
    assert!(page.ends_with("<h1>hello</h1>") && page.contains("must-revalidate"), "{page}");
    let head = ask(&rig, "HEAD /", "").await;
    assert!(head.contains("content-length: 14") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn who_has_the_bytes_gets_none_and_who_wants_a_part_gets_that() {
    let rig = rig().await;
    let page = ask(&rig, "GET /", "").await;
    let etag = page.split("etag: ").nth(1).and_then(|rest| rest.split("\r\n").next()).expect("there is a tag").to_owned();
    let same = ask(&rig, "GET /", &format!("if-none-match: {etag}\r\n")).await;
    assert!(same.starts_with("HTTP/1.1 304") && same.ends_with("\r\n\r\n"), "{same}");
    let part = ask(&rig, "GET /", "range: bytes=1-2\r\n").await;
    assert!(part.starts_with("HTTP/1.1 206") && part.contains("content-range: bytes 1-2/14") && part.ends_with("h1"), "{part}");
    let beyond = ask(&rig, "GET /", "range: bytes=14-\r\n").await;
    assert!(beyond.starts_with("HTTP/1.1 416") && beyond.contains("content-range: bytes */14"), "{beyond}");
}

#[tokio::test]
async fn pages_have_one_address_and_everything_else_goes_to_the_fallback_or_the_functions() {
    let rig = rig().await;
    let moved = ask(&rig, "GET /about.html?a=1", "").await;
    assert!(moved.starts_with("HTTP/1.1 308") && moved.contains("location: /about?a=1"), "{moved}");
    assert!(ask(&rig, "GET /about", "").await.ends_with("<h1>hello</h1>"));
    assert!(ask(&rig, "GET /orders/7", "").await.ends_with("<h1>hello</h1>"), "the fallback answers");
    assert!(ask(&rig, "GET /api/orders", "").await.ends_with("main/api 0"));
    let denied = ask(&rig, "POST /about", "content-length: 0\r\n").await;
    assert!(denied.starts_with("HTTP/1.1 405") && denied.contains("allow: GET, HEAD"), "{denied}");
}

#[tokio::test]
async fn a_file_that_the_store_has_lost_is_an_error_and_never_an_empty_page() {
    let rig = rig().await;
    let lost = ask(&rig, "GET /lost.txt", "").await;
    assert!(lost.starts_with("HTTP/1.1 500") && lost.contains("E0603"), "{lost}");
}
