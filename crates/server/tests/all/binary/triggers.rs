//! Everything that starts a function beside HTTP, through the program: one trace, events as documented, retries, dead letters, loops.

use serde_json::Value;

use super::support::{Folder, Node, assert_has, eventually, program};

/// An app of functions that are all the same program; each is a name and the lines of its table.
fn app(functions: &[(&str, &str)], more: &str) -> Folder {
    let program = program("state").display().to_string();
    let table = |(name, lines): &(&str, &str)| format!("[fn.{name}]\npath = \"{program}\"\n{lines}\n");
    Folder::with_manifest(&format!("app = \"shop\"\n{}{more}", functions.iter().map(table).collect::<String>()))
}

const API: &str = "route = \"/{*rest}\"\nuses = [\"queue.orders\", \"kv.things\", \"kv.watched\", \"sql.shop\", \"bucket.files\", \
                   \"stream.clicks\", \"event.default\"]";

/// What a function has been started for, newest first.
fn runs(node: &Node, function: &str) -> Vec<Value> {
    node.api(&format!("/v1/invocations?function={function}&limit=100")).as_array().expect("a list").clone()
}

/// The line that the program logs for an event, once it does.
fn logged(node: &Node, function: &str, part: &str) -> String {
    eventually(&format!("{function} logs {part:?}"), || {
        let lines = node.api(&format!("/v1/logs?function={function}&limit=100"));
        let lines = lines.as_array()?.iter().filter_map(|line| line["text"].as_str());
        lines.filter(|line| line.contains(part)).map(str::to_owned).next()
    })
}

#[test]
fn a_chain_over_a_queue_and_a_change_is_one_trace() {
    let folder = app(
        &[
            ("api", API),
            ("worker", "on = { queue = \"orders\" }\nuses = [\"kv.watched\"]\nenv = { MODE = \"set\", STORE = \"watched\" }"),
            ("watcher", "on = { kv = \"watched\", event = \"put\" }\nenv = { MODE = \"log\" }"),
        ],
        "",
    );
    let node = Node::up(folder.path());
    let answer = node.get("/queue/send?queue=orders&body=seven").expect(200);
    let line = logged(&node, "watcher", "dayfly.kv.put");
    assert_has(&line, "seven");
    let first = node.record_of(&answer);
    let trace = first["trace"].as_str().expect("a trace").to_owned();
    for function in ["worker", "watcher"] {
        assert_eq!(runs(&node, function)[0]["trace"], trace.as_str(), "{function}");
    }
    let drawn = node.cli(&["trace", &trace]).expect_done().stdout;
    for part in ["queue.orders", "worker", "kv.watched", "watcher"] {
        assert_has(&drawn, part);
    }
}

#[test]
fn every_source_starts_its_function_with_the_event_that_is_documented() {
    let log = "env = { MODE = \"log\" }";
    let on = |on: &str| format!("on = {{ {on} }}\n{log}");
    let functions = [
        ("api", API.to_owned()),
        ("objects", on("bucket = \"files\", event = \"created\", match = \"*.txt\"")),
        ("gone", on("bucket = \"files\", event = \"deleted\"")),
        ("rows", on("sql = \"shop\", table = \"item\"")),
        ("clicks", on("stream = \"clicks\", batch = 10")),
        ("bus", on("event = \"order.*\", filter = \"event.subject == 'vip'\"")),
        ("tick", on("cron = \"0 0 1 1 *\", zone = \"Europe/Berlin\"")),
    ];
    let functions: Vec<(&str, &str)> = functions.iter().map(|(name, lines)| (*name, lines.as_str())).collect();
    let folder = app(&functions, "[sql.shop]\nmigrations = \"migrations\"\n");
    std::fs::create_dir(folder.file("migrations")).expect("the folder is ours");
    folder.write("migrations/1.sql", "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT);");
    let node = Node::up(folder.path());

    node.get("/bucket/put?bucket=files&key=notes/a.txt&value=hello").expect(200);
    node.get("/bucket/put?bucket=files&key=notes/a.bin&value=hello").expect(200);
    assert_has(&logged(&node, "objects", "dayfly.bucket.created"), "notes/a.txt");
    node.get("/bucket/delete?bucket=files&key=notes/a.bin").expect(200);
    assert_has(&logged(&node, "gone", "dayfly.bucket.deleted"), "notes/a.bin");
    assert_eq!(runs(&node, "objects").len(), 1, "the glob leaves the other one out");

    let row = node.cli(&["sql", "exec", "shop", "insert into item (name) values (?1)", "mug", "--write"]).expect_done();
    assert_has(&row.stdout, "1 rows changed");
    let line = logged(&node, "rows", "dayfly.sql");
    assert!(line.contains("mug") && line.contains("item"), "{line}");

    node.cli(&["stream", "append", "clicks", "a click", "--key", "ada"]).expect_done();
    assert_has(&logged(&node, "clicks", "dayfly.stream"), "a click");

    node.cli(&["events", "send", "order.created", "{\"id\":7}", "--subject", "somebody"]).expect_done();
    node.cli(&["events", "send", "order.paid", "{\"id\":8}", "--subject", "vip"]).expect_done();
    assert_has(&logged(&node, "bus", "order.paid"), "vip");
    assert_eq!(runs(&node, "bus").len(), 1, "the filter leaves the other one out");
    assert_has(&node.cli(&["events", "tail"]).expect_done().stdout, "order.created");

    let schedules = node.cli(&["cron", "ls", "--json"]).expect_done().json();
    assert_eq!(schedules[0]["function"], "tick", "{schedules}");
    assert!(schedules[0]["next"].as_str().is_some_and(|next| next.contains("-12-31T23:00:00")), "{schedules}");
    node.cli(&["cron", "run", "tick"]).expect_done();
    logged(&node, "tick", "dayfly.cron");
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_fails_is_tried_again_then_a_dead_letter_and_goes_back_when_asked() {
    let folder = app(
        &[
            ("api", API),
            ("worker", "on = { queue = \"orders\", batch = 5, retries = 1, dead = \"lost\" }\nenv = { MODE = \"fail-ids\" }"),
        ],
        "",
    );
    let node = Node::up(folder.path());
    for body in ["good", "bad"] {
        node.cli(&["queue", "send", "orders", body]).expect_done();
    }
    let dead = eventually("the bad one is a dead letter", || {
        let dead = node.cli(&["queue", "dead", "orders", "--json"]).expect_done().json();
        dead.as_array().is_some_and(|dead| !dead.is_empty()).then_some(dead)
    });
    assert_eq!((dead[0]["body"]["text"].as_str(), dead[0]["attempts"].as_u64()), (Some("bad"), Some(2)), "{dead}");
    assert_eq!(dead[0]["dead_from"], "orders", "{dead}");
    assert_has(&node.cli(&["queue", "redrive", "orders"]).expect_done().stdout, "1 dead letters of lost sent back");
    eventually("it is one again", || {
        let all = node.api("/v1/apps/shop/dev/queues/lost/messages");
        all.as_array().is_some_and(|all| all.len() == 1).then_some(())
    });
    assert_eq!(node.stop(), 0);
}

#[test]
fn functions_that_start_one_another_without_end_are_stopped_by_name() {
    let folder = app(
        &[
            ("api", API),
            ("ping", "on = { queue = \"orders\" }\nuses = [\"queue.back\"]\nenv = { MODE = \"forward\", OUT = \"back\" }"),
            ("pong", "on = { queue = \"back\" }\nuses = [\"queue.orders\"]\nenv = { MODE = \"forward\", OUT = \"orders\" }"),
        ],
        "",
    );
    let node = Node::up(folder.path());
    node.get("/queue/send?queue=orders&body=round").expect(200);
    let stopped = eventually("the loop is stopped", || {
        let dead = ["orders-dead", "back-dead"].map(|queue| node.api(&format!("/v1/apps/shop/dev/queues/{queue}/messages")));
        dead.into_iter().find_map(|dead| dead.as_array()?.first().cloned())
    });
    assert_has(stopped["dead_reason"].as_str().expect("a reason"), "E0516");
    let waiting = node.api("/v1/apps/shop/dev/queues");
    let moving =
        waiting.as_array().expect("a list").iter().filter(|row| !row["name"].as_str().is_some_and(|n| n.ends_with("-dead")));
    assert!(moving.map(|row| row["ready"].as_u64().unwrap_or(0)).sum::<u64>() == 0, "{waiting}");
}

#[test]
fn functions_call_one_another_without_a_network_and_in_one_trace() {
    let program = program("rust-wasip2").display().to_string();
    let folder = Folder::with_manifest(&format!(
        "app = \"shop\"\n[fn.front]\npath = \"{program}\"\nroute = \"/{{*rest}}\"\nreach = [\"http://back.internal\"]\n\
         [fn.back]\npath = \"{program}\"\n"
    ));
    let node = Node::up(folder.path());
    let answer = node.get("/fetch?url=http://back.internal/hello").expect(200);
    let record = node.record_of(&answer);
    let trace = record["trace"].as_str().expect("a trace");
    let called = eventually("the other one is recorded", || runs(&node, "back").into_iter().next());
    assert_eq!(called["trace"], trace, "{called}");
    let denied = node.get("/fetch?url=http://nobody.internal/hello");
    assert!(denied.status >= 400 || !denied.text().contains("200"), "{}", denied.text());
}
