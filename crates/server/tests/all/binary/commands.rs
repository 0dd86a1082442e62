//! Every verb on a real node: what it prints for people and for programs, and how it ends.

use super::support::{Folder, Node, app::manifest, assert_has, dayfly, program, run};

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
