//! Who gets in: signatures, their age, links, and keys that may read only.

use std::{sync::Arc, time::Duration};

use aws::Links;
use http::Method;
use ports::{AccessKeys as _, AwsEndpoint as _, presign::LinkWanted};

use crate::rig::Endpoint;

#[tokio::test]
async fn only_a_right_and_fresh_signature_of_a_known_key_gets_in() {
    let node = Endpoint::start().await;
    node.put("/uploads/k", "1").send().await.is(200);
    let get = node.get("/uploads/k");
    get.send().await.is(200);
    get.clone().by(None).send().await.fails(403, "AccessDenied");
    get.clone().tampered().send().await.fails(403, "SignatureDoesNotMatch");
    get.clone().ago(16 * 60).send().await.fails(403, "RequestTimeTooSkewed");
    get.clone().ago(-16 * 60).send().await.fails(403, "RequestTimeTooSkewed");
    get.clone().ago(14 * 60).send().await.is(200);
    let mut stranger = node.key.clone();
    stranger.id = "AKNOBODY".into();
    get.clone().by(Some(&stranger)).send().await.fails(403, "InvalidAccessKeyId");
    stranger.id = node.key.id.clone();
    stranger.secret.0 = b"guessed".to_vec();
    get.clone().by(Some(&stranger)).send().await.fails(403, "SignatureDoesNotMatch");
    node.keys.revoke(&node.key.id).await.expect("revoked");
    get.send().await.fails(403, "InvalidAccessKeyId");
}

#[tokio::test]
async fn a_key_that_may_read_only_changes_nothing() {
    let node = Endpoint::start().await;
    node.put("/uploads/k", "1").send().await.is(200);
    let key = node.keys.issue(&node.app, true).await.expect("a key");
    node.get("/uploads/k").by(Some(&key)).send().await.is(200);
    node.get("/uploads").by(Some(&key)).send().await.is(200);
    node.put("/uploads/k", "2").by(Some(&key)).send().await.fails(403, "AccessDenied");
    node.put("/other", "").by(Some(&key)).send().await.fails(403, "AccessDenied");
    node.call(Method::DELETE, "/uploads/k").by(Some(&key)).send().await.fails(403, "AccessDenied");
    node.call(Method::POST, "/uploads/k?uploads").by(Some(&key)).send().await.fails(403, "AccessDenied");
    let all = "<Delete><Object><Key>k</Key></Object></Delete>";
    node.call(Method::POST, "/uploads?delete").body(all).by(Some(&key)).send().await.fails(403, "AccessDenied");
    assert_eq!(node.get("/uploads/k").send().await.body, "1");
}

#[tokio::test]
async fn a_link_does_one_thing_for_its_time() {
    let node = Endpoint::start().await;
    let put = node.call(Method::PUT, "/uploads/k").link(60);
    node.put(&put, "by link").by(None).send().await.is(200);
    let get = node.get("/uploads/k").link(60);
    assert_eq!(node.get(&get).by(None).send().await.is(200).body, "by link");
    node.put(&get, "no").by(None).send().await.fails(403, "SignatureDoesNotMatch");
    node.get(&get.replace("/k?", "/other?")).by(None).send().await.fails(403, "SignatureDoesNotMatch");
    let old = node.get("/uploads/k").ago(120).link(60);
    node.get(&old).by(None).send().await.fails(403, "AccessDenied");
    let longer = old.replace("X-Amz-Expires=60", "X-Amz-Expires=600");
    node.get(&longer).by(None).send().await.fails(403, "SignatureDoesNotMatch");
    let open = node.get(&get).by(None).header("x-amz-meta-more", "1");
    open.send().await.fails(403, "AccessDenied");
}

#[tokio::test]
async fn links_that_the_platform_makes_open_what_they_name() {
    let node = Endpoint::start().await;
    node.put("/uploads/a%20b/%C3%BC.txt", "found").send().await.is(200);
    let links = Links::new(node.address, Arc::clone(&node.keys) as _, Arc::new(system::SystemClock::new()));
    let wanted = |method: &str, key: &str, secs| LinkWanted {
        bucket: "uploads".into(),
        key: key.into(),
        method: method.into(),
        lasts: Duration::from_secs(secs),
    };
    let path = |url: &str| url.strip_prefix(&links.url()).expect("a link to this endpoint").to_owned();
    let (url, _) = links.link(&node.app, &wanted("GET", "a b/ü.txt", 60)).await.expect("a link");
    assert_eq!(node.get(&path(&url)).by(None).send().await.is(200).body, "found");
    let (url, _) = links.link(&node.app, &wanted("PUT", "new", 60)).await.expect("a link");
    node.put(&path(&url), "put").by(None).send().await.is(200);
    assert!(links.link(&node.app, &wanted("POST", "k", 60)).await.is_err());
    assert!(links.link(&node.app, &wanted("GET", "k", 8 * 24 * 60 * 60)).await.is_err());
    assert!(links.link(&node.app, &wanted("GET", "k", 0)).await.is_err());
}
