//! Large amounts: a long backlog, very many queues, and a bucket with very many keys.

#![expect(clippy::disallowed_methods, reason = "pages of a program are timed from outside, on the machine's own clock")]

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use super::support::{Folder, Node, assert_has, eventually, program};

const BACKLOG: u64 = 1_000_000;
const QUEUES: usize = 2_000;
const KEYS: usize = 20_000;
const WRITERS: usize = 16;
/// What is measured is measured again so often, while other work of the machine may be what it shows.
const ROUNDS: usize = 10;
const IDLE: Duration = Duration::from_secs(2);

/// How long the node computed for each quarter of the backlog, in ticks: what passes meanwhile also tells how much else the machine does.
fn quarters(node: &Node) -> [u64; 4] {
    // The first is the moment when it begins: the deployment, and the first start of the code, are no part of it.
    let at = [BACKLOG - 1, BACKLOG / 4 * 3, BACKLOG / 2, BACKLOG / 4, 0].map(|left| {
        eventually(&format!("only {left} messages are left"), || (node.waiting("shop", "in") <= left).then(|| node.cpu_ticks()))
    });
    [0, 1, 2, 3].map(|quarter| at[quarter + 1] - at[quarter])
}

#[test]
fn a_long_backlog_is_worked_off_as_fast_at_its_end_as_at_its_beginning() {
    let program = program("state").display().to_string();
    let feed = format!("app = \"shop\"\n[fn.feed]\npath = \"{program}\"\nroute = \"/{{*rest}}\"\nuses = [\"queue.in\"]\n");
    let worker =
        format!("[fn.worker]\npath = \"{program}\"\non = {{ queue = \"in\", batch = 100 }}\nenv = {{ MODE = \"fail-ids\" }}\n");
    let folder = Folder::with_manifest(&feed);
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    for _ in 0..BACKLOG / 1_000 {
        node.get("/queue/send?queue=in&body=m&n=1000").expect(200);
    }
    assert_eq!(node.waiting("shop", "in"), BACKLOG);
    folder.write("dayfly.toml", feed + &worker);
    node.deploy(folder.path());
    let took = quarters(&node);
    println!("{BACKLOG} messages, ticks for each quarter: {took:?}");
    assert!(took[3] <= took[0] * 2, "the rate falls: {took:?}");
    assert_eq!(node.waiting("shop", "in-dead"), 0);
    assert_eq!(node.stop(), 0);
}

#[test]
fn thousands_of_queues_deploy_and_lie_still() {
    let program = program("state").display().to_string();
    let name = |number: usize| format!("q{number:05}");
    let uses: Vec<_> = (0..QUEUES).map(|number| format!("\"queue.{}\"", name(number))).collect();
    let folder = Folder::with_manifest(&format!(
        "app = \"shop\"\n[fn.feed]\npath = \"{program}\"\nroute = \"/{{*rest}}\"\nuses = [{}]\n\
         [fn.worker]\npath = \"{program}\"\non = {{ queue = \"{}\" }}\nenv = {{ MODE = \"log\" }}\n",
        uses.join(", "),
        name(QUEUES - 1)
    ));
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    node.cli_in(folder.path(), &["queue", "send", &name(7), "waits"]).expect_done();
    node.cli_in(folder.path(), &["queue", "send", &name(QUEUES - 1), "is worked off"]).expect_done();
    eventually("the last one starts its function", || (node.waiting("shop", &name(QUEUES - 1)) == 0).then_some(()));
    let listed = node.cli_in(folder.path(), &["queue", "ls"]).expect_done().stdout;
    let dead = node.cli_in(folder.path(), &["queue", "dead", &name(QUEUES - 1), "--json"]).expect_done().json();
    assert_eq!(dead, serde_json::json!([]), "of a queue behind the first page too");
    // Each of them, the one for dead letters, and the head of the table.
    assert_eq!(listed.lines().count(), QUEUES + 2, "{}", listed.lines().next_back().unwrap_or_default());
    // Some work may be left of what was before; a node that is never idle is in no round.
    let rounds: Vec<u64> = (0..ROUNDS)
        .map(|_| {
            let before = node.cpu_ticks();
            thread::sleep(IDLE);
            node.cpu_ticks() - before
        })
        .take_while(|spent| u128::from(*spent) * 10 * 20 >= IDLE.as_millis())
        .collect();
    // Ticks are hundredths of a second on Linux.
    assert!(rounds.len() < ROUNDS, "idle, it took these ticks in {IDLE:?} each: {rounds:?}");
    assert_eq!(node.stop(), 0);
}

/// Every key of the bucket, a page after the other, and how long each page took.
fn list(node: &Node) -> (BTreeSet<String>, Vec<Duration>) {
    let (mut keys, mut took, mut after) = (BTreeSet::new(), Vec::new(), String::new());
    loop {
        let began = Instant::now();
        let listed = node.api(&format!("/v1/apps/shop/prod/buckets/files/objects?limit=1000&after={after}"));
        let found: Vec<_> = listed["objects"].as_array().expect("rows").iter().filter_map(|row| row["key"].as_str()).collect();
        let Some(last) = found.last() else { return (keys, took) };
        assert!(found.len() <= 1_000 && found.is_sorted(), "{} rows", found.len());
        after = (*last).to_owned();
        keys.extend(found.into_iter().map(str::to_owned));
        took.push(began.elapsed());
    }
}

#[test]
fn a_bucket_with_very_many_keys_is_listed_in_pages_of_constant_memory() {
    let folder = Folder::app("shop", "state", "uses = [\"bucket.files\"]");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    let base = "/v1/apps/shop/prod/buckets/files/object";
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let node = &node;
            scope.spawn(move || {
                for number in (writer..KEYS).step_by(WRITERS) {
                    let put = node.write("PUT", &format!("{base}?key=k{number:06}"), "application/octet-stream", "x");
                    assert!(put.status < 300, "{}", put.text());
                }
            });
        }
    });
    let mut best = vec![Duration::MAX; KEYS / 1_000];
    // All rows together have about 4 MiB.
    node.expect_growth_below(1 << 10, || {
        let (keys, took) = list(&node);
        assert_eq!((keys.len(), took.len()), (KEYS, best.len()));
        best.iter_mut().zip(took).for_each(|(best, took)| *best = took.min(*best));
        node.resident_kib()
    });
    let ends = |best: &[Duration]| -> (Duration, Duration) { (best[..5].iter().sum(), best[best.len() - 5..].iter().sum()) };
    for _ in 0..ROUNDS {
        let (first, last) = ends(&best);
        if last <= first * 3 {
            break;
        }
        best.iter_mut().zip(list(&node).1).for_each(|(best, took)| *best = took.min(*best));
    }
    let (first, last) = ends(&best);
    assert!(last <= first * 3, "the last pages take {last:?}, the first {first:?}");
    let some = node.cli_in(folder.path(), &["bucket", "ls", "files/k0199"]).expect_done().stdout;
    assert_has(&some, "k019999");
    assert_eq!(node.stop(), 0);
}
