//! What objects look like from outside: header fields, ranges, conditions, copies, versions, tags, buckets.

use http::Method;

use crate::rig::{Endpoint, app};
use ports::AccessKeys as _;

#[tokio::test]
async fn an_object_comes_back_with_all_that_was_said_of_it() {
    let node = Endpoint::start().await;
    let put = node.put("/uploads/a%20b/c.txt", "hello").header("content-type", "text/plain").header("cache-control", "max-age=5");
    let put =
        put.header("content-encoding", "aws-chunked,gzip").header("x-amz-meta-from", "here").header("x-amz-tagging", "k=v%20w");
    let put = put.header("expires", "Wed, 21 Oct 2026 07:28:00 GMT").send().await.is(200);
    assert_eq!(put.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    let got = node.get("/uploads/a%20b/c.txt").send().await.is(200);
    assert_eq!(got.body, "hello");
    let expected = [
        ("content-type", "text/plain"),
        ("cache-control", "max-age=5"),
        ("content-encoding", "gzip"),
        ("x-amz-meta-from", "here"),
        ("expires", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("x-amz-tagging-count", "1"),
        ("content-length", "5"),
        ("accept-ranges", "bytes"),
    ];
    for (name, value) in expected {
        assert_eq!(got.header(name), value, "{name}");
    }
    let head = node.call(Method::HEAD, "/uploads/a%20b/c.txt").send().await.is(200);
    assert_eq!((head.header("content-length"), head.body.len()), ("5", 0));
    let tags = node.get("/uploads/a%20b/c.txt?tagging").send().await.is(200);
    assert_eq!(tags.element("Value").as_deref(), Some("v w"));
    let instead = node.get("/uploads/a%20b/c.txt?response-content-type=image%2Fpng&response-cache-control=no-store").send().await;
    assert_eq!((instead.header("content-type"), instead.header("cache-control")), ("image/png", "no-store"));
}

#[tokio::test]
async fn ranges_are_served_and_those_that_are_not_there_are_refused() {
    let node = Endpoint::start().await;
    node.put("/uploads/k", "0123456789").send().await.is(200);
    for (range, content, bytes) in
        [("bytes=2-4", "bytes 2-4/10", "234"), ("bytes=7-", "bytes 7-9/10", "789"), ("bytes=-2", "bytes 8-9/10", "89")]
    {
        let part = node.get("/uploads/k").header("range", range).send().await.is(206);
        assert_eq!((part.header("content-range"), part.text().as_str()), (content, bytes));
    }
    let none = node.get("/uploads/k").header("range", "bytes=10-").send().await.fails(416, "InvalidRange");
    assert_eq!(none.header("content-range"), "bytes */10");
}

#[tokio::test]
async fn conditions_hold_for_readers_and_writers() {
    let node = Endpoint::start().await;
    let etag = node.put("/uploads/k", "1").header("if-none-match", "*").send().await.is(200).header("etag").to_owned();
    node.put("/uploads/k", "2").header("if-none-match", "*").send().await.fails(412, "PreconditionFailed");
    node.put("/uploads/k", "2").header("if-match", "\"other\"").send().await.fails(412, "PreconditionFailed");
    node.put("/uploads/absent", "2").header("if-match", "\"other\"").send().await.fails(404, "NoSuchKey");
    let fresh = node.get("/uploads/k").header("if-none-match", &etag).send().await.is(304);
    assert_eq!((fresh.header("etag"), fresh.body.len()), (etag.as_str(), 0));
    node.get("/uploads/k").header("if-match", "\"other\"").send().await.fails(412, "PreconditionFailed");
    let modified = node.get("/uploads/k").send().await.header("last-modified").to_owned();
    node.get("/uploads/k").header("if-modified-since", &modified).send().await.is(304);
    node.get("/uploads/k")
        .header("if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT")
        .send()
        .await
        .fails(412, "PreconditionFailed");
    node.put("/uploads/k", "2").header("if-match", &etag).send().await.is(200);
}

#[tokio::test]
async fn copies_keep_or_replace_what_is_said_of_the_source() {
    let node = Endpoint::start().await;
    node.put("/uploads/a", "bytes").header("x-amz-meta-x", "1").header("x-amz-tagging", "t=1").send().await.is(200);
    let copy = |target: &str| node.put(target, "").header("x-amz-copy-source", "/uploads/a");
    copy("/uploads/b").send().await.is(200);
    let b = node.get("/uploads/b").send().await;
    assert_eq!((b.header("x-amz-meta-x"), b.header("x-amz-tagging-count")), ("1", "1"));
    copy("/uploads/c").header("x-amz-metadata-directive", "REPLACE").header("x-amz-meta-y", "2").send().await.is(200);
    let c = node.get("/uploads/c").send().await;
    assert_eq!((c.header("x-amz-meta-x"), c.header("x-amz-meta-y"), c.header("x-amz-tagging-count")), ("", "2", "1"));
    copy("/uploads/d").header("x-amz-tagging-directive", "REPLACE").header("x-amz-tagging", "a=1&b=2").send().await.is(200);
    let d = node.get("/uploads/d").send().await;
    assert_eq!((d.header("x-amz-meta-x"), d.header("x-amz-tagging-count")), ("1", "2"));
    copy("/uploads/a").send().await.fails(400, "InvalidRequest");
    copy("/uploads/e").header("x-amz-copy-source-if-match", "\"no\"").send().await.fails(412, "PreconditionFailed");
    node.put("/uploads/f", "").header("x-amz-copy-source", "/uploads/absent").send().await.fails(404, "NoSuchKey");
}

#[tokio::test]
async fn versions_are_kept_named_and_removed() {
    let node = Endpoint::start().await;
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    node.put("/uploads?versioning", on).send().await.is(200);
    assert_eq!(node.get("/uploads?versioning").send().await.element("Status").as_deref(), Some("Enabled"));
    let first = node.put("/uploads/k", "1").send().await.is(200).header("x-amz-version-id").to_owned();
    let second = node.put("/uploads/k", "2").send().await.is(200).header("x-amz-version-id").to_owned();
    assert_ne!(first, second);
    let gone = node.call(Method::DELETE, "/uploads/k").send().await.is(204);
    assert_eq!(gone.header("x-amz-delete-marker"), "true");
    node.get("/uploads/k").send().await.fails(404, "NoSuchKey");
    assert_eq!(node.get(&format!("/uploads/k?versionId={first}")).send().await.is(200).body, "1");
    let marker = gone.header("x-amz-version-id");
    let refused = node.get(&format!("/uploads/k?versionId={marker}")).send().await.fails(405, "MethodNotAllowed");
    assert_eq!(refused.header("x-amz-delete-marker"), "true");
    node.get("/uploads/k?versionId=absent").send().await.fails(404, "NoSuchVersion");
    let all = node.get("/uploads?versions").send().await.is(200).text();
    assert_eq!((all.matches("<Version>").count(), all.matches("<DeleteMarker>").count()), (2, 1), "{all}");
    assert_eq!(all.matches("<IsLatest>true</IsLatest>").count(), 1, "{all}");
    node.call(Method::DELETE, &format!("/uploads/k?versionId={marker}")).send().await.is(204);
    assert_eq!(node.get("/uploads/k").send().await.is(200).body, "2");
}

#[tokio::test]
async fn buckets_belong_to_their_app() {
    let node = Endpoint::start().await;
    let other = node.keys.issue(&app("other"), false).await.expect("a key");
    node.put("/uploads/k", "mine").send().await.is(200);
    node.get("/uploads/k").by(Some(&other)).send().await.fails(404, "NoSuchBucket");
    node.put("/uploads", "").by(Some(&other)).send().await.is(200);
    node.put("/uploads/k", "theirs").by(Some(&other)).send().await.is(200);
    assert_eq!(node.get("/uploads/k").send().await.body, "mine");
    node.put("/mine", "").send().await.is(200);
    let listed = node.get("/").by(Some(&other)).send().await.is(200).text();
    assert!(listed.contains("<Name>uploads</Name>") && !listed.contains("mine"), "{listed}");
    // Names that would leave the app are no names.
    node.put("/..%2Fother", "").send().await.fails(400, "InvalidBucketName");
    node.put("/uploads/k", "").by(Some(&other)).header("x-amz-copy-source", "/mine/k").send().await.fails(404, "NoSuchBucket");
}

#[tokio::test]
async fn buckets_are_made_once_and_removed_when_empty() {
    let node = Endpoint::start().await;
    node.put("/uploads", "").send().await.fails(409, "BucketAlreadyOwnedByYou");
    node.put("/uploads/k", "1").send().await.is(200);
    node.call(Method::DELETE, "/uploads").send().await.fails(409, "BucketNotEmpty");
    node.call(Method::DELETE, "/uploads/k").send().await.is(204);
    node.call(Method::DELETE, "/uploads").send().await.is(204);
    node.call(Method::DELETE, "/uploads").send().await.fails(404, "NoSuchBucket");
    node.call(Method::HEAD, "/uploads").send().await.is(404);
    node.get("/uploads/k").send().await.fails(404, "NoSuchBucket");
    node.put("/uploads/k", "1").send().await.fails(404, "NoSuchBucket");
}

#[tokio::test]
async fn what_is_not_served_is_refused_and_not_forgotten() {
    let node = Endpoint::start().await;
    node.put("/uploads/k", "1").header("x-amz-server-side-encryption", "aws:kms").send().await.fails(501, "NotImplemented");
    node.put("/uploads/k", "1").header("x-amz-acl", "public-read").send().await.fails(400, "AccessControlListNotSupported");
    node.put("/uploads/k", "1").header("x-amz-storage-class", "GLACIER").send().await.fails(400, "InvalidStorageClass");
    node.get("/uploads?policy").send().await.fails(501, "NotImplemented");
    let rules = "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>x/</Prefix></Filter>\
        <Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>";
    node.put("/uploads?lifecycle", rules).send().await.fails(501, "NotImplemented");
    let served = rules.replace(
        "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>",
        "<Expiration><Days>3</Days></Expiration>",
    );
    node.put("/uploads?lifecycle", served).send().await.is(200);
    let kept = node.get("/uploads?lifecycle").send().await.is(200);
    assert_eq!((kept.element("Days").as_deref(), kept.element("Prefix").as_deref()), (Some("3"), Some("x/")));
}

#[tokio::test]
async fn a_host_may_name_the_bucket() {
    let node = Endpoint::start().await;
    node.put("/uploads/k", "1").send().await.is(200);
    for host in ["uploads.s3.localhost:4566", "uploads.localhost"] {
        assert_eq!(node.get("/k").at(host).send().await.is(200).body, "1", "{host}");
    }
    assert_eq!(node.get("/uploads/k").at("s3.localhost:4566").send().await.is(200).body, "1");
}

#[tokio::test]
async fn what_each_request_used_is_told() {
    let node = Endpoint::start().await;
    node.put("/uploads/k", "12345").send().await.is(200);
    node.get("/uploads/k").send().await.is(200);
    // The last byte of a response may arrive before its request is over.
    for _ in 0..1000 {
        if node.bill.0.lock().len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let bill = node.bill.0.lock().clone();
    assert_eq!(bill.iter().map(|used| (used.operation, used.bytes_in)).collect::<Vec<_>>(), [("PutObject", 5), ("GetObject", 0)]);
    assert_eq!((bill[1].bytes_out, bill[1].status), (5, 200));
}
