//! Everything that starts a function, in JavaScript: what the handler is given, and every service of `env` from within it.

use serde_json::{Value, json};

use super::super::support::{Folder, Node, assert_has, eventually, repository};

const USES: &str = "uses = [\"kv.things\", \"kv.watched\", \"sql.main\", \"bucket.files\", \"bucket.inbox\", \"queue.out\", \"queue.jobs\", \
                    \"stream.trail\", \"stream.clicks\", \"event.default\", \"secret.API_KEY\", \"kv.readonly:read\"]\n\
                    reach = [\"http://helper.internal\"]\nenv = { GREETING = \"hello\" }\n";

/// What starts each function, and the handler that it is started with.
const SOURCES: [(&str, &str); 6] = [
    ("queue", "on = { queue = \"jobs\", batch = 10, retries = 3 }"),
    ("stream", "on = { stream = \"clicks\", batch = 10 }"),
    ("kv", "on = { kv = \"watched\", event = \"put\" }"),
    ("bucket", "on = { bucket = \"inbox\", event = \"created\" }"),
    ("event", "on = { event = \"order.*\" }"),
    ("scheduled", "on = { cron = \"0 0 1 1 *\", zone = \"Europe/Berlin\" }"),
];

fn start() -> (Folder, Folder, Node) {
    let mut manifest = String::from("app = \"shop\"\n\n[fn.helper]\npath = \"helper.js\"\n");
    let function = |name: &str, on: &str| format!("\n[fn.{name}]\npath = \"services.ts\"\n{on}\n{USES}");
    manifest += &function("api", "route = \"/{*rest}\"");
    SOURCES.iter().for_each(|(name, on)| manifest += &function(&format!("on-{name}"), on));
    let (data, folder) = (Folder::new(), Folder::with_manifest(&manifest));
    for file in ["services.ts", "helper.js"] {
        let code = std::fs::read(repository().join("tests/programs/javascript").join(file)).expect("it lies there");
        folder.write(file, code);
    }
    let node = Node::server(data.path(), &[]);
    node.secret("shop", "API_KEY", "seven77");
    node.deploy(folder.path());
    (data, folder, node)
}

/// What the handlers of a function have logged, once they are so many.
fn logged(node: &Node, function: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{function} logs {count} times"), || {
        let lines = node.api(&format!("/v1/logs?function={function}&limit=100"));
        let texts = lines.as_array()?.iter().filter_map(|line| serde_json::from_str(line["text"].as_str()?).ok());
        let texts: Vec<Value> = texts.collect();
        (texts.len() >= count).then_some(texts)
    })
}

/// That each service did what it should, in the handler's n-th run.
#[track_caller]
fn assert_used(all: &Value, mark: &str, run: u64) {
    // What waits for the acknowledgement has no id yet.
    let sent = if mark == "fetch" { "string" } else { "object" };
    let expected = json!({
        "count": run, "times": run, "size": format!("bytes of {mark}").len(), "sent": sent, "published": "string", "secret": 7,
        "setting": "hello", "other": format!("helped {mark}"),
    });
    assert_eq!(*all, expected, "{mark}");
}

#[test]
fn every_kind_of_trigger_calls_its_handler_with_what_happened_and_every_service_works_in_it() {
    let (_data, folder, node) = start();
    assert_used(&node.get("/all").expect(200).json(), "fetch", 1);
    node.get("/start").expect(202);
    node.cli_in(folder.path(), &["cron", "run", "on-scheduled"]).expect_done();
    let input = |name: &str| {
        let told = logged(&node, &format!("on-{name}"), 1).remove(0);
        assert_eq!(told["handler"], name, "{told}");
        assert_used(&told["all"], name, 1);
        told["input"].clone()
    };
    assert_eq!(input("stream"), json!({"stream": "clicks", "seen": [["ada", {"page": "/a"}]]}));
    assert_eq!(input("kv"), json!({"store": "watched", "key": "watched", "type": "put", "value": "seven"}));
    assert_eq!(input("bucket"), json!({"bucket": "inbox", "key": "in.txt", "type": "created", "size": 5}));
    assert_eq!(input("event"), json!({"type": "order.created", "subject": "7", "data": {"id": 7}}));
    assert_eq!(input("scheduled"), json!({"cron": "0 0 1 1 *", "zone": "Europe/Berlin", "late": 0}));
    for (mark, _) in SOURCES {
        let kept = eventually("its effects are there", || {
            let kept = node.get(&format!("/contents?mark={mark}")).expect(200).json();
            (kept["kv"] != Value::Null).then_some(kept)
        });
        assert_eq!(kept, json!({"kv": {"mark": mark}, "bucket": format!("bytes of {mark}"), "sql": 1}));
    }
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_message_that_asks_for_it_comes_again_and_the_others_do_not() {
    let (_data, _folder, node) = start();
    node.get("/start").expect(202);
    let seen = eventually("the message has come again", || {
        let told = logged(&node, "on-queue", 1);
        let seen: Vec<Value> = told.iter().flat_map(|told| told["input"]["seen"].as_array().expect("a list").clone()).collect();
        (seen.len() >= 4).then_some(seen)
    });
    let times = |body: Value| seen.iter().filter(|seen| **seen == body).count();
    assert_eq!((times(json!({"job": 1})), times(json!("two")), times(json!("again"))), (1, 1, 2), "{seen:?}");
    eventually("the queue is empty", || (node.waiting("shop", "jobs") == 0).then_some(()));
    assert_eq!(node.waiting("shop", "jobs-dead"), 0);
}

#[test]
fn work_that_is_waited_for_goes_on_after_the_answer() {
    let (_data, _folder, node) = start();
    assert_eq!(node.get("/late").expect(200).text(), "answered\n");
    assert_eq!(node.get("/get?key=done").expect(200).text(), "", "it waits for its sign");
    node.get("/put?key=go").expect(204);
    eventually("it is done", || (node.get("/get?key=done").text() == "late").then_some(()));
}

#[test]
fn what_is_not_granted_is_an_error_that_names_the_grant() {
    let (_data, folder, node) = start();
    let denied = node.get("/denied").expect(200).json();
    assert_eq!(denied, json!(["ServiceError", "access-denied", "kv.readonly"]));
    // What the manifest does not name is not there at all, and the error says what to add.
    folder.write("services.ts", "export default { fetch: (r, env) => env.kv.other.get(\"a\") };\n");
    let manifest = folder.read("dayfly.toml");
    let (head, _) = manifest.split_once("\n[fn.on-queue]").expect("it is there");
    folder.write("dayfly.toml", head);
    node.deploy(folder.path());
    let missing = node.get("/x").expect_refusal(502, "E0519");
    let record = node.record_of(&missing);
    assert_has(record["failure"]["message"].as_str().expect("a message"), "kv.other");
}
