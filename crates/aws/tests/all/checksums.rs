//! Checksums: what is sent wrongly is never published, by whichever way its checksum comes; what is sent well is kept and told.

use aws::{S3Limits, Verification};
use ports::Objects as _;

use crate::rig::{Call, Endpoint};

/// The checksums of `123456789`, the check value of each algorithm's definition.
const NINE: [(&str, &str); 5] = [
    ("crc32", "y/Q5Jg=="),
    ("crc32c", "4waSgw=="),
    ("crc64nvme", "rosUhgp5mIg="),
    ("sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
    ("sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
];

fn field(algorithm: &str) -> String {
    format!("x-amz-checksum-{algorithm}")
}

/// A body in chunks whose trailer says a checksum.
fn chunked(node: &Endpoint, path: &str, bytes: &str, trailer: Option<(&str, &str)>, announced: &str) -> Call {
    let mut body = format!("{:x}\r\n{bytes}\r\n0\r\n", bytes.len());
    if let Some((name, value)) = trailer {
        body.push_str(&format!("{name}:{value}\r\n"));
    }
    body.push_str("\r\n");
    let call = node.put(path, body).payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER").header("content-encoding", "aws-chunked");
    call.header("x-amz-trailer", announced).header("x-amz-decoded-content-length", &bytes.len().to_string())
}

#[tokio::test]
async fn a_checksum_in_a_header_is_compared_kept_and_told() {
    let node = Endpoint::start().await;
    for (algorithm, value) in NINE {
        let path = format!("/uploads/{algorithm}");
        let put = |bytes: &'static str| node.put(&path, bytes).payload("UNSIGNED-PAYLOAD").header(&field(algorithm), value);
        put("123456780").send().await.fails(400, "BadDigest");
        node.get(&path).send().await.fails(404, "NoSuchKey");
        assert_eq!(put("123456789").send().await.is(200).header(&field(algorithm)), value);
        let told = node.get(&path).header("x-amz-checksum-mode", "ENABLED").send().await.is(200);
        assert_eq!((told.header(&field(algorithm)), told.header("x-amz-checksum-type")), (value, "FULL_OBJECT"));
        assert_eq!(node.get(&path).send().await.header(&field(algorithm)), "");
        let part = node.get(&path).header("x-amz-checksum-mode", "ENABLED").header("range", "bytes=0-1").send().await.is(206);
        assert_eq!(part.header(&field(algorithm)), "", "a part of the bytes has not the checksum of all");
    }
    node.put("/uploads/k", "1").header("x-amz-checksum-crc32", "nonsense").send().await.fails(400, "InvalidRequest");
}

#[tokio::test]
async fn a_checksum_that_only_a_trailer_announces_is_compared_kept_and_told() {
    let node = Endpoint::start().await;
    for (algorithm, value) in NINE {
        let (path, name) = (format!("/uploads/{algorithm}"), field(algorithm));
        let put = |bytes: &str, trailer| chunked(&node, &path, bytes, trailer, &name);
        put("123456780", Some((name.as_str(), value))).send().await.fails(400, "BadDigest");
        put("123456789", None).send().await.fails(400, "InvalidRequest");
        node.get(&path).send().await.fails(404, "NoSuchKey");
        let kept = put("123456789", Some((name.as_str(), value))).send().await.is(200);
        assert_eq!(kept.header(&name), value);
        let told = node.get(&path).header("x-amz-checksum-mode", "ENABLED").send().await.is(200);
        assert_eq!((told.header(&name), told.text().as_str(), told.header("content-encoding")), (value, "123456789", ""));
    }
}

#[tokio::test]
async fn parts_are_compared_as_objects_are() {
    let node = Endpoint::start().await;
    let upload = node.call(http::Method::POST, "/uploads/k?uploads").send().await.is(200).element("UploadId").expect("an id");
    let path = format!("/uploads/k?partNumber=1&uploadId={upload}");
    let name = field("crc32");
    chunked(&node, &path, "123456780", Some((&name, NINE[0].1)), &name).send().await.fails(400, "BadDigest");
    let parts = node.get(&format!("/uploads/k?uploadId={upload}")).send().await.is(200).text();
    assert!(!parts.contains("<Part>"), "{parts}");
    assert_eq!(chunked(&node, &path, "123456789", Some((&name, NINE[0].1)), &name).send().await.is(200).header(&name), NINE[0].1);
}

#[tokio::test]
async fn an_algorithm_that_is_only_named_is_worked_out_and_kept() {
    let node = Endpoint::start().await;
    let put = node.put("/uploads/k", "123456789").header("x-amz-sdk-checksum-algorithm", "SHA256").send().await.is(200);
    assert_eq!(put.header("x-amz-checksum-sha256"), NINE[4].1);
    node.put("/uploads/k", "1").header("x-amz-sdk-checksum-algorithm", "MD4").send().await.fails(400, "InvalidRequest");
}

#[tokio::test]
async fn content_md5_and_the_signed_hash_are_compared() {
    let node = Endpoint::start().await;
    node.put("/uploads/k", "hello").header("content-md5", "XUFAKrxLKna5cZ2REBfFkg==").send().await.is(200);
    node.put("/uploads/k", "hellO").header("content-md5", "XUFAKrxLKna5cZ2REBfFkg==").send().await.fails(400, "BadDigest");
    node.put("/uploads/k", "hello").header("content-md5", "short").send().await.fails(400, "InvalidDigest");
    let other = "0000000000000000000000000000000000000000000000000000000000000000";
    node.put("/uploads/k", "hello").payload(other).send().await.fails(400, "XAmzContentSHA256Mismatch");
    assert_eq!(node.get("/uploads/k").send().await.body, "hello");
}

#[tokio::test]
async fn a_body_that_is_shorter_than_announced_is_not_published() {
    let node = Endpoint::start().await;
    let name = field("crc32");
    let body = "9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
    let short = node.put("/uploads/short", body).payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER").header("x-amz-trailer", &name);
    short.header("x-amz-decoded-content-length", "10").send().await.fails(400, "IncompleteBody");
    node.get("/uploads/short").send().await.fails(404, "NoSuchKey");
}

#[tokio::test]
async fn a_list_of_what_to_delete_that_changed_on_its_way_deletes_nothing() {
    let node = Endpoint::start().await;
    node.put("/uploads/a", "x").send().await.is(200);
    let list = "<Delete><Object><Key>a</Key></Object></Delete>";
    let delete =
        |md5| node.call(http::Method::POST, "/uploads?delete").body(list).payload("UNSIGNED-PAYLOAD").header("content-md5", md5);
    delete("XUFAKrxLKna5cZ2REBfFkg==").send().await.fails(400, "BadDigest");
    node.get("/uploads/a").send().await.is(200);
    let sum = node.call(http::Method::POST, "/uploads?delete").body(list).header("x-amz-checksum-crc32", "AAAAAA==");
    sum.send().await.fails(400, "BadDigest");
    node.get("/uploads/a").send().await.is(200);
}

#[tokio::test]
async fn a_chunk_with_a_wrong_signature_is_not_published() {
    let node = Endpoint::start().await;
    let zeros = "0".repeat(64);
    let body = format!("9;chunk-signature={zeros}\r\n123456789\r\n0;chunk-signature={zeros}\r\n\r\n");
    let put =
        node.put("/uploads/k", body).payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").header("x-amz-decoded-content-length", "9");
    put.send().await.fails(403, "SignatureDoesNotMatch");
    node.get("/uploads/k").send().await.fails(404, "NoSuchKey");
}

/// The control: what the tests above see refused is accepted where nothing is compared.
#[tokio::test]
async fn without_verification_what_was_sent_wrongly_is_published() {
    let node = Endpoint::with(Verification::Off, S3Limits::default()).await;
    let name = field("crc32");
    chunked(&node, "/uploads/trailer", "123456780", Some((&name, NINE[0].1)), &name).send().await.is(200);
    node.put("/uploads/header", "123456780").payload("UNSIGNED-PAYLOAD").header(&name, NINE[0].1).send().await.is(200);
    node.put("/uploads/md5", "hellO").header("content-md5", "XUFAKrxLKna5cZ2REBfFkg==").send().await.is(200);
    assert!(node.objects.head(&node.bucket(), "trailer", None).await.expect("a head").is_some());
}
