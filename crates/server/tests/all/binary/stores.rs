//! Key-value stores under grants: shared where two functions may use one, apart everywhere else.

use std::fs;

use super::support::{Folder, Node, Request, assert_has, eventually, program};

#[test]
fn functions_share_a_store_that_both_may_use_and_no_other() {
    let program = program("rust-wasip2");
    let function = |name: &str, uses: &str| {
        format!("[fn.{name}]\npath = \"{}\"\nroute = \"/{name}/{{*rest}}\"\n{uses}\n", program.display())
    };
    // The program goes by the whole path, so functions are called by name.
    let folder = Folder::with_manifest(&format!(
        "app = \"shop\"\n{}{}{}{}",
        function("writer", "uses = [\"kv.things\"]"),
        function("reader", "uses = [\"kv.things:read\"]"),
        function("stranger", ""),
        function("other", "uses = [\"kv.elsewhere\"]"),
    ));
    let node = Node::up(folder.path());
    let call = |function: &str, path: &str| node.cli(&["invoke", function, "--path", path, "--json"]).json();
    assert_eq!(call("writer", "/kv/set?key=k&value=shared")["status"], 200);
    let read = call("reader", "/kv/get?key=k");
    assert_eq!(read["status"], 200, "{read}");
    let denied = |function: &str, path: &str, code: &str| {
        let answer = call(function, path);
        assert_eq!(answer["status"], 403, "{function}: {answer}");
        let id = answer["invocation"].as_str().expect("an id").to_owned();
        let record = eventually("the record", || {
            node.api("/v1/invocations?limit=100").as_array()?.iter().find(|request| request["invocation"] == id.as_str()).cloned()
        });
        assert_eq!(record["refusals"][0]["code"], code, "{record}");
    };
    denied("reader", "/kv/set?key=k&value=mine", "E0202");
    denied("stranger", "/kv/get?key=k", "E0201");
    denied("other", "/kv/get?key=k", "E0201");
    let empty = call("other", "/kv/get?key=k&bucket=elsewhere");
    assert_eq!((empty["status"].as_u64(), empty["body"].as_str()), (Some(200), Some("bnVsbAo=")), "a store of its own: {empty}");
}

#[test]
fn two_apps_and_two_environments_share_nothing() {
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    let keeps = "uses = [\"kv.things\"]";
    for app in ["alpha", "beta"] {
        node.deploy(Folder::app(app, "rust-wasip2", keeps).path());
    }
    let ask = |host: &str, path: &str| node.send(&Request::get(path).host(host)).expect(200).text();
    ask("alpha.localhost", "/kv/set?key=k&value=mine");
    assert_has(&ask("alpha.localhost", "/kv/get?key=k"), "mine");
    assert_eq!(ask("beta.localhost", "/kv/get?key=k").trim(), "null");
    // Control takes no one without the token.
    let refused = Request::get("/v1/apps").send(node.control);
    assert_eq!(refused.status, 401);
    assert!(!fs::read_to_string(node.data().join("token")).expect("its owner may read it").trim().is_empty());
}
