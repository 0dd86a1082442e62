//! A collector that is asked again after something changed gives what a new one would.

use script::{Collected, Collector};

use crate::support::{Folder, outline};

fn files() -> Folder {
    Folder::with(&[
        ("api.js", "import 'a'; import './own.ts'"),
        ("own.ts", "export const own: number = 1"),
        ("node_modules/a/package.json", r#"{ "main": "one.js" }"#),
        ("node_modules/a/one.js", "module.exports = require('b')"),
        ("node_modules/a/two.js", "exports.two = 1"),
        ("node_modules/b/package.json", r#"{ "main": "b.js" }"#),
        ("node_modules/b/b.js", "exports.b = 1"),
    ])
}

/// Both give the same.
fn same(folder: &Folder, collector: &mut Collector) -> Collected {
    let again = folder.collect_with(collector, "api.js").expect("a script");
    let anew = folder.collect("api.js").expect("a script");
    assert_eq!(outline(&again), outline(&anew));
    assert!(again.script() == anew.script());
    // What packages said that were once imported is still looked at.
    assert!(again.files.is_superset(&anew.files));
    again
}

#[test]
fn every_kind_of_change_is_seen() {
    let (folder, mut collector) = (files(), Collector::new());
    let mut before = same(&folder, &mut collector).script();
    same(&folder, &mut collector);
    let mut changed = |collector: &mut Collector, path: &str, text: &str| {
        folder.write(path, text);
        let now = same(&folder, collector).script();
        assert!(now != before, "{path}");
        before = now;
    };
    changed(&mut collector, "own.ts", "export const own: number = 2");
    folder.write("new.js", "");
    changed(&mut collector, "own.ts", "import './new.js'\nexport const own: number = 2");
    changed(&mut collector, "node_modules/b/b.js", "exports.b = exports.c = 2");
    changed(&mut collector, "node_modules/a/package.json", r#"{ "main": "two.js" }"#);
    changed(&mut collector, "node_modules/a/package.json", r#"{ "main": "one.js" }"#);
    // As npm does it: a package of its own for `a`, and a note of what is installed.
    folder.write("node_modules/.package-lock.json", "{}");
    changed(&mut collector, "node_modules/a/node_modules/b/index.js", "exports.nested = 1");
    changed(&mut collector, "node_modules/a/node_modules/b/index.js", "exports.nested = exports.more = 1");
}

#[test]
fn a_file_of_a_package_that_goes_away_is_looked_for_anew() {
    let (folder, mut collector) = (files(), Collector::new());
    folder.write("node_modules/a/one.js", "module.exports = require('./inner')");
    folder.write("node_modules/a/inner.js", "exports.inner = 1");
    folder.write("node_modules/a/inner/index.js", "exports.folder = 1");
    same(&folder, &mut collector);
    std::fs::remove_file(folder.root().join("node_modules/a/inner.js")).expect("removed");
    same(&folder, &mut collector);
}
