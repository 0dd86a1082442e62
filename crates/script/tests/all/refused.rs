//! What can't be a script, and what people are told of it.

use expect_test::{Expect, expect};
use types::Code;

use crate::support::Folder;

fn check(files: &[(&str, &str)], entry: &str, told: &Expect) {
    told.assert_eq(&Folder::with(files).refused(entry));
}

#[test]
fn syntax_errors_show_line_and_column_of_every_file() {
    check(
        &[
            ("api.js", "import './b.ts'\nimport './c.json'\nimport './d.js'\n"),
            ("d.js", "export default {\n  fetch(request { }\n}"),
            ("b.ts", "const a: number = 1\nlet a = 2\nawait = 1"),
            ("c.json", "{\n  \"a\": 1,\n}"),
        ],
        "api.js",
        &expect![[r#"
            error[E0312]: b.ts does not parse: unexpected token
             --> b.ts:3:7
            3 | await = 1
              |       ^
              = why:  dayfly explain E0312
            error[E0312]: c.json is not JSON: key must be a string
             --> c.json:3:1
            3 | }
              | ^
              = why:  dayfly explain E0312
            error[E0312]: d.js does not parse: expected `,` or `)` but found `{`
             --> d.js:2:17
            2 |   fetch(request { }
              |                 ^
              = opened here in line 2, column 8
              = why:  dayfly explain E0312
        "#]],
    );
}

#[test]
fn packages_and_files_that_are_not_there_say_how_to_mend_it() {
    check(
        &[
            (
                "src/api.ts",
                "import { a } from './utls'\nimport x from 'hono'\nimport y from '@scope/pkg/deep'\nimport z from 'listed'\n\
                 import q from 'there/nothing'\nimport r from 'shut/inner'\nconsole.log(a, x, y, z, q, r)",
            ),
            ("src/utils.ts", ""),
            ("package.json", r#"{ "dependencies": { "listed": "1" } }"#),
            ("node_modules/there/index.js", ""),
            ("node_modules/shut/package.json", r#"{ "exports": { ".": "./i.js", "./other": "./o.js" } }"#),
        ],
        "src/api.ts",
        &expect![[r#"
            error[E0313]: src/api.ts imports "./utls", and there is no such file
             --> src/api.ts:1:19
            1 | import { a } from './utls'
              |                   ^^^^^^^^
              = help: "./utils.ts"
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "hono", and no package hono is installed
             --> src/api.ts:2:15
            2 | import x from 'hono'
              |               ^^^^^^
              = help: npm install hono
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "@scope/pkg/deep", and no package @scope/pkg is installed
             --> src/api.ts:3:15
            3 | import y from '@scope/pkg/deep'
              |               ^^^^^^^^^^^^^^^^^
              = help: npm install @scope/pkg
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "listed", and no package listed is installed
             --> src/api.ts:4:15
            4 | import z from 'listed'
              |               ^^^^^^^^
              = help: npm install
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "there/nothing", which the package there does not have
             --> src/api.ts:5:15
            5 | import q from 'there/nothing'
              |               ^^^^^^^^^^^^^^^
              = the package is in node_modules/there
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "shut/inner", which the package shut does not export
             --> src/api.ts:6:15
            6 | import r from 'shut/inner'
              |               ^^^^^^^^^^^^
              = `exports` of its package.json has no "./inner" for a worker or a browser
              = help: it exports shut, shut/other
              = why:  dayfly explain E0313
        "#]],
    );
}

#[test]
fn what_no_function_can_import_says_what_to_do_instead() {
    check(
        &[
            (
                "src/api.ts",
                "import 'https://x.com/a.js'\nimport 'npm:zod@4'\n\
                 import { env } from 'cloudflare:workers'\nimport './a.wasm'\nimport './b.foo'\nimport './b.foo' with { type: 'yaml' }\n\
                 import two from './two.json'\nimport three from './two.json' with { type: 'text' }\nconsole.log(env, two, three)",
            ),
            ("src/a.wasm", ""),
            ("src/b.foo", ""),
            ("src/two.json", "2"),
        ],
        "src/api.ts",
        &expect![[r#"
            error[E0313]: src/api.ts imports "https://x.com/a.js": nothing is fetched to build a function
             --> src/api.ts:1:8
            1 | import 'https://x.com/a.js'
              |        ^^^^^^^^^^^^^^^^^^^^
              = help: save the file beside yours, or install its package
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "npm:zod@4": packages are imported by their names
             --> src/api.ts:2:8
            2 | import 'npm:zod@4'
              |        ^^^^^^^^^^^
              = help: npm install zod
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "cloudflare:workers", a module of another platform
             --> src/api.ts:3:21
            3 | import { env } from 'cloudflare:workers'
              |                     ^^^^^^^^^^^^^^^^^^^^
              = help: what a function may use is in `env`, the second argument of its handlers
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "./a.wasm": JavaScript functions run no WebAssembly
             --> src/api.ts:4:8
            4 | import './a.wasm'
              |        ^^^^^^^^^^
              = its bytes: with { type: "bytes" }
              = help: make it a function of its own whose path is the .wasm file, and call env.NAME.fetch(request)
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "./b.foo", and nothing says how to read it
             --> src/api.ts:5:8
            5 | import './b.foo'
              |        ^^^^^^^^^
              = help: import x from "./b.foo" with { type: "text" }, or "bytes"
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "./b.foo" with the type "yaml", which there is not
             --> src/api.ts:6:8
            6 | import './b.foo' with { type: 'yaml' }
              |        ^^^^^^^^^
              = help: with { type: "json" }, "text" or "bytes"
              = why:  dayfly explain E0313
            error[E0313]: src/api.ts imports "./two.json" as json and as text
             --> src/api.ts:8:19
            8 | import three from './two.json' with { type: 'text' }
              |                   ^^^^^^^^^^^^
              = help: write one of them as "./two.json?text"
              = why:  dayfly explain E0313
        "#]],
    );
}

#[test]
fn modules_of_node_name_what_does_their_work() {
    check(
        &[
            (
                "api.js",
                "import { createHash } from 'node:crypto'\nimport fs from 'fs/promises'\nimport 'old'\nimport './b.js'\nimport express from 'express'",
            ),
            ("b.js", "import 'events-only'"),
            ("node_modules/old/index.js", "var util = require('util')\nmodule.exports = require('./in')"),
            ("node_modules/old/in.js", "require('node:net'); require('sub')"),
            ("node_modules/sub/index.js", "require('node:net')"),
            ("node_modules/events-only/index.js", "require('events'); require('util')"),
            ("node_modules/express/index.js", "require('http')"),
        ],
        "api.js",
        &expect![[r#"
            error[E0314]: api.js imports "node:crypto", a module of Node.js
             --> api.js:1:28
            1 | import { createHash } from 'node:crypto'
              |                            ^^^^^^^^^^^^^
              = help: crypto.subtle, crypto.getRandomValues and crypto.randomUUID, which are global (digests without await: npm install @noble/hashes)
              = why:  dayfly explain E0314
            error[E0314]: api.js imports "fs/promises", a module of Node.js
             --> api.js:2:16
            2 | import fs from 'fs/promises'
              |                ^^^^^^^^^^^^^
              = help: a bucket (env.bucket.NAME) for data, or an import for a file of yours: import text from "./file.txt"
              = why:  dayfly explain E0314
            error[E0314]: api.js imports "old", which needs Node.js
             --> api.js:3:8
            3 | import 'old'
              |        ^^^^^
              = node_modules/old/index.js:1:20 imports "util", a module of Node.js
              = it is reached by api.js → node_modules/old/index.js
              = 3 imports in all: node:net by old, sub; util by old
              = help: a build of old for workers or browsers, or another package
              = why:  dayfly explain E0314
            error[E0314]: api.js imports "express", which needs Node.js
             --> api.js:5:21
            5 | import express from 'express'
              |                     ^^^^^^^^^
              = node_modules/express/index.js:1:9 imports "http", a module of Node.js
              = it is reached by api.js → node_modules/express/index.js
              = help: npm install hono: a router of this kind for `fetch` handlers
              = why:  dayfly explain E0314
            error[E0314]: b.js imports "events-only", which needs Node.js
             --> b.js:1:8
            1 | import 'events-only'
              |        ^^^^^^^^^^^^^
              = node_modules/events-only/index.js:1:9 imports "events", a module of Node.js
              = it is reached by api.js → b.js → node_modules/events-only/index.js
              = 2 imports in all: events by events-only; util by events-only
              = help: npm install events util: packages of these names do the same without Node.js
              = why:  dayfly explain E0314
        "#]],
    );
}

#[test]
fn jsx_without_its_library_names_the_setting() {
    check(
        &[("api.tsx", "export default () => <p/>")],
        "api.tsx",
        &expect![[r#"
        error[E0313]: api.tsx has JSX, which needs "react/jsx-runtime"
         --> api.tsx:1:1
        1 | export default () => <p/>
          | ^
          = another library: /** @jsxImportSource preact */ in the file's first line, or jsxImportSource in tsconfig.json
          = help: npm install react
          = why:  dayfly explain E0313
    "#]],
    );
    check(
        &[("api.js", "export default () => <p/>")],
        "api.js",
        &expect![[r#"
            error[E0312]: api.js does not parse: unexpected JSX expression
             --> api.js:1:22
            1 | export default () => <p/>
              |                      ^
              = help: name the file api.jsx: JSX is read there
              = why:  dayfly explain E0312
        "#]],
    );
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let folder = Folder::with(&[("api.js", "import './b.js'")]);
    folder.write("b.js", b"const a = 1\nconst b = '\xff\xfe'");
    expect![[r#"
        error[E0312]: b.js is not UTF-8: the byte at offset 23 is no text
         --> b.js:2:12
        2 | const b = '��'
          |            ^
          = help: save the file as UTF-8, or import it as bytes: with { type: "bytes" }
          = why:  dayfly explain E0312
    "#]]
    .assert_eq(&folder.refused("api.js"));
}

#[test]
fn limits_are_named_with_what_was_measured() {
    let folder = Folder::with(&[("api.js", "import './big.js'")]);
    folder.write("big.js", vec![b' '; 4 * 1024 * 1024 + 1]);
    expect![[r#"
        error[E0317]: the script is too large: script file big.js 4.0 MiB, allowed 4 MiB
          = help: put data into a bucket (env.bucket.NAME.get) instead of importing it
          = why:  dayfly explain E0317
    "#]]
    .assert_eq(&folder.refused("api.js"));
    folder.write("big.js", vec![b' '; 4 * 1024 * 1024]);
    assert!(folder.collect("api.js").is_ok());

    let folder = Folder::with(&[("api.js", "import a from 'large'")]);
    let imports: String = (0..5).map(|n| format!("import './{n}.js'\n")).collect();
    folder.write("node_modules/large/index.js", format!("{imports}export default 1"));
    for n in 0..5 {
        folder.write(&format!("node_modules/large/{n}.js"), format!("export {{}};{}", " ".repeat(3_500_000)));
    }
    expect![[r#"
        error[E0317]: the script is too large: script more than 16 MiB, allowed 16 MiB
          = the largest: large 16.7 MiB, api.js 21 B
          = help: import parts of packages, and keep data in a bucket
          = why:  dayfly explain E0317
    "#]]
    .assert_eq(&folder.refused("api.js"));

    let imports: String = (0..5_000).map(|n| format!("import './m/{n}.js'\n")).collect();
    let folder = Folder::with(&[("api.js", &imports)]);
    for n in 0..5_000 {
        folder.write(&format!("m/{n}.js"), "");
    }
    let problems = folder.collect("api.js").expect_err("one too many");
    assert_eq!(problems[0].code, Code::E0317);
    expect![[r#"
        error[E0317]: the script is too large: script modules more than 5000, allowed 5000
          = help: import parts of packages (lodash-es/add.js), or bundle them to one file
          = why:  dayfly explain E0317
    "#]]
    .assert_eq(&problems[0].render());
}

#[test]
fn names_that_a_module_does_not_export_are_told_with_those_it_does() {
    check(
        &[
            (
                "api.ts",
                "import lib, { discont, price as p } from './lib'; import { b, gone } from './all.js'\n\
                 export { nothing } from './none'; import { any } from './data.json'; console.log(lib, discont, p, b, gone, any)",
            ),
            ("lib.ts", "export const discount: number = 1, price = 2; export type Only = 1"),
            ("all.js", "export * from './b.js'; export * as c from './b.js'"),
            ("b.js", "export function b() {} export default 1"),
            ("none.js", ""),
            ("data.json", "{}"),
        ],
        "api.ts",
        &expect![[r#"
            error[E0313]: api.ts imports the default of "./lib", which has none
             --> api.ts:1:8
            1 | import lib, { discont, price as p } from './lib'; import { b, gone } from './all.js'
              |        ^^^
              = help: it exports Only, discount, price
              = why:  dayfly explain E0313
            error[E0313]: api.ts imports "discont" from "./lib", which does not export it
             --> api.ts:1:15
            1 | import lib, { discont, price as p } from './lib'; import { b, gone } from './all.js'
              |               ^^^^^^^
              = help: "discount"
              = why:  dayfly explain E0313
            error[E0313]: api.ts imports "gone" from "./all.js", which does not export it
             --> api.ts:1:63
            1 | import lib, { discont, price as p } from './lib'; import { b, gone } from './all.js'
              |                                                               ^^^^
              = help: it exports b, c
              = why:  dayfly explain E0313
            error[E0313]: api.ts imports "nothing" from "./none", which does not export it
             --> api.ts:2:10
            2 | export { nothing } from './none'; import { any } from './data.json'; console.log(lib, discont, p, b, gone, any)
              |          ^^^^^^^
              = help: it exports nothing
              = why:  dayfly explain E0313
        "#]],
    );
    let open = [("api.js", "import { b } from './all.js'; b"), ("all.js", "export * from './c.cjs'"), ("c.cjs", "exports.x = 1")];
    assert!(Folder::with(&open).collect("api.js").is_ok(), "what CommonJS exports is known to nobody");
}

#[test]
fn settings_that_are_not_json_are_told_once_with_their_place() {
    check(
        &[("api.ts", "import './b.ts'"), ("b.ts", ""), ("tsconfig.json", "{\n  \"compilerOptions\": { \"jsx\": \n")],
        "api.ts",
        &expect![[r#"
            error[E0313]: tsconfig.json is not JSON: EOF while parsing a value
             --> tsconfig.json:2:30
            2 |   "compilerOptions": { "jsx": 
              |                              ^
              = it says how TypeScript is read: `paths`, `jsx` and `experimentalDecorators`
              = why:  dayfly explain E0313
        "#]],
    );
    check(
        &[
            ("api.js", "import 'broken'"),
            ("node_modules/broken/package.json", "{ \"main\": x }"),
            ("node_modules/broken/index.js", ""),
        ],
        "api.js",
        &expect![[r#"
            error[E0313]: node_modules/broken/package.json is not JSON: expected value
             --> node_modules/broken/package.json:1:11
            1 | { "main": x }
              |           ^
              = api.js imports "broken"
              = why:  dayfly explain E0313
        "#]],
    );
}

#[test]
fn types_in_a_javascript_file_name_the_ending_that_reads_them() {
    check(
        &[("api.js", "const x: number = 1;\nexport default x as any")],
        "api.js",
        &expect![[r#"
        error[E0312]: api.js does not parse: missing initializer in const declaration
         --> api.js:1:7
        1 | const x: number = 1;
          |       ^
          = help: name the file api.ts: types are read there
          = why:  dayfly explain E0312
    "#]],
    );
}

#[test]
fn what_is_nested_beyond_reason_is_refused_and_what_comes_close_is_read() {
    let repeated = |before: &str, unit: &str, count: usize, after: &str| format!("{before}{}{after}", unit.repeat(count));
    for (before, unit, count, after) in [
        ("export default ", "[", 200_000, "1;"),
        ("export default ", "!", 200_000, "1;"),
        ("export default a", ".y", 100_000, ";"),
        ("export default ", "1+", 200_000, "1;"),
        ("export default ", "`${", 5_000, "1;"),
    ] {
        let told = Folder::with(&[("api.ts", &repeated(before, unit, count, after))]).refused("api.ts");
        assert!(told.contains("api.ts does not parse: it is nested deeper than the engine goes\n --> api.ts:1:"), "{told}");
    }
    // Each of them as deep as may be, so that reading all of it needs most of the stack that it gets.
    for (before, unit, count, after) in [
        ("export default ", "!", 29_900, "1;"),
        ("export default ", "typeof ", 29_900, "1;"),
        ("export default a", ".y", 14_900, ";"),
        ("export default ", "1+", 14_900, "1;"),
        ("export default ", "a=>", 9_900, "1;"),
        ("export default ", "a?b:", 7_400, "1;"),
        ("", "if(1)", 2_000, ";"),
        ("if(1);", "else if(1);", 4_000, ""),
        ("export default ", "[", 490, &"]".repeat(490)),
    ] {
        let collected = Folder::with(&[("api.ts", &repeated(before, unit, count, after))]).collect("api.ts");
        assert!(collected.is_ok(), "{unit}: {:?}", collected.err().map(|problems| problems[0].render()));
    }
}
