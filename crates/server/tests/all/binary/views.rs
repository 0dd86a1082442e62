//! What the commands show of requests: lists, traces, logs, bills and replays.

use std::{io::Read as _, process::Stdio, thread};

use serde_json::Value;

use super::support::{Folder, Node, assert_has, eventually, process::Reaped};

#[test]
fn logs_are_filtered_followed_and_json_when_piped() {
    let folder = Folder::app("shop", "rust-wasip2", "");
    let node = Node::up(folder.path());
    let quiet = node.get("/log?text=sparrow").expect(200);
    let id = node.record_of(&quiet)["trace"].as_str().expect("a trace").to_owned();
    node.record_of(&node.get("/log?text=eagle"));
    let texts = |arguments: &[&str]| -> Vec<String> {
        let lines = node.cli(&[&["logs"], arguments].concat()).expect_done().json_lines();
        lines.iter().map(|line| line["text"].as_str().expect("a text").to_owned()).collect()
    };
    let all = texts(&[]);
    assert!(all.iter().any(|text| text == "stdout: in two parts"), "a line in two writes is one: {all:?}");
    assert!(texts(&["--text", "eagle"]).iter().all(|text| text.contains("eagle")));
    assert!(texts(&["--trace", &id]).iter().all(|text| !text.contains("eagle")));
    let grave = texts(&["--level", "critical"]);
    assert!(grave.len() == 2 && grave.iter().all(|text| text.starts_with("critical: ")), "{grave:?}");
    assert_eq!(texts(&["shop/api"]).len(), all.len());
    assert!(texts(&["shop/other"]).is_empty() && texts(&["--revision", "7"]).is_empty());
    assert_eq!(texts(&["-n", "3"]).len(), 3);
    node.cli(&["logs", "--level", "grave"]).expect_code(2);

    let mut follow = Reaped(node.command(["logs", "--follow"]).stdout(Stdio::piped()).spawn().expect("it starts"));
    let mut lines = follow.0.stdout.take().expect("a pipe");
    let found = thread::spawn(move || {
        let (mut heard, mut chunk) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&heard).contains("heron") {
            let count = lines.read(&mut chunk).expect("a pipe");
            assert!(count > 0, "it ended: {}", String::from_utf8_lossy(&heard));
            heard.extend(&chunk[..count]);
        }
    });
    eventually("the line is followed", || {
        node.get("/log?text=heron").expect(200);
        found.is_finished().then_some(())
    });
    found.join().expect("it was heard");
    // Who reads it has left, as `head` does: that is no failure.
    let ended = eventually("it ends", || {
        node.get("/log?text=heron").expect(200);
        follow.0.try_wait().expect("the child is ours")
    });
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn a_request_is_listed_traced_and_replayed_by_any_of_its_names() {
    let folder = Folder::app("shop", "rust-wasip2", "uses = [\"kv.things\"]");
    let node = Node::up(folder.path());
    node.get("/kv/set?key=a&value=1").expect(200);
    let failed = node.record_of(&node.get("/fail-after-work"));
    let of = |key: &str| failed[key].as_str().expect("a text").to_owned();
    for name in ["last".to_owned(), of("invocation"), of("trace"), of("short"), format!("t:{}", of("short"))] {
        let shown = node.cli(&["trace", &name]).expect_done().stdout;
        for part in ["GET /fail-after-work", "500", "kv.things", "peak", "EUR", "dayfly replay"] {
            assert_has(&shown, part);
        }
        assert_has(&node.cli(&["replay", &name]).expect_done().stdout, "the same, byte for byte");
    }
    let trace = node.cli(&["trace", "last", "--json"]).expect_done().json();
    assert_eq!(trace["trace"], failed["trace"]);
    let listed = |arguments: &[&str]| node.cli(&[&["trace", "--list", "--json"], arguments].concat()).expect_done().json_lines();
    assert_eq!(listed(&[]).len(), 2);
    assert_eq!(listed(&["--status", "error"]).len(), 1);
    assert_eq!(listed(&["--status", "ok"]).len(), 1);
    assert_eq!(listed(&["--status", "500"]).len(), 1);
    assert!(listed(&["--slower", "1m"]).is_empty());
    assert_has(&node.cli(&["trace", "--list"]).expect_done().stdout, "GET /fail-after-work 500");

    let answer = node.cli(&["invoke", "api", "--path", "/hello"]).expect_done();
    assert_eq!(answer.stdout, "hello\n");
    let echoed = node.cli(&["invoke", "shop/api", "-X", "POST", "--path", "/echo", "--body", "ping"]).expect_done();
    assert_eq!(echoed.stdout, "ping");
    node.cli(&["invoke", "api", "--path", "/status?code=503"]).expect_code(1);
    node.cli(&["invoke", "api", "--json"]).json();
    assert_has(&node.cli(&["invoke", "other"]).expect_code(1).stderr, "error[E0708]");
}

/// Picos: the 10⁻¹² of the currency that amounts are whole numbers of.
fn picos(amount: &Value) -> u128 {
    let text = amount.as_str().expect("amounts are texts");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= 12, "{text}");
    format!("{whole}{part:0<12}").parse().expect("digits")
}

#[test]
fn the_bill_is_the_sum_of_what_each_request_cost() {
    let folder = Folder::app("shop", "rust-wasip2", "uses = [\"kv.things\"]");
    let node = Node::up(folder.path());
    let paths = ["/hello", "/kv/incr?key=a", "/big?bytes=300000", "/fail-after-work", "/log?text=x", "/sleep?ms=5"];
    paths.iter().for_each(|path| drop(node.record_of(&node.get(path))));
    let requests = node.cli(&["trace", "--list", "--json"]).expect_done().json_lines();
    let bill = node.cli(&["cost", "--json"]).expect_done().json();
    assert_eq!(bill["total"]["usage"]["requests"].as_u64(), Some(paths.len() as u64), "{bill}");
    for key in ["wall_ns", "cpu_ns", "in_bytes", "out_bytes", "kv_calls", "log_bytes"] {
        let sum: u64 = requests.iter().map(|request| request["usage"][key].as_u64().expect("a number")).sum();
        assert_eq!(bill["total"]["usage"][key].as_u64(), Some(sum), "{key}");
    }
    let cost = &bill["total"]["cost"];
    let parts: u128 = ["requests", "cpu", "memory", "transfer", "kv", "logs"].iter().map(|part| picos(&cost[part])).sum();
    assert_eq!(parts, picos(&cost["total"]), "{cost}");
    let each: u128 = requests.iter().map(|request| picos(&request["cost"]["amount"])).sum();
    // Prices are applied to sums, so that nothing is rounded a million times: each request's own amount may lose less than one part.
    let lost = picos(&cost["total"]).abs_diff(each);
    assert!(lost <= 6 * paths.len() as u128, "{each} against {cost}");
    for by in ["fn", "app", "day"] {
        let bill = node.cli(&["cost", "--by", by, "--json"]).expect_done().json();
        let rows: u128 = bill["rows"].as_array().expect("rows").iter().map(|row| picos(&row["cost"]["total"])).sum();
        assert_eq!(rows, picos(&bill["total"]["cost"]["total"]), "by {by}: {bill}");
    }
    assert_has(&node.cli(&["cost"]).expect_done().stdout, "EUR");
}

#[test]
fn what_is_recorded_follows_the_manifest() {
    let mode = |mode: &str| {
        let folder = Folder::app("shop", "rust-wasip2", &format!("record = \"{mode}\""));
        let node = Node::up(folder.path());
        let replayable = |path: &str| node.record_of(&node.get(path))["replayable"].as_bool().expect("a bool");
        (replayable("/clock"), replayable("/trap"))
    };
    assert_eq!(mode("off"), (false, false));
    assert_eq!(mode("errors"), (false, true));
    assert_eq!(mode("all"), (true, true));
    assert!(mode("1%").1, "failures are always among the one percent");
    // A success replays as well as a failure does.
    let folder = Folder::app("shop", "rust-wasip2", "record = \"all\"");
    let node = Node::up(folder.path());
    let id = node.record_of(&node.get("/random"))["invocation"].as_str().expect("an id").to_owned();
    assert_has(&node.cli(&["replay", &id]).expect_done().stdout, "the same, byte for byte");
}
