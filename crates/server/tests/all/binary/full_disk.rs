//! A disk that gets full under queues, databases, buckets, streams and the bus: writes are refused, reads go on, and room mends it.

use std::fs;

use super::support::{Folder, Node, Request, Response, SmallDisk, assert_has, eventually, program};

const KEY: &str = "the key of the till";
const BYTES: usize = 900_000;

fn deployed(data: &std::path::Path) -> (Folder, Node) {
    let program = program("state").display().to_string();
    let folder = Folder::with_manifest(&format!(
        "app = \"shop\"\n[events]\nkey = \"INGEST_KEY\"\n\
         [fn.api]\npath = \"{program}\"\nroute = \"/{{*rest}}\"\n\
         uses = [\"kv.things\", \"queue.jobs\", \"stream.clicks\", \"bucket.files\", \"sql.main\", \"event.default\"]\n"
    ));
    let node = Node::server(data, &[]);
    node.secret("shop", "INGEST_KEY", KEY);
    node.deploy(folder.path());
    (folder, node)
}

/// Writes from outside: each can be told apart from success by its status alone.
fn outside(node: &Node, link: &(String, String)) -> Vec<(&'static str, Response)> {
    let large = "x".repeat(BYTES);
    let base = "/v1/apps/shop/prod";
    let octets = "application/octet-stream";
    let message = format!("{{\"body\":{{\"text\":\"{large}\"}}}}");
    let event = Request::post("/events", large.clone()).header("authorization", format!("Bearer {KEY}"));
    let event =
        [("content-type", "text/plain"), ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/t"), ("ce-type", "t")]
            .into_iter()
            .fold(event, |event, (name, value)| event.header(name, value));
    let object = Request::post(link.1.clone(), large.clone()).method("PUT").host(link.0.clone());
    vec![
        ("kv", node.write("PUT", &format!("{base}/kv/things/entry?key=more"), octets, large.clone())),
        ("queue", node.write("POST", &format!("{base}/queues/jobs/messages"), "application/json", message)),
        ("bucket", node.write("PUT", &format!("{base}/buckets/files/object?key=more"), octets, large)),
        ("s3", object.send(link.0.parse().expect("an address"))),
        ("events", node.send(&event)),
    ]
}

/// Writes of a function, and the statuses that the program gives to what it is told.
fn inside(node: &Node) -> Vec<(&'static str, Response)> {
    let large = "x".repeat(BYTES);
    let post = |path: &str| node.send(&Request::post(path, large.clone()));
    vec![
        ("queue", post("/queue/send?queue=jobs")),
        ("stream", post("/stream/append?stream=clicks")),
        ("sql", node.get(&format!("/sql/exec?q=insert+into+t+values(zeroblob({BYTES}))"))),
        ("bucket", post("/bucket/put?key=inside")),
    ]
}

fn assert_reads(node: &Node) {
    for (path, part) in [
        ("/kv/get?key=kept", "before"),
        ("/bucket/read?key=kept", "before"),
        ("/sql?q=select+a+from+t+where+a='before'", "before"),
        ("/stream/read?stream=clicks&max=1", "before"),
    ] {
        assert_has(&node.get(path).expect(200).text(), part);
    }
    let waiting = node.api("/v1/apps/shop/prod/queues/jobs/messages?limit=1");
    assert_has(&waiting.to_string(), "before");
}

#[test]
fn a_full_disk_refuses_every_kind_of_write_and_room_mends_it_without_a_restart() {
    let disk = SmallDisk::mount(64);
    let data = disk.file("data");
    fs::create_dir(&data).expect("there is room");
    let (folder, mut node) = deployed(&data);
    for path in [
        "/kv/set?key=kept&value=before",
        "/queue/send?queue=jobs&body=before",
        "/stream/append?stream=clicks&body=before",
        "/bucket/put?key=kept&value=before",
        "/sql/exec?q=create+table+t(a)",
        "/sql/exec?q=insert+into+t+values('before')",
    ] {
        node.get(path).expect(200);
    }
    let link = node.cli_in(folder.path(), &["bucket", "presign", "files/s3", "--put"]).expect_done().stdout;
    let (host, target) = link.trim().strip_prefix("http://").and_then(|link| link.split_once('/')).expect("a link");
    let link = (host.to_owned(), format!("/{target}"));
    let filler = disk.fill();
    let mut kept = 0;
    // What was written before may have left some room in its files.
    let refused = eventually("every write from outside is refused", || {
        let answers = outside(&node, &link);
        kept += answers.iter().filter(|(kind, answer)| *kind == "queue" && answer.status < 300).count();
        answers.iter().all(|(_, answer)| answer.status >= 400).then_some(answers)
    });
    for (kind, answer) in refused {
        assert!([503, 507].contains(&answer.status), "{kind}: {} {}", answer.status, answer.text());
        let seconds = answer.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
        assert!(seconds.is_some_and(|seconds| (1..=60).contains(&seconds)), "{kind}: {:?}", answer.headers);
        assert_has(&answer.text(), "disk is full");
    }
    for (kind, answer) in inside(&node) {
        assert!(answer.status >= 500, "{kind}: {}", answer.text());
        assert_has(&answer.text(), "the disk is full");
    }
    assert_reads(&node);
    assert!(node.is_running());

    fs::remove_file(filler).expect("the disk is ours");
    let answers = eventually("every write succeeds again", || {
        let answers: Vec<_> = outside(&node, &link).into_iter().chain(inside(&node)).collect();
        kept += answers.iter().filter(|(kind, answer)| *kind == "queue" && answer.status < 300).count();
        answers.iter().all(|(_, answer)| answer.status < 300).then_some(answers)
    });
    assert_eq!(answers.len(), 9);
    assert_reads(&node);
    assert_eq!(node.waiting("shop", "jobs"), 1 + kept as u64, "what was acknowledged is there, and nothing else");
    assert_eq!(node.stop(), 0);
    let node = Node::server(&data, &[]);
    assert_reads(&node);
    assert_eq!(node.waiting("shop", "jobs"), 1 + kept as u64);
    assert_eq!(node.stop(), 0);
}
