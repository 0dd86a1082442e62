//! Deployments that get in each other's way, and those that would leave data behind.

use std::{fs, thread};

use super::support::{Finished, Folder, Node, assert_has, program};

const ALL: [&str; 5] = ["kv.things", "queue.jobs", "stream.clicks", "bucket.files", "sql.main"];
const ROUNDS_MAX: u32 = 30;

fn manifest(uses: &[&str], round: &str) -> String {
    let program = program("state").display().to_string();
    let uses: Vec<_> = uses.iter().map(|name| format!("\"{name}\"")).collect();
    format!(
        "app = \"shop\"\n[fn.api]\npath = \"{program}\"\nroute = \"/{{*rest}}\"\nuses = [{}]\nenv = {{ ROUND = \"{round}\" }}\n",
        uses.join(", ")
    )
}

#[test]
fn of_two_deployments_at_once_one_wins_and_the_other_is_told() {
    let folders = [Folder::with_manifest(&manifest(&[], "")), Folder::with_manifest(&manifest(&[], ""))];
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folders[0].path());
    let (mut revision, mut told) = (1, 0);
    // One may be over before the other begins: then both are right to succeed.
    for round in 0..ROUNDS_MAX {
        for (side, folder) in folders.iter().enumerate() {
            folder.write("dayfly.toml", manifest(&[], &format!("{round}-{side}")));
        }
        let deploy = |folder: &Folder| node.cli_in(folder.path(), &["deploy", "--yes", "--json"]);
        let ended: Vec<Finished> = thread::scope(|scope| {
            let started: Vec<_> = folders.iter().map(|folder| scope.spawn(|| deploy(folder))).collect();
            started.into_iter().map(|thread| thread.join().expect("it ends")).collect()
        });
        revision += ended.iter().filter(|ended| ended.code == 0).count() as u64;
        assert_eq!(node.api("/v1/apps")[0]["latest"], revision, "one revision for each that succeeded: {ended:?}");
        let Some(loser) = ended.iter().position(|ended| ended.code != 0) else { continue };
        let winner = 1 - loser;
        assert_eq!(ended[winner].code, 0, "one wins: {ended:?}");
        assert_has(&ended[loser].stderr, "E0710");
        assert_has(&node.get("/config").expect(200).text(), &format!("\"{round}-{winner}\""));
        deploy(&folders[loser]).expect_done();
        revision += 1;
        assert_has(&node.get("/config").expect(200).text(), &format!("\"{round}-{loser}\""));
        told += 1;
        if told == 3 {
            break;
        }
    }
    assert!(told > 0, "in {ROUNDS_MAX} rounds no two deployments met");
    assert_eq!(node.stop(), 0);
}

/// Puts something into each.
fn fill(node: &Node) {
    for path in [
        "/kv/set?key=n&value=7",
        "/queue/send?queue=jobs&body=seven",
        "/stream/append?stream=clicks&body=seven",
        "/bucket/put?key=seven&value=seven",
        "/sql/exec?q=create+table+t(a)",
        "/sql/exec?q=insert+into+t+values(7)",
    ] {
        node.get(path).expect(200);
    }
}

/// What is in each.
fn contents(node: &Node) -> [bool; 5] {
    let has = |path: &str, part: &str| node.get(path).expect(200).text().contains(part);
    [
        has("/kv/get?key=n", "7"),
        node.waiting("shop", "jobs") == 1,
        // Places of what is gone are not given again, so a look at the beginning would be told that.
        node.api("/v1/apps/shop/prod/streams/clicks/records?last=10").to_string().contains("seven"),
        has("/bucket/list", "seven"),
        has("/sql?q=select+name+from+sqlite_master+where+name='t'", "[[\"t\"]]"),
    ]
}

#[test]
fn a_resource_with_data_goes_or_stays_only_as_it_is_said() {
    let folder = Folder::with_manifest(&manifest(&ALL, "with"));
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    fill(&node);
    assert_eq!(contents(&node), [true; 5]);
    let deploy = |how: &str| {
        let flags = ALL.iter().flat_map(|name| [how, name]).filter(|_| !how.is_empty());
        node.cli_in(folder.path(), &["deploy", "--yes"].into_iter().chain(flags).collect::<Vec<_>>())
    };
    folder.write("dayfly.toml", manifest(&[], "without"));
    let refused = deploy("").expect_code(1);
    assert_has(&refused.stderr, "error[E0713]");
    for name in ALL {
        assert_has(&refused.stderr, &format!("--drop {name}"));
        assert_has(&refused.stderr, &format!("--keep {name}"));
    }
    assert_has(&node.get("/config").expect(200).text(), "\"with\"");
    assert_eq!(contents(&node), [true; 5], "nothing happened");
    // One that is not named holds the deployment up.
    let most: Vec<_> = ALL[1..].iter().flat_map(|name| ["--drop", name]).collect();
    let refused = node.cli_in(folder.path(), &[&["deploy", "--yes"][..], &most].concat()).expect_code(1);
    assert_has(&refused.stderr, "kv.things");
    assert_eq!(contents(&node), [true; 5], "nothing was dropped");

    deploy("--keep").expect_done();
    assert_has(&node.get("/config").expect(200).text(), "\"without\"");
    node.get("/kv/get?key=n").expect(403);
    folder.write("dayfly.toml", manifest(&ALL, "again"));
    node.deploy(folder.path());
    assert_eq!(contents(&node), [true; 5], "all was kept");

    folder.write("dayfly.toml", manifest(&[], "dropped"));
    assert_has(&deploy("--drop").expect_done().stderr, "kv.things");
    assert!(!data.file("sql/shop/prod/main.sqlite").exists(), "{:?}", fs::read_dir(data.file("sql")));
    folder.write("dayfly.toml", manifest(&ALL, "anew"));
    node.deploy(folder.path());
    assert_eq!(contents(&node), [false; 5], "all was dropped");
    // What was dropped can be used anew.
    fill(&node);
    assert_eq!(contents(&node), [true; 5]);
    assert_eq!(node.stop(), 0);
}
