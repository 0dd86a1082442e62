//! What people see when JavaScript fails: file, line, column and the line itself, wherever they look, and again in a replay.

use super::super::support::{Folder, Node, Upstream, assert_has, eventually, repository};

/// A function that uses everything, then fails in a file beside it.
fn failing(upstream: &Upstream) -> Folder {
    let more = format!("uses = [\"kv.things\"]\n{}\nenv = {{ UPSTREAM = \"{}\" }}", upstream.reach(), upstream.origin());
    let folder = Folder::script("shop", "", &more);
    let sources = repository().join("tests/programs/javascript");
    std::fs::create_dir(folder.file("lib")).expect("the folder is ours");
    for (from, into) in [("failing.ts", "api.ts"), ("lib/price.ts", "lib/price.ts")] {
        std::fs::copy(sources.join(from), folder.file(into)).expect("it lies there");
    }
    folder
}

/// The place of the mistake, as the file has it.
const PLACE: &str = "lib/price.ts:9:";
const LINE: &str = "return { amount: order.total!.amount, at };";

#[test]
fn an_error_in_typescript_shows_its_line_in_the_terminal_the_trace_and_the_log() {
    let upstream = Upstream::start();
    let folder = failing(&upstream);
    let node = Node::up(folder.path());
    let failed = node.get("/").expect_refusal(502, "E0519");
    node.wait_for(LINE);
    assert!(!failed.text().contains("price.ts"), "callers are told nothing of the code: {}", failed.text());
    let id = node.record_of(&failed)["invocation"].as_str().expect("an id").to_owned();
    let shown = [
        ("the terminal", node.stdout()),
        ("the trace", node.cli(&["trace", &id]).expect_done().stdout),
        ("the log", node.cli(&["logs", "--json"]).expect_done().stdout),
        ("the replay", node.cli(&["replay", &id]).expect_done().stdout),
    ];
    for (place, text) in shown {
        for part in ["TypeError", PLACE, LINE, "api.ts:21:"] {
            assert!(text.contains(part), "{place} lacks {part:?}:\n{text}");
        }
        assert!(!text.contains("dayfly:"), "{place} shows the platform's own frames:\n{text}");
    }
}

#[test]
fn a_failure_in_javascript_replays_byte_for_byte_and_calls_nobody() {
    let upstream = Upstream::start();
    let folder = failing(&upstream);
    let node = Node::up(folder.path());
    for path in ["/", "/answers"] {
        let failed = node.get(path);
        assert!(failed.status >= 500, "{}", failed.text());
        let id = node.record_of(&failed)["invocation"].as_str().expect("an id").to_owned();
        let served = upstream.served();
        let replayed = node.cli(&["replay", &id]).expect_done();
        assert_has(&replayed.stdout, "the same, byte for byte");
        let report = node.cli(&["replay", &id, "--json"]).expect_done().json();
        assert_eq!(report["faithful"].as_bool(), Some(true), "{report}");
        assert_eq!(upstream.served(), served, "no replay calls anybody");
    }
    // What was changed since diverges, or fails elsewhere, and is not taken for the same.
    let other =
        Folder::script("shop", "export default { fetch: () => new Response(`${Math.random()}`, { status: 500 }) };\n", "");
    let id = node.request("/answers")["invocation"].as_str().expect("an id").to_owned();
    let with = other.file("api.ts");
    node.cli(&["replay", &id, "--with", with.to_str().expect("a path")]).expect_code(1);
}

#[test]
fn an_import_of_node_names_the_way_out_and_the_old_code_goes_on() {
    let folder = Folder::script("shop", "export default { fetch: () => new Response(\"before\\n\") };\n", "");
    let node = Node::up(folder.path());
    assert_eq!(node.get("/").expect(200).text(), "before\n");
    folder
        .write("api.ts", "import fs from \"node:fs\";\nexport default { fetch: () => new Response(fs.readFileSync(\"a\")) };\n");
    let printed = node.wait_for("error[E0314]");
    for part in ["node:fs", "api.ts:1:", "import fs from \"node:fs\";", "help"] {
        assert_has(&printed, part);
    }
    node.wait_for("the last good revision goes on serving");
    assert_eq!(node.get("/").expect(200).text(), "before\n");
    folder.write("api.ts", "export default { fetch: () => new Response(\"after\\n\") };\n");
    eventually("the mended one is served", || (node.get("/").text() == "after\n").then_some(()));
}
