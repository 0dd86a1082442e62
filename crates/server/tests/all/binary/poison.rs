//! Messages that can't be worked off, answers to batches that can't be followed, and payloads that are too large.

use serde_json::Value;

use super::support::{Folder, Node, assert_has, eventually, program};

const MESSAGES: usize = 7;

/// An app with a function that sends, and one for each mode that works off a queue of that name.
fn app(modes: &[&str], more: &str) -> Folder {
    let program = program("state").display().to_string();
    let queues: String = modes.iter().map(|mode| format!("\"queue.{mode}\", \"kv.{mode}\", ")).collect();
    let feed = format!("[fn.feed]\npath = \"{program}\"\nroute = \"/{{*rest}}\"\nuses = [{queues}\"queue.idle\"]\n");
    let worker = |mode: &&str| {
        format!(
            "[fn.{mode}]\npath = \"{program}\"\non = {{ queue = \"{mode}\", batch = 5, retries = 1 }}\n{more}\
             uses = [\"kv.{mode}\", \"queue.{mode}-out\"]\nenv = {{ MODE = \"{mode}\", STORE = \"{mode}\", OUT = \"{mode}-out\" }}\n"
        )
    };
    Folder::with_manifest(&format!("app = \"shop\"\n{feed}{}", modes.iter().map(worker).collect::<String>()))
}

/// The dead letters of a queue, once there are so many.
fn dead(node: &Node, queue: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} dead letters of {queue}"), || {
        let dead = node.api(&format!("/v1/apps/shop/prod/queues/{queue}-dead/messages?limit=1000"));
        dead.as_array().filter(|dead| dead.len() == count).cloned()
    })
}

/// What the function counted.
fn counted(node: &Node, mode: &str) -> String {
    node.get(&format!("/kv/get?store={mode}&key=n")).expect(200).text().trim().to_owned()
}

#[test]
fn what_fails_or_is_answered_wrongly_is_a_dead_letter_with_its_reason_and_leaves_no_effect() {
    let reasons = [
        ("fail", "500"),
        ("count-unknown-ids", "E0518"),
        ("count-nonsense", "E0518"),
        ("trap", "E0501"),
        ("trap-after-ack", "E0501"),
    ];
    let folder = app(&reasons.map(|(mode, _)| mode), "");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    for (mode, _) in reasons {
        node.get(&format!("/queue/send?queue={mode}&body=m&n={MESSAGES}")).expect(200);
    }
    for (mode, reason) in reasons {
        for letter in dead(&node, mode, MESSAGES) {
            assert_has(letter["dead_reason"].as_str().expect("a reason"), reason);
            assert_eq!(letter["dead_from"], mode, "{letter}");
            assert!(letter["attempts"].as_u64() >= Some(2), "{letter}");
        }
        assert_eq!(node.waiting("shop", mode), 0, "{mode}");
        assert_eq!((counted(&node, mode).as_str(), node.waiting("shop", &format!("{mode}-out"))), ("null", 0), "{mode}");
    }
    assert_eq!(node.stop(), 0);
}

#[test]
fn without_the_unit_what_traps_leaves_its_effects() {
    let folder = app(&["trap"], "effects = \"immediate\"\n");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    node.get(&format!("/queue/send?queue=trap&body=m&n={MESSAGES}")).expect(200);
    dead(&node, "trap", MESSAGES);
    assert_ne!(counted(&node, "trap"), "null", "the control shows nothing");
    assert!(node.waiting("shop", "trap-out") > 0, "the control shows nothing");
}

#[test]
fn poison_among_good_messages_keeps_none_of_them_back_and_none_is_counted_twice() {
    let folder = app(&["count-good"], "");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    for _ in 0..10 {
        node.get("/queue/send?queue=count-good&body=good&n=9").expect(200);
        node.get("/queue/send?queue=count-good&body=bad").expect(200);
    }
    for letter in dead(&node, "count-good", 10) {
        assert_has(&letter["body"].to_string(), "bad");
    }
    eventually("the good ones are worked off", || (node.waiting("shop", "count-good") == 0).then_some(()));
    assert_eq!((counted(&node, "count-good").as_str(), node.waiting("shop", "count-good-out")), ("\"90\"", 90));
    let sent_back = node.cli_in(folder.path(), &["queue", "redrive", "count-good"]).expect_done().stdout;
    assert_has(&sent_back, "10 dead letters");
    dead(&node, "count-good", 10);
    assert_eq!((counted(&node, "count-good").as_str(), node.waiting("shop", "count-good-out")), ("\"90\"", 90));
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_message_above_the_limit_is_refused_by_name_and_one_at_the_limit_is_not() {
    const ALLOWED: usize = 1 << 20;
    let folder = app(&["fail-ids"], "");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    folder.write("fits", "x".repeat(ALLOWED));
    folder.write("large", "x".repeat(ALLOWED + 1));
    let send = |body: &str| node.cli_in(folder.path(), &["queue", "send", "idle", body]);
    let refused = send("@large").expect_code(1);
    assert_has(&refused.stderr, "error[E0614]");
    assert_has(&refused.stderr, "allowed 1048576");
    send("@fits").expect_done();
    assert_eq!(node.waiting("shop", "idle"), 1);
    // A function is told the same, for one message and for a batch, of which nothing is sent.
    for query in [format!("size={}", ALLOWED + 1), format!("size={ALLOWED}&n=2")] {
        let refused = node.get(&format!("/queue/send?queue=idle&{query}")).expect(413).json();
        assert_eq!(refused["kind"], "TooLarge", "{refused}");
        assert_has(refused["message"].as_str().expect("words"), "allowed 1048576");
    }
    assert_eq!(node.waiting("shop", "idle"), 1);
    // Keys and values have limits of their own.
    let put = |key: &str, body: &str| node.cli_in(folder.path(), &["kv", "put", "fail-ids", key, body]);
    put("fits", "@fits").expect_done();
    for refused in [put("large", "@large"), put(&"k".repeat(1_025), "v")] {
        assert_has(&refused.expect_code(1).stderr, "allowed");
    }
    assert_eq!(node.stop(), 0);
}
