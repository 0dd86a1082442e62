//! Manifests and components that cannot be served: each is refused with a code, and what served before goes on serving.

use super::support::{Folder, Node, Request, app::manifest, assert_has, dayfly, eventually, program, run};

#[test]
fn a_manifest_with_a_mistake_is_shown_with_its_line_and_the_line_as_it_should_be() {
    let good = manifest("shop", &program("hello"), "");
    let with = |more: &str| format!("{good}{more}\n");
    let samples = [
        ("app = \"shop".to_owned(), "E0102", "1 | app = \"shop"),
        (with("rout = \"GET /\""), "E0103", "help: route = \"GET /\""),
        (with("record = 7"), "E0104", "| record = 7"),
        (with("limits = { memory = \"2TiB\" }"), "E0105", "| limits = { memory = \"2TiB\" }"),
        ("app = \"shop\"".to_owned(), "E0106", "help: [fn.api]"),
        (with("uses = [\"kvv.things\"]"), "E0107", "help: uses = [\"kv.things\"]"),
        (good.replace("/{*rest}", "/{*other}\", \"/{*rest}"), "E0108", "dayfly.toml:"),
        (good.replace("/{*rest}", "rest"), "E0109", "dayfly.toml:"),
        (good.replace("\"shop\"", "\"Shop!\""), "E0111", "help: app = \"shop\""),
        (good.replace("hello.wasm", "nothing.wasm"), "E0301", "nothing.wasm"),
        (with(&"#".repeat(1 << 20)), "E0112", "1 MiB"),
    ];
    for (manifest, code, shown) in samples {
        let folder = Folder::with_manifest(&manifest);
        let refused = run(dayfly(folder.path(), ["config"])).expect_code(1);
        assert_has(&refused.stderr, &format!("error[{code}]"));
        assert_has(&refused.stderr, shown);
        assert_eq!(refused.stdout, "", "what failed is no data");
        let json = run(dayfly(folder.path(), ["config", "--json"])).expect_code(1);
        let first = json.stderr.lines().next().expect("a problem");
        let problem: serde_json::Value = serde_json::from_str(first).unwrap_or_else(|error| panic!("{error}: {first}"));
        assert!(problem["code"].is_string(), "{problem}");
        // `up` says the same, and does not start.
        let up = run(dayfly(
            folder.path(),
            ["up", "--no-watch", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--aws", "127.0.0.1:0"],
        ))
        .expect_code(1);
        assert_has(&up.stderr, &format!("error[{code}]"));
    }
    run(dayfly(Folder::new().path(), ["config"])).expect_code(1);
    let unknown = run(dayfly(Folder::with_manifest(&good).path(), ["config", "--env", "staging"])).expect_code(1);
    assert_has(&unknown.stderr, "error[E0110]");
}

#[test]
fn a_component_that_cannot_be_served_is_refused_and_the_one_before_goes_on() {
    let (data, app) = (Folder::new(), Folder::app("shop", "hello", ""));
    let node = Node::server(data.path(), &[]);
    node.deploy(app.path());
    let serves = || assert_eq!(node.get("/ada").expect(200).text(), "hello ada\n");
    serves();
    for (file, code) in [
        ("core-module", "E0302"),
        ("empty-component", "E0303"),
        ("wrong-world", "E0303"),
        ("handler-wrong-type", "E0303"),
        ("unknown-import", "E0304"),
        ("empty-file", "E0305"),
        ("not-wasm", "E0305"),
        ("truncated", "E0305"),
        ("bytes-flipped", "E0305"),
        ("oversize", "E0306"),
        ("bomb-functions", "E0307"),
        ("bomb-locals", "E0308"),
        ("bomb-nesting", "E0308"),
        ("memory-huge", "E0311"),
    ] {
        app.write("dayfly.toml", manifest("shop", &program(&format!("malformed/{file}")), ""));
        let refused = node.cli_in(app.path(), &["deploy", "--yes"]).expect_code(1);
        assert_has(&refused.stderr, &format!("error[{code}]"));
        assert_has(&refused.stderr, &format!("dayfly explain {code}"));
        serves();
    }
    let apps = node.api("/v1/apps");
    assert_eq!(apps[0]["latest"], 1, "nothing of it became a revision: {apps}");
    // What deploys and then harms at its start harms only itself.
    for (file, status, code) in [("start-trap", 502, "E0501"), ("start-spin", 504, "E0502")] {
        let more = "limits = { time = \"2s\" }";
        app.write("dayfly.toml", manifest("shop", &program(&format!("malformed/{file}")), more));
        node.deploy(app.path());
        node.get("/").expect_refusal(status, code);
        node.cli(&["rollback", "shop", "--revision", "1"]).expect_done();
        serves();
    }
    let resident = node.resident_kib();
    assert!(resident < 512 << 10, "{resident} KiB are resident after the bombs");
}

#[test]
fn a_taken_port_and_a_taken_folder_are_named() {
    let (data, other) = (Folder::new(), Folder::new());
    let node = Node::server(data.path(), &[]);
    let server = |data: &Folder, listen: &str| {
        let data = data.path().to_str().expect("a path");
        run(dayfly(
            other.path(),
            ["server", "--data", data, "--listen", listen, "--control", "127.0.0.1:0", "--aws", "127.0.0.1:0"],
        ))
        .expect_code(1)
    };
    let gateway = node.gateway.to_string();
    let refused = server(&other, &gateway);
    assert_has(&refused.stderr, "error[E0701]");
    assert_has(&refused.stderr, &gateway);
    assert_has(&refused.stderr, "process ");
    let refused = server(&data, "127.0.0.1:0");
    assert_has(&refused.stderr, "error[E0607]");
    assert_eq!(node.api("/v1/health")["ok"], true, "the running node is left alone");
}

#[test]
fn a_change_reloads_and_a_broken_one_leaves_the_old_serving() {
    let folder = Folder::app("shop", "hello", "");
    std::fs::copy(program("hello"), folder.file("api.wasm")).expect("the folder is ours");
    folder.write("dayfly.toml", manifest("shop", "api.wasm".as_ref(), ""));
    let node = Node::up(folder.path());
    let becomes = |answer: &str| eventually(answer, || (node.get("/ada").text() == answer).then_some(()));
    becomes("hello ada\n");
    // The code.
    folder.write("api.wasm", std::fs::read(program("rust-wstd")).expect("readable"));
    becomes("no such path: /ada\n");
    node.wait_for("revision 2");
    // Broken code, then a broken manifest: both are shown, and the second revision goes on.
    folder.write("api.wasm", "no wasm at all");
    node.wait_for("error[E0305]");
    node.wait_for("the last good revision goes on serving");
    becomes("no such path: /ada\n");
    folder.write("dayfly.toml", "app = \"shop\"\n[fn.api]\npth = \"api.wasm\"\n");
    node.wait_for("error[E0103]");
    becomes("no such path: /ada\n");
    // Mended.
    folder.write("api.wasm", std::fs::read(program("hello")).expect("readable"));
    folder.write("dayfly.toml", manifest("shop", "api.wasm".as_ref(), "env = { GREETING = \"hi\" }"));
    becomes("hello ada\n");
    let status = node.send(&Request::get("/ada")).status;
    assert_eq!(status, 200);
}

#[test]
fn an_app_that_cannot_be_served_at_first_is_served_once_mended() {
    let folder = Folder::app("shop", "malformed/core-module", "");
    let node = Node::up_unready(folder.path());
    node.wait_for("error[E0302]");
    node.wait_for("waiting for a change");
    node.get("/ada").expect_refusal(404, "E0401");
    folder.write("dayfly.toml", manifest("shop", &program("hello"), ""));
    eventually("it is served", || (node.get("/ada").status == 200).then_some(()));
}
