//! Installed packages: which of their files are taken, and what they are.

use expect_test::expect;

use crate::support::{Folder, code, link, outline};

#[test]
fn builds_for_workers_and_browsers_are_taken_and_those_for_node_are_not() {
    let folder = Folder::with(&[
        ("api.js", "import 'random'; import 'worker'; import 'old'; import 'hidden'; import 'types-first'"),
        (
            "node_modules/random/package.json",
            r#"{ "type": "module", "exports": { ".": { "node": "./node.js", "browser": "./browser.js", "default": "./node.js" } } }"#,
        ),
        ("node_modules/random/browser.js", "export default crypto"),
        ("node_modules/random/node.js", "import 'node:crypto'"),
        (
            "node_modules/worker/package.json",
            r#"{ "exports": { "types": "./i.d.ts", "workerd": "./w.js", "import": "./node.mjs", "require": "./node.cjs" } }"#,
        ),
        ("node_modules/worker/w.js", "export {}"),
        ("node_modules/old/package.json", r#"{ "main": "main.js", "module": "module.js" }"#),
        ("node_modules/old/main.js", ""),
        ("node_modules/old/module.js", "export {}"),
        ("node_modules/hidden/package.json", r#"{ "main": "m.js", "browser": { "fs": false, "./node.js": "./browser.js" } }"#),
        ("node_modules/hidden/m.js", "require('fs'); require('./node')"),
        ("node_modules/hidden/browser.js", ""),
        (
            "node_modules/types-first/package.json",
            r#"{ "exports": { ".": { "import": { "types": "./i.d.ts", "default": "./i.js" } } } }"#,
        ),
        ("node_modules/types-first/i.js", "export {}"),
    ]);
    expect![[r#"
        api.js Module hidden=node_modules/hidden/m.js old=node_modules/old/module.js random=node_modules/random/browser.js types-first=node_modules/types-first/i.js worker=node_modules/worker/w.js
        dayfly:script/empty CommonJs
        node_modules/hidden/browser.js CommonJs
        node_modules/hidden/m.js CommonJs ./node=node_modules/hidden/browser.js fs=dayfly:script/empty
        node_modules/old/module.js Module
        node_modules/random/browser.js Module
        node_modules/types-first/i.js Module
        node_modules/worker/w.js Module"#]].assert_eq(&outline(&folder.collect("api.js").expect("a script")));
}

#[test]
fn commonjs_packages_show_their_names_and_those_they_export_on() {
    let folder = Folder::with(&[
        ("api.js", "import { a, b, deep } from 'old'"),
        ("node_modules/old/package.json", "{}"),
        (
            "node_modules/old/index.js",
            "if (process.env.NODE_ENV === 'production') { module.exports = require('./fast') } else { module.exports = require('./slow') }",
        ),
        ("node_modules/old/fast.js", "exports.a = 1; exports.b = 2; __exportStar(require('./deep'), exports); require('./fast')"),
        ("node_modules/old/deep/index.js", "exports.deep = 1"),
        ("node_modules/old/data.json", "{}"),
        ("node_modules/old/bin", "exports.bin = 1"),
    ]);
    let collected = folder.collect("api.js").expect("a script");
    expect![[r#"
        api.js Module old=node_modules/old/index.js
        node_modules/old/deep/index.js CommonJs [deep]
        node_modules/old/fast.js CommonJs ./deep=node_modules/old/deep/index.js ./fast=node_modules/old/fast.js [a b deep]
        node_modules/old/index.js CommonJs ./fast=node_modules/old/fast.js [a b deep]"#]]
    .assert_eq(&outline(&collected));
    assert!(code(&collected, "node_modules/old/index.js").starts_with("if (\"production\"         === 'production')"));
}

#[test]
fn what_a_package_may_do_without_is_missing_only_when_it_is_asked_for() {
    let folder = Folder::with(&[
        ("api.js", "import 'old'"),
        (
            "node_modules/old/index.js",
            "let c; try { c = require('node:crypto') } catch {}\nfunction late() { return require('fs') }\nimport('gone')\n\
             (function (require) { require('not this') })",
        ),
    ]);
    let collected = folder.collect("api.js").expect("a script");
    expect![[r#"
        api.js Module old=node_modules/old/index.js
        dayfly:script/missing/fs CommonJs
        dayfly:script/missing/gone CommonJs
        dayfly:script/missing/node:crypto CommonJs
        node_modules/old/index.js CommonJs fs=dayfly:script/missing/fs gone=dayfly:script/missing/gone node:crypto=dayfly:script/missing/node:crypto"#]].assert_eq(&outline(&collected));
    expect![[r#"
        throw Object.assign(new Error("fs is a module of Node.js, which functions don't have; instead: a bucket (env.bucket.NAME) for data, or an import for a file of yours: import text from \"./file.txt\""), { code: "MODULE_NOT_FOUND" });
    "#]].assert_eq(code(&collected, "dayfly:script/missing/fs"));
}

#[test]
fn linked_packages_are_one_module_by_their_real_path() {
    let folder = Folder::with(&[
        ("api.js", "import 'a'; import 'b'; import 'workspace'"),
        ("node_modules/.pnpm/a@1/node_modules/a/index.mjs", "import 'b'"),
        ("node_modules/.pnpm/b@1/node_modules/b/index.mjs", ""),
        ("../workspace/package.json", r#"{ "name": "workspace", "main": "src/index.ts" }"#),
        ("../workspace/src/index.ts", "export const x: number = 1"),
    ]);
    let at = |path: &str| folder.root().join(path);
    for (name, main) in [("a", "a"), ("b", "b")] {
        std::fs::write(
            at(&format!("node_modules/.pnpm/{name}@1/node_modules/{name}/package.json")),
            r#"{ "main": "index.mjs" }"#,
        )
        .expect("written");
        link(&at(&format!("node_modules/.pnpm/{name}@1/node_modules/{main}")), &at(&format!("node_modules/{name}")));
    }
    link(&at("node_modules/.pnpm/b@1/node_modules/b"), &at("node_modules/.pnpm/a@1/node_modules/b"));
    link(&at("../workspace"), &at("node_modules/workspace"));
    expect![[r#"
        ../workspace/src/index.ts Module
        api.js Module a=node_modules/.pnpm/a@1/node_modules/a/index.mjs b=node_modules/.pnpm/b@1/node_modules/b/index.mjs workspace=../workspace/src/index.ts
        node_modules/.pnpm/a@1/node_modules/a/index.mjs Module b=node_modules/.pnpm/b@1/node_modules/b/index.mjs
        node_modules/.pnpm/b@1/node_modules/b/index.mjs Module"#]].assert_eq(&outline(&folder.collect("api.js").expect("a script")));
}
