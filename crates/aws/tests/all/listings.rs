//! Listings: pages, groups, encodings, and deleting what they list.

use http::Method;

use crate::rig::Endpoint;

#[tokio::test]
async fn pages_and_groups_give_each_name_once() {
    let node = Endpoint::start().await;
    for key in ["a", "b/1", "b/2", "c", "d/e/f", "z"] {
        node.put(&format!("/uploads/{key}"), "x").send().await.is(200);
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = node.get(&format!("/uploads?list-type=2&max-keys=2&delimiter=%2F{token}")).send().await.is(200);
        let text = page.text();
        names.extend(
            text.split("<Key>")
                .skip(1)
                .chain(text.split("<CommonPrefixes><Prefix>").skip(1))
                .map(|rest| rest.split('<').next().expect("a name").to_owned()),
        );
        match page.element("NextContinuationToken") {
            Some(next) => token = format!("&continuation-token={next}"),
            None => break,
        }
    }
    names.sort();
    assert_eq!(names, ["a", "b/", "c", "d/", "z"]);
    let after = node.get("/uploads?list-type=2&start-after=c&prefix=d").send().await.is(200);
    assert_eq!((after.element("Key").as_deref(), after.element("KeyCount").as_deref()), (Some("d/e/f"), Some("1")));
    let first = node.get("/uploads?max-keys=2").send().await.is(200);
    assert_eq!((first.element("IsTruncated").as_deref(), first.element("NextMarker").as_deref()), (Some("true"), Some("b/1")));
    assert_eq!(node.get("/uploads?marker=d%2Fe%2Ff").send().await.element("Key").as_deref(), Some("z"));
    node.get("/uploads?list-type=2&continuation-token=%21").send().await.fails(400, "InvalidArgument");
    assert_eq!(node.get("/uploads?list-type=2&max-keys=0").send().await.is(200).element("KeyCount").as_deref(), Some("0"));
}

#[tokio::test]
async fn names_are_encoded_for_those_who_ask() {
    let node = Endpoint::start().await;
    node.put("/uploads/a%20%2B%26/%C3%BC", "x").send().await.is(200);
    let plain = node.get("/uploads?list-type=2").send().await.is(200);
    assert_eq!(plain.element("Key").as_deref(), Some("a +&amp;/ü"));
    let encoded = node.get("/uploads?list-type=2&encoding-type=url").send().await.is(200);
    assert_eq!(encoded.element("Key").as_deref(), Some("a%20%2B%26/%C3%BC"));
}

#[tokio::test]
async fn many_are_deleted_at_once_and_what_was_not_there_counts_as_gone() {
    let node = Endpoint::start().await;
    for key in ["a", "b"] {
        node.put(&format!("/uploads/{key}"), "x").send().await.is(200);
    }
    let delete = |quiet: &str| {
        let body = format!("<Delete>{quiet}<Object><Key>a</Key></Object><Object><Key>absent</Key></Object></Delete>");
        node.call(Method::POST, "/uploads?delete").body(body)
    };
    let gone = delete("").send().await.is(200).text();
    assert_eq!(gone.matches("<Deleted>").count(), 2, "{gone}");
    let quiet = delete("<Quiet>true</Quiet>").send().await.is(200).text();
    assert!(!quiet.contains("<Deleted>"), "{quiet}");
    assert_eq!(node.get("/uploads?list-type=2").send().await.element("KeyCount").as_deref(), Some("1"));
    let objects: String = (0..1001).map(|i| format!("<Object><Key>{i}</Key></Object>")).collect();
    node.call(Method::POST, "/uploads?delete")
        .body(format!("<Delete>{objects}</Delete>"))
        .send()
        .await
        .fails(400, "MalformedXML");
}

#[tokio::test]
async fn unfinished_uploads_are_listed_in_pages() {
    let node = Endpoint::start().await;
    for key in ["a", "b/1", "b/2"] {
        node.call(Method::POST, &format!("/uploads/{key}?uploads")).send().await.is(200);
    }
    let page = node.get("/uploads?uploads&max-uploads=1").send().await.is(200);
    assert_eq!((page.element("Key").as_deref(), page.element("IsTruncated").as_deref()), (Some("a"), Some("true")));
    let next = node.get("/uploads?uploads&key-marker=a&delimiter=%2F").send().await.is(200);
    assert!(next.text().contains("<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"), "{}", next.text());
}
