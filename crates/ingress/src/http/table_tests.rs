//! What the route table answers.

use types::{Build, Digest, Function, RecordMode, RevisionNumber, Route, revision::AppKey};

use super::*;

struct Ticket(u32);
impl Rng for Ticket {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.to_ne_bytes());
    }
}

fn revision(app: &AppKey, number: u32, functions: &[(&str, &[&str])]) -> Arc<LiveRevision> {
    let live = |(name, routes): &(&str, &[&str])| {
        let routes = routes.iter().map(|text| text.parse::<Route>().expect("a route")).collect();
        let function = Function {
            routes,
            record: RecordMode::Off,
            ..Function::empty(name.parse().expect("a name"), ".".into(), Build::Component)
        };
        let live = LiveFunction {
            key: app.clone(),
            revision: RevisionNumber(number),
            function,
            artifact: Digest::from_bytes([0; 32]),
            gate: 0,
            resources: Arc::default(),
        };
        (live.function.name.clone(), Arc::new(live))
    };
    Arc::new(LiveRevision {
        number: RevisionNumber(number),
        functions: functions.iter().map(live).collect(),
        site: None,
        events: None,
    })
}

fn key(app: &str) -> AppKey {
    AppKey { app: app.parse().expect("a name"), env: "dev".parse().expect("a name") }
}

fn app(name: &str, default: bool, functions: &[(&str, &[&str])]) -> Arc<LiveApp> {
    let key = key(name);
    let shares = vec![(revision(&key, 1, functions), 1)];
    Arc::new(LiveApp { key, hosts: vec![format!("{name}.example.com")], default, shares })
}

fn table(apps: Vec<Arc<LiveApp>>) -> Table {
    Table::build(&Snapshot { number: 1, apps }, &Table::default())
}

/// The function's name, or the code and what is allowed.
fn find(table: &Table, host: &str, method: &str, path: &str) -> String {
    match table.find(host, path, method, &Ticket(0)) {
        Ok(Target::Function(function)) => format!("{}/{}", function.key.app, function.function.name),
        Ok(Target::File(_)) => "file".into(),
        Ok(Target::Events(_)) => "events".into(),
        Err(Unrouted { problem, allow }) => format!("{} {}", problem.code, allow.unwrap_or_default()).trim().to_owned(),
    }
}

#[test]
fn requests_go_where_host_path_and_method_say() {
    let shop: &[(&str, &[&str])] = &[
        ("list", &["GET /orders", "GET /orders/{id}"]),
        ("write", &["POST,PUT /orders/{order}"]),
        ("files", &["/files/{*path}"]),
        ("every", &["GET /{*rest}"]),
        ("one", &["POST /{name}"]),
        ("heads", &["HEAD /orders"]),
    ];
    let table = table(vec![app("shop", false, shop), app("blog", false, &[("all", &["/"])])]);
    for (host, method, path, expected) in [
        ("shop.example.com", "GET", "/orders", "shop/list"),
        ("shop.localhost", "GET", "/orders/7", "shop/list"),
        ("shop.localhost", "HEAD", "/orders/7", "shop/list"),
        ("shop.localhost", "HEAD", "/orders", "shop/heads"),
        ("shop.localhost", "PUT", "/orders/7", "shop/write"),
        ("shop.localhost", "DELETE", "/orders/7", "E0403 GET, HEAD, POST, PUT"),
        ("shop.localhost", "PATCH", "/files/a/b", "shop/files"),
        ("shop.localhost", "GET", "/other", "shop/every"),
        ("shop.localhost", "POST", "/other", "shop/one"),
        ("shop.localhost", "POST", "/other/deep", "E0403 GET, HEAD"),
        ("blog.localhost", "PURGE", "/", "blog/all"),
        ("blog.localhost", "GET", "/x", "E0402"),
        ("unknown.example.com", "GET", "/", "E0401"),
        ("", "GET", "/", "E0401"),
    ] {
        assert_eq!(find(&table, host, method, path), expected, "{method} {host}{path}");
    }
}

#[test]
fn the_default_app_answers_to_hosts_that_nobody_names() {
    let table = table(vec![app("main", true, &[("f", &["/"])]), app("side", false, &[("f", &["/"])])]);
    assert_eq!(find(&table, "10.0.0.1", "GET", "/"), "main/f");
    assert_eq!(find(&table, "side.localhost", "GET", "/"), "side/f");
}

#[test]
fn a_domain_comes_before_the_local_name_of_another_app() {
    let mut thief = LiveApp::clone(&app("thief", false, &[("f", &["/"])]));
    thief.hosts = vec!["shop.localhost".into()];
    let table = table(vec![app("shop", false, &[("f", &["/"])]), Arc::new(thief)]);
    assert_eq!(find(&table, "shop.localhost", "GET", "/"), "thief/f");
}

#[test]
fn traffic_is_shared_by_weight() {
    let key = key("shop");
    let shares = vec![(revision(&key, 1, &[("f", &["/"])]), 3), (revision(&key, 2, &[("f", &["/"])]), 1)];
    let table = table(vec![Arc::new(LiveApp { key, hosts: vec![], default: true, shares })]);
    let revision = |ticket| match table.find("x", "/", "GET", &Ticket(ticket)) {
        Ok(Target::Function(function)) => function.revision.0,
        _ => panic!("the route answers"),
    };
    assert_eq!([0, u32::MAX / 4 * 3 - 1, u32::MAX].map(revision), [1, 1, 2]);
}

#[test]
fn what_did_not_change_is_kept() {
    let (stays, leaves) = (app("stays", false, &[("f", &["/"])]), app("leaves", false, &[("f", &["/"])]));
    let first = table(vec![Arc::clone(&stays), leaves]);
    // The same revision under another split of the traffic: the app is new, its revision is not.
    let mut moved = LiveApp::clone(&stays);
    moved.shares.push((revision(&moved.key, 2, &[("f", &["/"])]), 1));
    let second = Table::build(&Snapshot { number: 2, apps: vec![Arc::clone(&stays)] }, &first);
    let third = Table::build(&Snapshot { number: 3, apps: vec![Arc::new(moved)] }, &second);
    let of = |table: &Table| Arc::clone(&table.hosts["stays.localhost"]);
    assert!(Arc::ptr_eq(&of(&first), &of(&second)));
    assert!(!Arc::ptr_eq(&of(&second), &of(&third)) && Arc::ptr_eq(&of(&second).revisions[0], &of(&third).revisions[0]));
    assert_eq!(find(&second, "leaves.localhost", "GET", "/"), "E0401");
}

#[test]
fn routes_come_before_files_and_files_before_wildcards_and_the_fallback_is_last() {
    let key = key("shop");
    let of = |routes: &[&str]| {
        let live = revision(&key, 1, &[("api", routes)]);
        let file = types::site::SiteFile {
            digest: Digest::from_bytes([2; 32]),
            bytes: 1,
            content_type: "text/html".into(),
            variants: vec![],
        };
        let files = ["index.html", "orders"].map(|name| (name.to_owned(), file.clone())).into();
        let site = types::site::Site { fallback: Some("index.html".into()), files };
        let live = Arc::new(LiveRevision { site: Some(Arc::new(site)), ..LiveRevision::clone(&live) });
        table(vec![Arc::new(LiveApp { key: key.clone(), hosts: vec![], default: true, shares: vec![(live, 1)] })])
    };
    let exact = of(&["GET /orders", "/api/{*rest}"]);
    assert_eq!(find(&exact, "x", "GET", "/orders"), "shop/api");
    assert_eq!(find(&exact, "x", "GET", "/"), "file");
    assert_eq!(find(&exact, "x", "GET", "/api/1"), "shop/api");
    assert_eq!(find(&exact, "x", "GET", "/no/such/page"), "file");
    assert_eq!(find(&exact, "x", "POST", "/orders"), "E0403 GET, HEAD");
    assert_eq!(find(&exact, "x", "POST", "/"), "E0403 GET, HEAD");
    assert_eq!(find(&exact, "x", "POST", "/no/such/page"), "E0402");
    let wide = of(&["/{*rest}"]);
    assert_eq!(find(&wide, "x", "GET", "/orders"), "file");
    assert_eq!(find(&wide, "x", "POST", "/orders"), "shop/api");
    assert_eq!(find(&wide, "x", "GET", "/no/such/page"), "shop/api");
}
