//! Packages from npm inside functions. What they answer stands in `tests/cases/js-*`; here is what takes more than one request to see.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::support::{Folder, Node, app::manifest, packages, repository};

/// The app of a folder below the repository, with packages.
fn app(below: &str, more: &str, names: &[&str]) -> Folder {
    let folder = Folder::with_manifest(&manifest("shop", "api.ts".as_ref(), more));
    folder.write("api.ts", std::fs::read(repository().join(below).join("api.ts")).expect("it lies there"));
    packages::install(&folder, names.iter().copied());
    folder
}

#[test]
fn what_is_random_differs_in_requests_that_begin_from_one_memory() {
    let folder = app("tests/cases/js-ids", "", &["nanoid", "uuid"]);
    let node = Node::up(folder.path());
    let asked = || node.get("/random").expect(200).json().as_array().expect("a list").clone();
    let all: BTreeSet<String> = (0..20).flat_map(|_| asked()).map(|value| value.to_string()).collect();
    assert_eq!(all.len(), 20 * 4, "{all:?}");
}

/// Another node keeps the objects: the guard lets no function call the listeners of its own.
#[test]
fn the_client_of_aws_stores_and_finds_in_another_node() {
    let (data, other) = (
        Folder::new(),
        Folder::script("store", "export default { fetch: () => new Response() };\n", "uses = [\"bucket.files\"]"),
    );
    let store = Node::server(data.path(), &[]);
    store.deploy(other.path());
    let key = store.cli_in(other.path(), &["env", "aws", "--json"]).expect_done().json();
    let text = |name: &str| key[name].as_str().expect("a text").to_owned();
    let settings = format!(
        "reach = [\"{0}\"]\nenv = {{ ENDPOINT = \"{0}\", ID = \"{1}\", SECRET = \"{2}\" }}\nlimits = {{ time = \"20s\" }}",
        text("endpoint_url"),
        text("id"),
        text("secret")
    );
    let names = ["@aws-sdk", "@aws", "@smithy", "@xmldom", "tslib", "bowser"];
    let folder = app("tests/programs/npm/s3", &settings, &names);
    let node = Node::up(folder.path());
    let answer = node.get("/");
    assert_eq!(answer.status, 200, "{}", node.record_of(&answer));
    let told = answer.json();
    let expected = json!({
        "tag": told["tag"], "head": [9, "text/plain", {"who": "ada"}], "text": "some text", "part": [250, 0, 1],
        "pages": [[["a/bytes & more.bin", 100_000]], [["a/text", 9]]], "groups": ["a/", "b/"],
        "missing": [true, "NoSuchKey", 404], "deleted": 3,
    });
    assert_eq!(told, expected);
    assert!(matches!(&told["tag"], Value::String(tag) if tag.len() > 30), "{told}");
}
