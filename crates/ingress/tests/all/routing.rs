//! Which function gets a request, also while the table changes, and with many of them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use std::time::Duration;

use http::Response;
use ingress::{Framing, GatewayLimits};
use ports::{Body, Plane};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use types::{LiveApp, Snapshot};

use crate::rig::{Functions, PATIENCE, Rig, app};

fn install(rig: &Rig, number: u64, apps: Vec<Arc<LiveApp>>) {
    rig.gateway.install(&Arc::new(Snapshot { number, apps }));
}

async fn get(rig: &Rig, host: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let talk = rig.talk(request.as_bytes(), PATIENCE).await;
    let body = talk.text.split("\r\n\r\n").nth(1).unwrap_or_default();
    body.split([' ', ']']).next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn hosts_find_their_apps_whatever_their_case_port_or_dot() {
    let rig = Rig::echo().await;
    install(&rig, 2, vec![app("shop", false, &[("f", &["/"])]), app("blog", false, &[("f", &["/"])])]);
    for (host, expected) in [
        ("shop.localhost", "shop/f"),
        ("SHOP.localhost:4000", "shop/f"),
        ("blog.localhost.", "blog/f"),
        ("nobody.localhost", "error[E0401"),
        ("127.0.0.1", "error[E0401"),
        ("[::1]:80", "error[E0401"),
    ] {
        assert_eq!(get(&rig, host, "/").await, expected, "{host}");
    }
}

#[tokio::test]
async fn an_older_snapshot_is_ignored() {
    let rig = Rig::echo().await;
    install(&rig, 5, vec![app("new", true, &[("f", &["/"])])]);
    install(&rig, 4, vec![app("old", true, &[("f", &["/"])])]);
    assert_eq!(get(&rig, "x", "/").await, "new/f");
}

#[tokio::test]
async fn ten_thousand_functions_and_ten_thousand_apps_are_found() {
    let rig = Rig::echo().await;
    let routes: Vec<(String, String)> = (0..10_000).map(|i| (format!("f{i}"), format!("GET /r{i}/{{id}}"))).collect();
    let lists: Vec<[&str; 1]> = routes.iter().map(|(_, route)| [route.as_str()]).collect();
    let functions: Vec<(&str, &[&str])> = routes.iter().zip(&lists).map(|((name, _), list)| (name.as_str(), &list[..])).collect();
    let mut apps = vec![app("big", true, &functions)];
    apps.extend((0..10_000).map(|i| app(&format!("a{i}"), false, &[("f", &["/"])])));
    install(&rig, 2, apps.clone());
    for index in [0, 1, 4_999, 9_999] {
        assert_eq!(get(&rig, "x", &format!("/r{index}/7")).await, format!("big/f{index}"));
        assert_eq!(get(&rig, &format!("a{index}.localhost"), "/").await, format!("a{index}/f"));
    }
    // One app changes: everything else is taken over.
    apps[1] = app("a0", false, &[("changed", &["/"])]);
    install(&rig, 3, apps);
    assert_eq!(get(&rig, "a0.localhost", "/").await, "a0/changed");
    assert_eq!(get(&rig, "x", "/r77/7").await, "big/f77");
}

/// Every path belongs to one function in every table; the tables differ in what else they have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_changes_under_load_never_gives_a_wrong_function() {
    static WRONG: AtomicUsize = AtomicUsize::new(0);
    let check = Functions::new(|invocation| async move {
        let name = invocation.function.function.name.to_string();
        if invocation.request.uri().path() != format!("/{name}") {
            WRONG.fetch_add(1, Ordering::Relaxed);
        }
        Response::new(Body::Empty)
    });
    let rig = Arc::new(Rig::start(GatewayLimits::default(), Framing::Strict, check).await);
    let stop = Arc::new(AtomicBool::new(false));
    let tables: Vec<Arc<LiveApp>> = (0..4)
        .map(|table| {
            let names: Vec<(String, String)> = (0..=table).map(|i| (format!("f{i}"), format!("/f{i}"))).collect();
            let lists: Vec<[&str; 1]> = names.iter().map(|(_, route)| [route.as_str()]).collect();
            let functions: Vec<(&str, &[&str])> =
                names.iter().zip(&lists).map(|((name, _), list)| (name.as_str(), &list[..])).collect();
            app("swap", true, &functions)
        })
        .collect();
    install(&rig, 2, vec![Arc::clone(&tables[0])]);
    let callers = (0..4).map(|caller| {
        let (rig, stop) = (Arc::clone(&rig), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut stream = rig.connect().await;
            let (mut answered, mut buffer) = (0, [0; 4096]);
            while !stop.load(Ordering::Relaxed) {
                let request = format!("GET /f{caller} HTTP/1.1\r\nhost: x\r\n\r\n");
                stream.write_all(request.as_bytes()).await.expect("the gateway reads");
                let length = stream.read(&mut buffer).await.expect("the gateway answers");
                let text = String::from_utf8_lossy(&buffer[..length]);
                assert!(text.starts_with("HTTP/1.1 200") || text.starts_with("HTTP/1.1 404"), "{text}");
                answered += 1;
            }
            answered
        })
    });
    let callers: Vec<_> = callers.collect();
    for number in 3..500 {
        install(&rig, number, vec![Arc::clone(&tables[number as usize % tables.len()])]);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.await.expect("a caller") > 0);
    }
    assert_eq!(WRONG.load(Ordering::Relaxed), 0);
}
