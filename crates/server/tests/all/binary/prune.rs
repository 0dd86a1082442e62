//! A node that is deployed to again and again keeps what it may need, and no more.

use std::{fs, path::Path};

use super::support::{Folder, Node, assert_has, eventually};

/// More than are kept.
const DEPLOYMENTS: usize = 108;
const KEPT: usize = 100;

/// Files with this ending, or of the folder of blobs if it is empty, however deep they lie.
fn count(folder: &Path, extension: &str) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_meant = |path: &Path| extension.is_empty() || path.extension().is_some_and(|found| found == extension);
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => count(&path, extension),
            path => usize::from(is_meant(&path)),
        })
        .sum()
}

#[test]
fn what_only_old_revisions_needed_is_removed_at_the_next_start() {
    let folder = Folder::script("shop", "", "");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    for number in 1..=DEPLOYMENTS {
        folder.write("api.ts", format!("export default {{ fetch: () => new Response(\"revision {number}\") }};\n"));
        node.deploy(folder.path());
    }
    node.cli(&["rollback", "shop", "--revision", "3"]).expect_done();
    let (blobs, aot) = (data.path().join("blobs"), data.path().join("aot"));
    assert_eq!((count(&blobs, ""), count(&aot, "image")), (DEPLOYMENTS, DEPLOYMENTS));
    assert_eq!(node.stop(), 0);

    let node = Node::server(data.path(), &[]);
    // The newest ones, and the one that is served.
    eventually("the rest is removed", || (count(&blobs, "") == KEPT + 1 && count(&aot, "image") == KEPT + 1).then_some(()));
    assert_eq!(node.get("/").expect(200).text(), "revision 3");
    let gone = node.cli(&["rollback", "shop", "--revision", "8"]).expect_code(1).stderr;
    assert_has(&gone, "error[E0704]");
    assert_has(&gone, "the newest 100 are kept");
    node.cli(&["rollback", "shop", "--revision", "9"]).expect_done();
    assert_eq!(node.get("/").expect(200).text(), "revision 9");
    assert_eq!(node.stop(), 0);
}
