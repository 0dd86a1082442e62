//! The examples in JavaScript, as they lie in the repository.

use std::{fs, path::Path};

use super::super::{
    shop::png,
    support::{Folder, Node, Request, assert_has, program, repository},
};

/// A copy of an example.
fn example(name: &str) -> Folder {
    let folder = Folder::new();
    copy(&repository().join("examples").join(name), folder.path());
    folder
}

/// All of a folder but what builds and nodes leave in it.
pub(super) fn copy(from: &Path, into: &Path) {
    fs::create_dir_all(into).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("it is there") {
        let path = entry.expect("an entry").path();
        let target = into.join(path.file_name().expect("a name"));
        if ["target", "node_modules", ".dayfly"].iter().any(|left| path.ends_with(left)) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("the folder is ours");
        }
    }
}

#[test]
fn hello_greets_and_shows_the_line_that_its_readme_lets_fail() {
    let folder = example("hello-js");
    let code = folder.read("api.js");
    folder.write("api.js", code.replace("    return", "    if (name === \"brutus\") throw new Error(\"et tu?\");\n    return"));
    let node = Node::up(folder.path());
    assert_eq!(node.get("/ada").expect(200).text(), "hello ada\n");
    assert_eq!(node.get("/").expect(200).text(), "hello world\n");
    let failed = node.get("/brutus").expect_refusal(502, "E0519");
    assert_has(&node.record_of(&failed)["failure"].to_string(), "if (name === \\\"brutus\\\")");
    assert_has(&node.cli(&["replay", "last"]).expect_done().stdout, "api.js:6:");
}

#[test]
fn each_visitor_of_the_ab_test_sees_one_variant_and_each_is_counted() {
    let folder = example("ab-test");
    let node = Node::up(folder.path());
    let visit = |visitor: &str| node.send(&Request::get("/").header("cookie", format!("visitor={visitor}"))).expect(200).text();
    assert_has(&visit("ada"), "Still warm when you open the door");
    assert_has(&visit("bob"), "Fresh bread, every day");
    assert_eq!(visit("ada"), visit("ada"), "always the same one");
    for _ in 0..20 {
        let first = node.get("/").expect(200);
        let cookie = first.header("set-cookie").expect("a new visitor gets an id").to_owned();
        let visitor = cookie.split(';').next().expect("a cookie").to_owned();
        let bought = node.send(&Request::post("/buy", "").header("cookie", visitor)).expect(303);
        assert_has(bought.header("location").expect("a place"), "/thanks");
    }
    let results = node.get("/results").expect(200).json();
    let sum = |key: &str| ["a", "b"].iter().map(|variant| results[variant][key].as_u64().expect("a number")).sum::<u64>();
    assert_eq!((sum("seen"), sum("bought")), (20, 20), "{results}");
    assert!(results["a"]["seen"] != 0 && results["b"]["seen"] != 0, "{results}");
    node.get("/thanks").expect(200);
}

#[test]
fn pictures_are_made_small_by_a_component_that_javascript_calls() {
    let folder = example("thumbnails-js");
    let manifest = folder.read("dayfly.toml");
    let built = manifest.replace("\"resize\"", &format!("\"{}\"", program("resize").display()));
    assert_ne!(built, manifest);
    folder.write("dayfly.toml", built);
    let node = Node::up(folder.path());
    let picture = png(400, 300);
    let put = |body: &[u8], kind: &str| {
        node.send(&Request { method: "PUT", ..Request::post("/pictures/a.png", body) }.header("content-type", kind))
    };
    let made = put(&picture, "image/png").expect(201).json();
    assert_eq!((made["picture"].as_str(), made["size"].as_u64()), (Some("/pictures/a.png"), Some(picture.len() as u64)));
    assert!(node.get("/pictures/a.png").expect(200).body == picture, "it comes back as it went");
    let small = node.get("/thumbnails/a.png").expect(200);
    assert!(small.body.starts_with(b"\x89PNG") && Some(small.body.len() as u64) == made["small"].as_u64());
    put(b"no picture", "image/png").expect(422);
    put(&picture, "text/plain").expect(415);
    let traced = node.cli(&["trace", "--list", "--json"]).expect_done().stdout;
    assert_has(&traced, "resize");
}
