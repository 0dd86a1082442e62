//! Functions that do all they can to harm: each ends with its code, and the neighbour never notices.

use std::{thread, time::Duration};

use serde_json::Value;

use super::support::{Folder, Node, Response, Upstream, assert_has, http::raw, program};

/// Between two requests of the neighbour: so few that the list of requests still holds the others.
const NEIGHBOUR_PAUSE: Duration = Duration::from_millis(20);

/// The time of functions that don't end by themselves, and of those that do, however slow the machine is.
const SHORT: &str = "1s";
const LONG: &str = "20s";

/// The hostile program and a well-behaved one in one app.
fn zoo(time: &str) -> (Folder, Node) {
    let (hostile, well) = (program("hostile"), program("rust-wasip2"));
    let folder = Folder::with_manifest(&format!(
        "app = \"zoo\"\n\n[fn.wild]\npath = \"{}\"\nroute = \"/{{*rest}}\"\nuses = [\"kv.things\"]\n\
         limits = {{ time = \"{time}\", memory = \"64MiB\" }}\n\n[fn.well]\npath = \"{}\"\nroute = \"GET /hello\"\n",
        hostile.display(),
        well.display(),
    ));
    let node = Node::up(folder.path());
    (folder, node)
}

/// What a hostile request must come to: the status that its caller gets (none if the answer may break off), and the code of its failure.
struct Harm {
    path: &'static str,
    status: Option<u16>,
    code: &'static str,
}

const fn harm(path: &'static str, status: u16, code: &'static str) -> Harm {
    Harm { path, status: Some(status), code }
}

#[test]
fn functions_that_do_not_end_are_ended() {
    let endless = [
        harm("/spin", 504, "E0502"),
        harm("/never", 504, "E0502"),
        harm("/sleep-years?years=584", 504, "E0502"),
        harm("/memfill?mib=40", 504, "E0502"),
        harm("/kv-loop", 504, "E0502"),
        harm("/log-flood", 504, "E0502"),
        Harm { path: "/body-endless", status: None, code: "E0502" },
    ];
    check(SHORT, &endless);
    // It has to come to its answer first.
    check("5s", &[harm("/spin-after-answer", 200, "E0502")]);
}

#[test]
fn functions_that_take_too_much_or_fall_get_a_code_each() {
    let falling = [
        harm("/grow-trap", 502, "E0503"),
        harm("/handles?n=20000", 502, "E0506"),
        harm("/pollables?n=20000", 502, "E0506"),
        harm("/random-huge", 502, "E0501"),
        harm("/recurse", 502, "E0508"),
        harm("/recurse-memory", 502, "E0501"),
        harm("/abort", 502, "E0501"),
        harm("/exit?code=3", 502, "E0515"),
        harm("/poll-nothing", 502, "E0501"),
        harm("/log-line-huge", 502, "E0501"),
        harm("/kv-huge", 502, "E0501"),
        harm("/no-response", 502, "E0504"),
        harm("/twice", 200, "E0501"),
        harm("/headers-many", 502, "E0514"),
        harm("/header-huge", 502, "E0514"),
        Harm { path: "/trap-after-head", status: None, code: "E0501" },
    ];
    check(LONG, &falling);
}

/// All at once, with the neighbour asked until the last has ended.
fn check(time: &str, harms: &[Harm]) {
    let (_folder, mut node) = zoo(time);
    node.get("/hello").expect(200);
    let gateway = node.gateway;
    let ask = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        thread::spawn(move || Response::parse(&raw(gateway, request.as_bytes()), "GET"))
    };
    let asked: Vec<_> = harms.iter().map(|harm| ask(harm.path)).collect();
    while asked.iter().any(|asked| !asked.is_finished()) {
        assert_eq!(node.get("/hello").expect(200).text(), "hello\n", "the neighbour answers");
        thread::sleep(NEIGHBOUR_PAUSE);
    }
    for (asked, Harm { path, status, code }) in asked.into_iter().zip(harms) {
        let answer = asked.join().expect("it was asked");
        if let Some(status) = status {
            assert_eq!(answer.as_ref().map(|answer| answer.status), Some(*status), "{path}: {answer:?}");
        } else {
            // Its time may be up before it comes to its answer: then that is the answer.
            let is_right = answer.as_ref().is_none_or(|answer| !answer.whole || answer.status >= 500);
            assert!(is_right, "{path} must not look whole: {answer:?}");
        }
        if let Some(answer) = answer.filter(|answer| answer.status >= 500) {
            assert_has(&answer.text(), &format!("error[{code}]"));
        }
        let record = node.request(path.split('?').next().expect("a path"));
        assert_eq!(record["failure"]["code"], *code, "{path}: {record}");
        assert_eq!(record["replayable"], true, "{path} can be replayed: {record}");
    }
    assert!(node.is_running());
    let resident = node.resident_kib();
    assert!(resident < 512 << 10, "{resident} KiB are resident");
    assert!(node.cli(&["replay", "last"]).code <= 1, "a replay of what harms ends too");
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_is_denied_or_cut_is_told_without_a_failure() {
    let (_folder, node) = zoo(LONG);
    for (path, code) in
        [("/grow", "E0503"), ("/log-flood?lines=100000", "E0507"), ("/body-short", "E0509"), ("/body-unfinished", "E0509")]
    {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = Response::parse(&raw(node.gateway, request.as_bytes()), "GET");
        let told = node.request(path.split('?').next().expect("a path"));
        let codes: Vec<_> = refusals(&told).iter().map(|refusal| refusal["code"].as_str().expect("a code")).collect();
        assert!(codes.contains(&code) || told["failure"]["code"] == code, "{path}: {told}");
        let broken = code == "E0509";
        assert_eq!(answer.is_some_and(|answer| answer.status == 200 && answer.whole), !broken, "{path}");
    }
}

#[test]
fn refused_hosts_are_named_and_nobody_is_called() {
    let upstream = Upstream::start();
    let (folder, node) = zoo(LONG);
    let answer = node.get("/fetch-metadata").expect(200);
    let outcomes = answer.json();
    for outcome in outcomes.as_array().expect("a list") {
        assert_eq!(outcome[1], "ErrorCode::HttpRequestDenied", "{outcome}");
    }
    let told = node.record_of(&answer);
    assert_eq!(refusals(&told).len(), outcomes.as_array().expect("a list").len(), "{told}");
    assert!(refusals(&told).iter().all(|refusal| refusal["code"] == "E0207"), "{told}");

    let target = format!("/fetch-loop?n=1&url={}", upstream.url("/x"));
    node.get(&target).expect(502);
    let printed = node.wait_for("error[E0207]: wild may not reach 127.0.0.1");
    assert_has(&printed, &format!("dayfly allow wild {}", upstream.origin()));
    assert_eq!(upstream.served(), 0, "it was not called");

    // The command that the refusal names mends it.
    node.cli(&["allow", "wild", &upstream.origin()]).expect_done();
    assert_has(&folder.read("dayfly.toml"), &upstream.origin());
    node.wait_for("reloaded");
    node.get(&target).expect(200);
    assert_eq!(upstream.served(), 1);
}

#[test]
fn what_a_function_writes_cannot_move_the_terminal() {
    let (_folder, node) = zoo(LONG);
    let id = node.get("/ansi-panic").expect(502).header("x-request-id").expect("an id").to_owned();
    node.wait_for("error[E0501]");
    node.request("/ansi-panic");
    let shown = [node.stdout() + &node.stderr(), node.cli(&["trace", &id]).stdout, node.cli(&["replay", &id]).stdout];
    for text in shown {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\0']), "{text:?}");
    }
    // JSON keeps what was written, escaped.
    let lines = node.cli(&["logs", "--json"]).expect_done();
    assert!(!lines.stdout.contains(['\u{1b}', '\u{7}', '\0']), "{}", lines.stdout);
    assert!(lines.json_lines().iter().any(|line| line["text"].as_str().is_some_and(|text| text.contains("\u{1b}[2J"))));
}

fn refusals(record: &Value) -> &[Value] {
    record["refusals"].as_array().expect("a list")
}
