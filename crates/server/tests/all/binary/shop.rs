//! The example shop from end to end: a site, orders that are paid and one that can't be, pictures that get small, a report.

use std::{
    fs::{self, File},
    path::Path,
};

use serde_json::Value;

use super::support::{Folder, Node, Request, assert_has, eventually, program, repository, run};

/// The example as it lies in the repository, with its functions in Rust already built.
fn shop() -> Folder {
    let folder = Folder::new();
    let example = repository().join("examples/shop");
    copy(&example.join("web"), &folder.file("web"));
    copy(&example.join("migrations"), &folder.file("migrations"));
    copy_scripts(&example.join("functions"), &folder.file("functions"));
    let mut manifest = fs::read_to_string(example.join("dayfly.toml")).expect("the example has a manifest");
    for function in ["api", "worker", "thumbs"] {
        let written = format!("\"functions/{function}\"");
        assert_has(&manifest, &written);
        manifest = manifest.replace(&written, &format!("\"{}\"", program(&format!("shop-{function}")).display()));
    }
    folder.write("dayfly.toml", manifest);
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the example has it") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("it is copied");
    }
}

/// The functions in TypeScript need nothing but their files.
fn copy_scripts(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder is ours");
    for entry in fs::read_dir(from).expect("the example has it") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "ts") {
            fs::copy(&path, to.join(path.file_name().expect("a file"))).expect("it is copied");
        }
    }
}

/// A node that serves the shop, its secret set first.
fn serving(folder: &Folder, data: &Folder) -> Node {
    let node = Node::server(data.path(), &[]);
    let refused = node.cli_in(folder.path(), &["deploy", "--yes"]);
    assert_has(&refused.stderr, "E0712");
    assert_has(&refused.stderr, "dayfly secret set PAYMENT_KEY");
    folder.write("payment.key", "a key\n");
    let mut set = node.command_in(folder.path(), ["secret", "set", "PAYMENT_KEY"]);
    set.stdin(File::open(folder.file("payment.key")).expect("it was just written"));
    run(set).expect_done();
    node.deploy(folder.path());
    node
}

fn order(node: &Node, product: &str, quantity: u64) -> String {
    let body = format!("{{\"product\":\"{product}\",\"quantity\":{quantity}}}");
    let answer = node.send(&Request::post("/api/orders", body)).expect(202).json();
    answer["id"].as_str().expect("an id").to_owned()
}

fn is_paid(node: &Node, id: &str) -> bool {
    node.get(&format!("/api/orders/{id}")).expect(200).json()["status"] == "paid"
}

#[test]
fn the_shop_sells_and_tells_what_it_sold() {
    let (folder, data) = (shop(), Folder::new());
    let node = serving(&folder, &data);
    let page = node.get("/").expect(200).text();
    assert_has(&page, "<h1>The shop</h1>");
    assert_has(&node.get("/any/page/of/the/browser").expect(200).text(), "<h1>The shop</h1>");
    let products = node.get("/api/products").expect(200).json();
    assert_eq!(products.as_array().map(Vec::len), Some(3), "{products}");

    let paid = order(&node, "mug", 2);
    eventually("the order is paid", || is_paid(&node, &paid).then_some(()));
    let refused = node.send(&Request::post("/api/orders", "{\"product\":\"boat\"}")).expect(400).text();
    assert_has(&refused, "there is no product");

    // One that can't be charged does not keep the others waiting.
    let (declined, beside) = (order(&node, "net", 900), order(&node, "hat", 1));
    eventually("the other one is paid", || is_paid(&node, &beside).then_some(()));
    let dead = eventually("the one that can't be charged is a dead letter", || {
        let dead = node.cli_in(folder.path(), &["queue", "dead", "orders", "--json"]).expect_done().json();
        dead.as_array().is_some_and(|dead| !dead.is_empty()).then_some(dead)
    });
    assert_has(&dead[0]["body"].to_string(), &declined);
    assert!(!is_paid(&node, &declined), "nothing of the failed order happened");

    let sales = eventually("both sales are in the stream", || {
        let lines = node.cli_in(folder.path(), &["stream", "tail", "sales", "--json"]).expect_done().stdout;
        (lines.lines().count() == 2).then_some(lines)
    });
    assert!(sales.contains(&paid) && sales.contains(&beside), "{sales}");
    let events = node.cli_in(folder.path(), &["events", "tail", "--json"]).expect_done().stdout;
    assert_eq!(events.lines().filter(|line| line.contains("order.paid")).count(), 2, "{events}");

    node.cli_in(folder.path(), &["cron", "run", "report"]).expect_done();
    let report = eventually("the report is written", || {
        let found = node.cli_in(folder.path(), &["bucket", "ls", "reports", "--json"]).expect_done().stdout;
        let row: Value = serde_json::from_str(found.lines().next()?).ok()?;
        row["key"].as_str().map(str::to_owned)
    });
    let file = folder.file("report.csv").display().to_string();
    node.cli_in(folder.path(), &["bucket", "cp", &format!("bucket:reports/{report}"), &file]).expect_done();
    let report = folder.read("report.csv");
    assert_eq!(report.lines().count(), 3, "{report}");
    assert_has(&report, &format!("{paid},mug,2,2500"));
    assert_eq!(node.stop(), 0);
}

#[test]
fn the_shop_makes_small_pictures_of_large_ones_and_of_nothing_else() {
    let (folder, data) = (shop(), Folder::new());
    let node = serving(&folder, &data);
    let put = |kind: &str, bytes: Vec<u8>| {
        let request = Request::post("/api/products/mug/picture", bytes).method("PUT").header("content-type", kind);
        node.send(&request)
    };
    put("image/png", b"no picture at all".to_vec()).expect(201);
    put("text/plain", b"words".to_vec()).expect(400);
    let made = put("image/png", png(400, 300)).expect(201).json();
    assert_eq!(made["thumbnail"], "/pictures/small/mug.png");
    let small = eventually("the thumbnail is there", || {
        let answer = node.get("/pictures/small/mug.png");
        (answer.status == 200).then_some(answer.body)
    });
    // The size stands in the header of a PNG file, after its first 16 bytes.
    let side = |at: usize| u32::from_be_bytes(small[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((side(16), side(20)), (160, 120));
    // Its second run has still to end, and another would have begun by the time at which this request is recorded.
    let runs = || node.api("/v1/invocations?function=thumbs&limit=100").as_array().cloned().filter(|runs| runs.len() >= 2);
    eventually("both runs are recorded", runs);
    node.record_of(&put("text/plain", b"words".to_vec()));
    let runs = runs().expect("a list");
    assert!(
        runs.len() == 2 && runs.iter().all(|run| run["error"] == false),
        "one for each upload, none for its own work: {runs:?}"
    );
    assert_eq!(node.stop(), 0);
}

/// A grey PNG of this size, its pixels stored without compression.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut rows = Vec::new();
    for _ in 0..height {
        rows.push(0);
        rows.extend(std::iter::repeat_n(0x80, width as usize));
    }
    let mut data = vec![0x78, 0x01];
    let mut blocks = rows.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        data.push(u8::from(blocks.peek().is_none()));
        data.extend(length.to_le_bytes());
        data.extend((!length).to_le_bytes());
        data.extend(block);
    }
    let (a, b) = rows.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    data.extend((b << 16 | a).to_be_bytes());
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [(b"IHDR", &header), (b"IDAT", &data), (b"IEND", &Vec::new())] {
        let chunk = [&kind[..], body].concat();
        file.extend((body.len() as u32).to_be_bytes());
        file.extend(&chunk);
        file.extend(crc32(&chunk).to_be_bytes());
    }
    file
}

/// The sum that PNG has behind each chunk.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}
