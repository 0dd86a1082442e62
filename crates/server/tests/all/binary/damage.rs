//! A database whose pages rot: it says so, and nothing else of the node suffers.

use std::{fs, path::Path};

use super::support::{Folder, Node, Request, assert_has, eventually};

const PAGE: usize = 4096;

/// Flips bits in every page but the first, which says what the file is.
fn rot(file: &Path) {
    let mut bytes = fs::read(file).expect("the file is there");
    assert!(bytes.len() > 4 * PAGE, "{} has only {} bytes", file.display(), bytes.len());
    bytes[PAGE..].iter_mut().step_by(97).for_each(|byte| *byte ^= 0x55);
    fs::write(file, bytes).expect("the file is ours");
}

#[test]
fn a_rotten_page_is_told_and_stays_the_matter_of_its_database() {
    let data = Folder::new();
    let apps = ["shop", "other"];
    let folders = apps.map(|app| Folder::app(app, "state", "uses = [\"sql.main\", \"sql.beside\", \"kv.things\"]"));
    let node = Node::server(data.path(), &[]);
    folders.iter().for_each(|folder| drop(node.deploy(folder.path())));
    let ask = |node: &Node, app: &str, path: &str| node.send(&Request::get(path).host(format!("{app}.localhost")));
    for app in apps {
        for database in ["main", "beside"] {
            for q in ["create+table+t(a,b)"].into_iter().chain(["insert+into+t+values(1,hex(randomblob(8000)))"; 4]) {
                ask(&node, app, &format!("/sql/exec?db={database}&q={q}")).expect(200);
            }
        }
        ask(&node, app, "/kv/set?key=k&value=kept").expect(200);
    }
    assert_eq!(node.stop(), 0);
    rot(&data.file("sql/shop/prod/main.sqlite"));

    let mut node = Node::server(data.path(), &[]);
    let told = ask(&node, "shop", "/sql?db=main&q=select+length(b)+from+t");
    assert!(told.status >= 400, "{}", told.text());
    assert_has(&told.text(), "damaged");
    let record = node.record_of(&told);
    assert_has(&record.to_string(), "E0603");
    let by_hand = node.cli_in(folders[0].path(), &["sql", "exec", "main", "select length(b) from t"]).expect_code(1);
    assert_has(&by_hand.stderr, "error[E0603]");
    for (app, database) in [("shop", "beside"), ("other", "main"), ("other", "beside")] {
        let rows = ask(&node, app, &format!("/sql?db={database}&q=select+length(b)+from+t")).expect(200).json();
        assert_eq!(rows["rows"].as_array().map(Vec::len), Some(4), "{app} {database}: {rows}");
        ask(&node, app, &format!("/sql/exec?db={database}&q=insert+into+t+values(2,3)")).expect(200);
    }
    for app in apps {
        assert_has(&ask(&node, app, "/kv/get?key=k").expect(200).text(), "kept");
        ask(&node, app, "/kv/set?key=more&value=new").expect(200);
    }
    assert!(node.is_running());
    assert_eq!(node.api("/v1/health")["ok"], true);
    // A copy that is whole puts it right, while the node runs.
    let copy = data.file("copy.sqlite").display().to_string();
    node.cli_in(folders[1].path(), &["sql", "dump", "main", "--output", &copy]).expect_done();
    node.cli_in(folders[0].path(), &["sql", "restore", "main", &copy, "--yes"]).expect_done();
    eventually("the database is whole", || {
        let rows = ask(&node, "shop", "/sql?db=main&q=select+length(b)+from+t");
        (rows.status == 200).then_some(())
    });
    assert_eq!(node.stop(), 0);
}
