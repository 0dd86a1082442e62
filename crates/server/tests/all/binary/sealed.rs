//! Secrets and records: a failed delivery runs again byte for byte, and the bytes of a secret stand nowhere.

use std::{fs, path::Path};

use super::support::{Folder, Node, assert_has, eventually, program};

const CANARY: &str = "kanarienvogel-5d1f07c2";

/// Files below a folder that hold these bytes.
fn holding(folder: &Path, wanted: &[u8], found: &mut Vec<String>) -> usize {
    let mut looked = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            looked += holding(&path, wanted, found);
        } else if let Ok(bytes) = fs::read(&path) {
            looked += 1;
            if bytes.windows(wanted.len()).any(|window| window == wanted) {
                found.push(path.display().to_string());
            }
        }
    }
    looked
}

#[test]
fn a_failed_delivery_that_used_everything_replays_byte_for_byte_and_its_secret_stands_nowhere() {
    let program = program("state").display().to_string();
    let folder = Folder::with_manifest(&format!(
        "app = \"shop\"\n[fn.feed]\npath = \"{program}\"\nroute = \"/{{*rest}}\"\nuses = [\"queue.jobs\", \"secret.API_KEY\"]\n\
         [fn.worker]\npath = \"{program}\"\non = {{ queue = \"jobs\", retries = 0 }}\nenv = {{ MODE = \"use-and-fail\" }}\n\
         uses = [\"kv.things\", \"queue.out\", \"sql.main\", \"bucket.files\", \"secret.API_KEY\"]\n"
    ));
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.secret("shop", "API_KEY", CANARY);
    node.deploy(folder.path());
    assert_has(&node.get("/secret?name=API_KEY").expect(200).text(), CANARY);
    node.get("/queue/send?queue=jobs&body=a+plain+message").expect(200);
    let run = eventually("the delivery failed", || {
        let runs = node.api("/v1/invocations?function=worker&limit=10");
        runs.as_array()?.first().cloned()
    });
    let id = run["invocation"].as_str().expect("an id").to_owned();
    let told = eventually("what it used is logged", || {
        let lines = node.cli_in(folder.path(), &["logs", "shop/worker", "--json"]).expect_done().stdout;
        lines.contains("used {").then_some(lines)
    });
    for part in ["a plain message", &format!("\\\"secret\\\":{}", CANARY.len()), "\\\"object\\\":15"] {
        assert_has(&told, part);
    }
    let replayed = node.cli_in(folder.path(), &["replay", &id]).expect_done();
    assert_has(&replayed.stdout, "the same, byte for byte");
    // What is shown of the record does not show the secret.
    let journal = node.api(&format!("/v1/invocations/{id}/journal")).to_string();
    assert!(journal.len() > 500, "a journal: {journal}");
    let trace = node.cli_in(folder.path(), &["trace", &id]).expect_done().stdout;
    for (what, shown) in
        [("journal", &journal), ("trace", &trace), ("replay", &(replayed.stdout + &replayed.stderr)), ("log", &told)]
    {
        assert!(!shown.contains(CANARY), "the {what} shows the secret: {shown}");
    }
    let mut found = Vec::new();
    holding(data.path(), CANARY.as_bytes(), &mut found);
    assert!(found.is_empty(), "the secret stands in {found:?}");
    assert_eq!(node.stop(), 0);
    let looked = holding(data.path(), CANARY.as_bytes(), &mut found);
    assert!(found.is_empty() && looked >= 8, "{looked} files; the secret stands in {found:?}");
    // The search finds what is there: the message that came with it.
    holding(data.path(), b"a plain message", &mut found);
    assert!(!found.is_empty(), "the search finds nothing at all");
}
