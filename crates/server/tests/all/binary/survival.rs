//! Power cuts, flipped bits and a full disk: what was promised is there, what is damaged is told, and the node serves.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::support::{Folder, Node, Request, SmallDisk, assert_has, eventually};

const KEEPS: &str = "uses = [\"kv.things\"]";

#[test]
fn a_node_that_is_killed_comes_back_with_its_apps_its_data_and_what_it_recorded() {
    let folder = Folder::app("shop", "rust-wasip2", KEEPS);
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    let token = node.token.clone();
    for count in 1..=5 {
        assert_eq!(node.get("/kv/incr?key=visits").expect(200).text().trim(), count.to_string());
    }
    let failed = node.get("/fail-after-work").expect(500);
    let id = node.record_of(&failed)["invocation"].as_str().expect("an id").to_owned();
    let before = node.cli(&["trace", &id, "--json"]).expect_done().json();
    node.kill();

    let node = Node::server(data.path(), &[]);
    assert_eq!(node.token, token, "whoever had the token still has it");
    assert_eq!(node.get("/kv/incr?key=visits").expect(200).text().trim(), "6", "each answered write was kept");
    assert_eq!(node.cli(&["trace", &id, "--json"]).expect_done().json(), before, "what was listed is still there");
    assert_has(&node.cli(&["replay", &id]).expect_done().stdout, "the same, byte for byte");
    let apps = node.api("/v1/apps");
    assert_eq!((apps[0]["app"].as_str(), apps[0]["latest"].as_u64()), (Some("shop"), Some(1)), "{apps}");
    assert_eq!(node.stop(), 0);
}

/// Flips bits in every page of a file but the first, which says what the file is.
fn damage(file: &Path) {
    const PAGE: usize = 4096;
    let mut bytes = fs::read(file).expect("the file is there");
    assert!(bytes.len() > 2 * PAGE, "{} has only {} bytes", file.display(), bytes.len());
    for page in bytes.chunks_mut(PAGE).skip(1) {
        page.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x55);
    }
    fs::write(file, bytes).expect("the file is ours");
}

fn telemetry_file(data: &Path) -> PathBuf {
    let files = fs::read_dir(data.join("telemetry")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let days: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "sqlite")).collect();
    days.into_iter().max().expect("a day's file")
}

#[test]
fn damaged_records_are_told_and_skipped() {
    let folder = Folder::app("shop", "rust-wasip2", KEEPS);
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    node.get("/kv/set?key=kept&value=before").expect(200);
    let failures: Vec<_> = (0..20).map(|_| node.get("/fail-after-work").expect(500)).collect();
    let id = node.record_of(failures.last().expect("twenty"))["invocation"].as_str().expect("an id").to_owned();
    assert_eq!(node.stop(), 0);
    damage(&telemetry_file(data.path()));

    let mut node = Node::server(data.path(), &[]);
    assert_has(&node.get("/kv/get?key=kept").expect(200).text(), "before");
    // Whatever the commands make of it, they end in order, and so does what they ask.
    for arguments in [["trace", "--list"], ["trace", &id], ["logs", "--json"], ["cost", "--json"], ["replay", &id]] {
        let finished = node.cli(&arguments);
        assert!((0..=1).contains(&finished.code), "{arguments:?}: {finished:?}");
        assert!(finished.code == 0 || finished.stderr.contains("E0"), "{arguments:?}: {finished:?}");
    }
    assert!(node.is_running());
    let told = node.stderr().contains("damaged") || node.api("/v1/node")["telemetry"]["damaged"].as_u64() > Some(0);
    assert!(told, "the damage is told: {} {}", node.api("/v1/node"), node.stderr());
    // What comes after is recorded as ever.
    let fresh = node.get("/fail-after-work").expect(500);
    node.record_of(&fresh);
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_record_file_that_is_none_is_set_aside() {
    let folder = Folder::app("shop", "rust-wasip2", KEEPS);
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    node.record_of(&node.get("/hello"));
    assert_eq!(node.stop(), 0);
    fs::write(telemetry_file(data.path()), vec![0x5a; 64 << 10]).expect("the file is ours");
    let node = Node::server(data.path(), &[]);
    node.get("/hello").expect(200);
    node.cli(&["trace", "--list"]).expect_done();
    node.record_of(&node.get("/hello"));
}

#[test]
fn a_replay_of_a_damaged_file_says_so() {
    let folder = Folder::app("shop", "rust-wasip2", KEEPS);
    let node = Node::up(folder.path());
    let failed = node.get("/fail-after-work").expect(500);
    let id = node.record_of(&failed)["invocation"].as_str().expect("an id").to_owned();
    node.cli(&["replay", &id, "--export", "failure.dayfly"]).expect_done();
    let whole = fs::read(folder.file("failure.dayfly")).expect("it was written");
    for at in [0, 9, 40, 200, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x55;
        folder.write("flipped.dayfly", flipped);
        let refused = node.cli(&["replay", "--from", "flipped.dayfly"]).expect_code(1);
        assert!(refused.stderr.contains("error[E0") || refused.stdout.contains("error[E0803]"), "byte {at}: {refused:?}");
        folder.write("cut.dayfly", &whole[..at]);
        let refused = node.cli(&["replay", "--from", "cut.dayfly"]).expect_code(1);
        assert_has(&refused.stderr, "error[E0805]");
    }
    node.cli(&["replay", "--from", "nowhere.dayfly"]).expect_code(1);
}

#[test]
fn a_full_disk_refuses_writes_keeps_serving_and_recovers() {
    let disk = SmallDisk::mount(24);
    let folder = Folder::app("shop", "rust-wasip2", KEEPS);
    let data = disk.file("data");
    fs::create_dir(&data).expect("there is room");
    let mut node = Node::server(&data, &[]);
    node.deploy(folder.path());
    node.get("/kv/set?key=kept&value=before").expect(200);
    let filler = disk.fill();

    let value = "v".repeat(200_000);
    let refused = eventually("a write is refused", || {
        let answer = node.send(&Request::post("/kv/set?key=more", value.clone()));
        (answer.status != 200).then_some(answer)
    });
    assert_eq!(refused.text(), "the disk is full\n");
    assert_has(&node.get("/kv/get?key=kept").expect(200).text(), "before");
    // Another app does not fit either, and the one that serves goes on.
    let second = Folder::app("second", "rust-wstd", "");
    let full = node.cli_in(second.path(), &["deploy", "--yes"]).expect_code(1);
    assert_has(&full.stderr, "error[E0602]");
    assert_eq!(node.get("/hello").expect(200).text(), "hello\n");
    assert!(node.is_running());

    fs::remove_file(filler).expect("the disk is ours");
    eventually("writes succeed again", || {
        (node.send(&Request::post("/kv/set?key=more", value.clone())).status == 200).then_some(())
    });
    node.deploy(second.path());
    // Records go to the same disk: the refusal is told, or counted with what could not be kept.
    let told = eventually("the refusal is told or counted", || {
        let kept = node.api("/v1/invocations?limit=1000");
        let kept =
            kept.as_array()?.iter().find(|request| refused.header("x-request-id") == request["invocation"].as_str()).cloned();
        kept.or_else(|| {
            Some(node.api("/v1/node")["telemetry"].clone()).filter(|telemetry| telemetry["dropped"].as_u64() > Some(0))
        })
    });
    assert!(told["refusals"].is_null() || told["refusals"][0]["code"] == "E0602", "{told}");
    node.record_of(&node.send(&Request::get("/hello").host("shop.localhost")).expect(200));
    assert_eq!(node.stop(), 0);
}
