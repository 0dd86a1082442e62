//! A component built with Spin's SDK on Spin's own SQLite, unmodified, through the program.

use super::support::{Folder, Node, assert_has};

#[test]
fn a_spin_application_keeps_its_visits_in_sqlite() {
    let folder = Folder::app("visits", "spin-sqlite", "uses = [\"sql.default\"]\nenv = { greeting = \"good day\" }");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    for (row, who) in [(1, "/ada"), (2, "/grace"), (3, "/ada")] {
        let answer = node.get(who).expect(200).text();
        assert_has(
            &answer,
            &format!("row {row} changes 1 columns [\"who\", \"share\", \"raw\", \"absent\"] who Some(\"{who}\")"),
        );
        for value in ["Real(0.5)", "Blob([1, 2])", "Null"] {
            assert_has(&answer, value);
        }
    }
    assert_has(&node.get("/variable?greeting").expect(200).text(), "good day");
    node.get("/variable?nothing").expect(404);
    let counted = node.cli_in(folder.path(), &["sql", "exec", "default", "select count(*) from visits where who = '/ada'"]);
    assert_has(&counted.expect_done().stdout, "2");
    node.kill();
    let node = Node::server(data.path(), &[]);
    assert_has(&node.get("/ada").expect(200).text(), "row 4 ");
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_spin_application_without_the_grant_is_refused_its_database() {
    let folder = Folder::app("visits", "spin-sqlite", "");
    let node = Node::up(folder.path());
    let refused = node.get("/ada");
    assert!(refused.status >= 400, "{}", refused.text());
    assert_has(&node.record_of(&refused)["refusals"].to_string(), "E0201");
}
