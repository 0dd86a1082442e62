//! Effects that commit together: ten thousand messages, fifty power cuts, and a counter that says ten thousand.

use std::{thread, time::Duration};

use testkit::{SeededRng, rng::seeds};

use super::support::{Folder, Node, eventually, program};

const MESSAGES: u64 = 10_000;
const KILLS: usize = 50;
/// Runs at once. All of them change one key, and of those that commit together one can: where a commit takes long, more would only wait.
const RUNS: u32 = 2;
/// The node lives so long between two kills, drawn anew each time.
const LIFE_MS: std::ops::Range<usize> = 15..120;

/// What is left when everything was worked off.
#[derive(Debug)]
struct End {
    counted: u64,
    sent: u64,
    dead: u64,
    /// Kills that came while there was work.
    in_work: usize,
}

/// One function counts what it is given, and sends a message for each, while its node is killed again and again.
fn run(effects: &str) -> End {
    let chance = SeededRng::new(seeds(1).next().expect("one was asked for"));
    let program = program("state").display().to_string();
    let folder = Folder::with_manifest(&format!(
        "app = \"count\"\n\
         [fn.feed]\npath = \"{program}\"\nroute = \"/{{*rest}}\"\nuses = [\"queue.in\"]\n\
         [fn.worker]\npath = \"{program}\"\non = {{ queue = \"in\", batch = 10, retries = 100 }}\neffects = \"{effects}\"\n\
         uses = [\"kv.things\", \"queue.out\"]\nenv = {{ MODE = \"count\" }}\nlimits = {{ concurrency = {RUNS} }}\n"
    ));
    let data = Folder::new();
    let mut node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    for _ in 0..MESSAGES / 1_000 {
        node.get("/queue/send?queue=in&body=m&n=1000").expect(200);
    }
    let mut in_work = 0;
    for _ in 0..KILLS {
        let span = LIFE_MS.end - LIFE_MS.start;
        thread::sleep(Duration::from_millis((LIFE_MS.start + chance.below(span)) as u64));
        node.kill();
        node = Node::server(data.path(), &[]);
        in_work += usize::from(waiting(&node, "in") > 0);
    }
    eventually("everything is worked off", || (waiting(&node, "in") == 0).then_some(()));
    let counted = node.cli(&["kv", "get", "things", "n", "--app", "count", "--env", "prod"]).expect_done().stdout;
    let end = End {
        counted: counted.trim().parse().expect("a number"),
        sent: waiting(&node, "out"),
        dead: waiting(&node, "in-dead"),
        in_work,
    };
    assert_eq!(node.stop(), 0);
    end
}

/// Messages of a queue in whatever state.
fn waiting(node: &Node, queue: &str) -> u64 {
    let all = node.api("/v1/apps/count/prod/queues");
    let row = all.as_array().expect("a list").iter().find(|row| row["name"] == queue);
    let count = |name: &str| row.and_then(|row| row[name].as_u64()).unwrap_or(0);
    ["ready", "delayed", "claimed"].into_iter().map(count).sum()
}

fn assert_exact(end: &End) {
    assert!(end.in_work >= KILLS / 2, "the kills came too late to prove anything: {end:?}");
    assert_eq!((end.counted, end.sent, end.dead), (MESSAGES, MESSAGES, 0), "{end:?}");
}

#[test]
fn fifty_kills_lose_and_double_nothing_of_ten_thousand_messages() {
    assert_exact(&run("atomic"));
}

#[test]
fn without_the_unit_the_same_kills_count_some_twice() {
    let end = run("immediate");
    assert!(end.in_work >= KILLS / 2, "the kills came too late to prove anything: {end:?}");
    assert!(end.counted > MESSAGES || end.sent > MESSAGES, "the control shows nothing: {end:?}");
}
