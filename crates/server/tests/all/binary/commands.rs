//! Every verb on a real node: what it prints for people and for programs, and how it ends.

use std::{fs, io::Read as _, process::Stdio, thread};

use serde_json::Value;

use super::support::{Folder, Node, Request, app::manifest, assert_has, dayfly, eventually, process::Reaped, program, run};

#[test]
fn commands_that_need_no_node_print_text_and_json() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| run(dayfly(folder.path(), arguments));
    assert_has(&run(&["--help"]).expect_done().stdout, "Examples:");
    for verb in
        ["new", "up", "server", "deploy", "apps", "rollback", "invoke", "logs", "trace", "cost", "replay", "limits", "config"]
    {
        assert_has(&run(&["--help"]).stdout, verb);
        assert_has(&run(&[verb, "--help"]).expect_done().stdout, "Usage:");
    }
    run(&["--version"]).expect_done();
    assert_has(&run(&["limits"]).expect_done().stdout, "request body");
    assert!(run(&["limits", "--json"]).expect_done().json().as_array().is_some_and(|rows| rows.len() > 30));
    assert_has(&run(&["explain", "E0207"]).expect_done().stdout, "reach");
    assert_has(&run(&["explain", "E0207", "--json"]).expect_done().json().to_string(), "E0207");
    run(&["explain", "E9999"]).expect_code(2);
    assert!(run(&["schema"]).expect_done().json().is_object());
    assert_has(&run(&["completions", "bash"]).expect_done().stdout, "dayfly");
    assert!(run(&["doctor", "--json"]).json().to_string().contains("kernel"));
}

#[test]
fn exit_codes_are_those_of_the_table() {
    let (data, app) = (Folder::new(), Folder::app("shop", "rust-wasip2", ""));
    let node = Node::server(data.path(), &[]);
    // 2: not understood, or an answer is missing.
    assert_has(&run(dayfly(app.path(), ["deploy", "--yess"])).expect_code(2).stderr, "--yes");
    run(dayfly(app.path(), ["dploy"])).expect_code(2);
    run(dayfly(app.path(), ["replay"])).expect_code(2);
    assert_has(&node.cli_in(app.path(), &["deploy"]).expect_code(2).stderr, "error[E0707]");
    // 3: denied.
    let mut denied = node.command_in(app.path(), ["deploy", "--yes"]);
    denied.env("DAYFLY_TOKEN", "wrong");
    assert_has(&run(denied).expect_code(3).stderr, "error[E0702]");
    // 4: not reached.
    let mut unreached = dayfly(app.path(), ["apps", "--to", "http://127.0.0.1:1"]);
    unreached.env("DAYFLY_TOKEN", "any");
    assert_has(&run(unreached).expect_code(4).stderr, "error[E0705]");
    assert_has(&run(dayfly(app.path(), ["apps"])).expect_code(4).stderr, "error[E0705]");
    // 1: failed.
    assert_has(&node.cli(&["rollback", "nothing"]).expect_code(1).stderr, "error[E0703]");
    assert_has(&node.cli(&["trace", "inv_00000000000000000000000000"]).expect_code(1).stderr, "error[E07");
    // 0: done, with nothing to tell.
    node.cli(&["apps"]).expect_done();
    assert!(node.cli(&["apps", "--json"]).expect_done().stdout.len() < 4);
}

#[test]
fn a_deployment_shows_its_plan_and_going_back_moves_a_pointer() {
    let (data, app) = (Folder::new(), Folder::app("shop", "hello", ""));
    let node = Node::server(data.path(), &[]);
    let plan = node.cli_in(app.path(), &["deploy", "--plan", "--json"]).expect_done().json();
    assert_eq!((plan["revision"].as_u64(), plan["functions"][0]["change"].as_str()), (Some(1), Some("added")), "{plan}");
    assert_eq!(node.api("/v1/apps").as_array().map(Vec::len), Some(0), "a plan changes nothing");
    node.deploy(app.path());
    assert_eq!(node.get("/ada").expect(200).text(), "hello ada\n");

    let more = "uses = [\"kv.things\"]\nreach = [\"https://api.example.com\"]\nlimits = { memory = \"32MiB\" }";
    app.write("dayfly.toml", manifest("shop", &program("rust-wasip2"), more));
    let shown = node.cli_in(app.path(), &["deploy", "--plan"]).expect_done().stdout;
    for part in ["revision 2", "~ fn.api", "new code", "kv.things", "permissions gained", "api.example.com", "32 MiB"] {
        assert_has(&shown, part);
    }
    let deployed = node.deploy(app.path());
    assert_eq!(deployed["plan"]["revision"], 2);
    assert_eq!(node.get("/hello").expect(200).text(), "hello\n");
    let again = node.cli_in(app.path(), &["deploy", "--yes"]).expect_done();
    assert_has(&again.stdout, "serves this already");

    let back = node.cli(&["rollback", "shop"]).expect_done().stdout;
    assert_has(&back, "revision 1");
    assert_has(&back, "data is not rolled back: kv.things");
    assert_eq!(node.get("/ada").expect(200).text(), "hello ada\n");
    node.cli(&["rollback", "shop", "--revision", "2", "--json"]).expect_done().json();
    assert_eq!(node.get("/hello").expect(200).text(), "hello\n");
    node.cli(&["rollback", "shop", "--revision", "9"]).expect_code(1);
    // A revision never changes: what is deployed next has a number of its own, whatever was rolled back.
    node.cli(&["rollback", "shop", "--revision", "1"]).expect_done();
    app.write("dayfly.toml", manifest("shop", &program("hello"), "env = { A = \"b\" }"));
    assert_eq!(node.deploy(app.path())["plan"]["revision"], 3);
    let revisions = node.api("/v1/apps/shop/prod/revisions");
    let numbers: Vec<_> =
        revisions.as_array().expect("a list").iter().filter_map(|revision| revision["number"].as_u64()).collect();
    assert!(numbers.len() == 3 && [1, 2, 3].iter().all(|number| numbers.contains(number)), "{revisions}");
    assert_has(&node.cli(&["apps"]).expect_done().stdout, "shop");
}

#[test]
fn config_merges_an_environment_and_says_where_each_value_is_from() {
    let env = "limits = { memory = \"64MiB\" }\n\n[env.prod]\ndomain = \"shop.example\"\n[env.prod.fn.api.limits]\ntime = \"5s\"";
    let folder = Folder::app("shop", "hello", env);
    let shown = |env: &str| run(dayfly(folder.path(), ["config", "--env", env])).expect_done().stdout;
    let line = |text: &str, key: &str| {
        text.lines().find(|line| line.contains(key)).unwrap_or_else(|| panic!("{key} in {text}")).to_owned()
    };
    let prod = shown("prod");
    assert_has(&line(&prod, "limits.time"), "5s");
    assert_has(&line(&prod, "limits.time"), "dayfly.toml:");
    assert_has(&line(&prod, "limits.memory"), "64MiB");
    assert_has(&line(&prod, "limits.concurrency"), "default");
    assert_has(&prod, "shop.example");
    assert!(!shown("dev").contains("shop.example"));
    run(dayfly(folder.path(), ["config", "--env", "prod", "--json"])).expect_done().json();
}

#[test]
fn allow_keeps_comments_and_grants_a_host() {
    let folder = Folder::app("shop", "hello", "# why: a comment that stays");
    run(dayfly(folder.path(), ["allow", "api", "https://api.example.com"])).expect_done();
    let after = folder.read("dayfly.toml");
    assert_has(&after, "https://api.example.com");
    assert_has(&after, "# why: a comment that stays");
    assert_has(&run(dayfly(folder.path(), ["config"])).expect_done().stdout, "https://api.example.com");
    run(dayfly(folder.path(), ["allow", "api", "not a host"])).expect_code(1);
    run(dayfly(folder.path(), ["allow", "nothing", "https://api.example.com"])).expect_code(1);
}

#[test]
fn new_makes_a_folder_once() {
    let folder = Folder::new();
    let component = program("hello");
    let wasm = ["new", "fly", "--wasm", component.to_str().expect("a path")];
    run(dayfly(folder.path(), wasm)).expect_done();
    let node = Node::up(&folder.file("fly"));
    assert_eq!(node.get("/ada").expect(200).text(), "hello ada\n");
    assert_has(&run(dayfly(folder.path(), wasm)).expect_code(1).stderr, "error[E0711]");
}

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
    // Control takes no one without the token, and tells no one why a function failed.
    let refused = Request::get("/v1/apps").send(node.control);
    assert_eq!(refused.status, 401);
    assert!(!fs::read_to_string(node.data().join("token")).expect("its owner may read it").trim().is_empty());
}
