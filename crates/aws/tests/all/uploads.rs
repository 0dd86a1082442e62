//! Uploads in parts: what makes an object, and what does not.

use http::Method;

use crate::rig::Endpoint;

struct Upload<'a> {
    node: &'a Endpoint,
    id: String,
}

impl<'a> Upload<'a> {
    async fn begin(node: &'a Endpoint) -> Self {
        let begun = node.call(Method::POST, "/uploads/k?uploads").header("x-amz-meta-m", "1").send().await.is(200);
        Self { node, id: begun.element("UploadId").expect("an id") }
    }
    async fn part(&self, number: u32, bytes: Vec<u8>) -> String {
        let path = format!("/uploads/k?partNumber={number}&uploadId={}", self.id);
        self.node.put(&path, bytes).header("x-amz-sdk-checksum-algorithm", "CRC32").send().await.is(200).header("etag").to_owned()
    }
    async fn complete(&self, parts: &[(u32, &str)]) -> crate::rig::Reply {
        let part = |(number, etag): &(u32, &str)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        let parts: String = parts.iter().map(part).collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.node.call(Method::POST, &format!("/uploads/k?uploadId={}", self.id)).body(body).send().await
    }
}

#[tokio::test]
async fn parts_become_an_object_that_can_be_read_part_by_part() {
    let node = Endpoint::start().await;
    let upload = Upload::begin(&node).await;
    let second = upload.part(2, vec![2; 100]).await;
    let first = upload.part(1, vec![1; 2048]).await;
    let whole = upload.complete(&[(1, &first), (2, &second)]).await.is(200);
    let etag = whole.element("ETag").expect("a tag");
    assert!(etag.trim_matches(|c| "&quot;\"".contains(c)).ends_with("-2"), "{etag}");
    assert!(whole.element("ChecksumCRC32").is_some_and(|checksum| checksum.ends_with("-2")), "{}", whole.text());
    let got = node.get("/uploads/k").send().await.is(200);
    assert_eq!((got.body.len(), got.header("x-amz-meta-m"), got.header("x-amz-mp-parts-count")), (2148, "1", "2"));
    let part = node.get("/uploads/k?partNumber=2").send().await.is(206);
    assert_eq!((part.body.as_ref(), part.header("content-range")), ([2; 100].as_slice(), "bytes 2048-2147/2148"));
    node.get("/uploads/k?partNumber=3").send().await.fails(416, "InvalidPartNumber");
    // The answer may have been lost: the same call says the same again.
    upload.complete(&[(1, &first), (2, &second)]).await.is(200);
    upload.complete(&[(1, &first)]).await.fails(404, "NoSuchUpload");
    let about = node.get("/uploads/k?attributes").header("x-amz-object-attributes", "ObjectParts,ObjectSize,Checksum,ETag");
    let about = about.send().await.is(200);
    assert_eq!(
        (about.element("ObjectSize").as_deref(), about.text().matches("<Size>").count()),
        (Some("2148"), 2),
        "{}",
        about.text()
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_parts_is_named() {
    let node = Endpoint::start().await;
    let upload = Upload::begin(&node).await;
    let (small, second) = (upload.part(1, vec![1; 10]).await, upload.part(2, vec![2; 10]).await);
    upload.complete(&[(1, &small), (2, &second)]).await.fails(400, "EntityTooSmall");
    upload.complete(&[(2, &second), (1, &small)]).await.fails(400, "InvalidPartOrder");
    upload.complete(&[(1, "\"other\"")]).await.fails(400, "InvalidPart");
    upload.complete(&[(3, &second)]).await.fails(400, "InvalidPart");
    upload.complete(&[]).await.fails(400, "MalformedXML");
    let absent = Upload { node: &node, id: "absent".into() };
    absent.complete(&[(1, &small)]).await.fails(404, "NoSuchUpload");
    node.put("/uploads/k?partNumber=0&uploadId=x", "1").send().await.fails(400, "InvalidArgument");
    node.put("/uploads/k?partNumber=10001&uploadId=x", "1").send().await.fails(400, "InvalidArgument");
    node.put("/uploads/k?partNumber=1&uploadId=x", "1").send().await.fails(404, "NoSuchUpload");
    let other = format!("/uploads/other?uploadId={}", upload.id);
    node.call(Method::DELETE, &other).send().await.fails(404, "NoSuchUpload");
    node.call(Method::DELETE, &format!("/uploads/k?uploadId={}", upload.id)).send().await.is(204);
    upload.complete(&[(1, &small)]).await.fails(404, "NoSuchUpload");
}

#[tokio::test]
async fn parts_may_be_copied_from_objects() {
    let node = Endpoint::start().await;
    node.put("/uploads/source", "0123456789").send().await.is(200);
    let upload = Upload::begin(&node).await;
    let path = format!("/uploads/k?partNumber=1&uploadId={}", upload.id);
    let copy =
        |range: &str| node.put(&path, "").header("x-amz-copy-source", "/uploads/source").header("x-amz-copy-source-range", range);
    copy("bytes=5-10").send().await.fails(400, "InvalidArgument");
    let etag = copy("bytes=2-4").send().await.is(200).element("ETag").expect("a tag").replace("&quot;", "\"");
    upload.complete(&[(1, &etag)]).await.is(200);
    assert_eq!(node.get("/uploads/k").send().await.body, "234");
}
