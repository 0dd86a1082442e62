//! ES modules that import what is none: names that nobody declares, and what compilers make of a default export.

use expect_test::expect;

use crate::support::{Folder, code, outline};

#[test]
fn names_that_commonjs_and_json_do_not_declare_can_be_imported() {
    let folder = Folder::with(&[
        (
            "api.ts",
            "import { map, type Mapped } from 'wrapped'\nimport * as all from 'wrapped'\nimport { version, gone } from './package.json'\n\
             const { filter } = all; console.log(map, all.sum, filter, version, gone, all as Mapped)",
        ),
        ("package.json", r#"{ "version": "1.0.0", "other": 1 }"#),
        (
            "node_modules/wrapped/index.js",
            ";(function () { var w = {}; w.map = 1; module.exports = w; w.sum = 2; w.filter = 3 }).call(this)",
        ),
    ]);
    let collected = folder.collect("api.ts").expect("a script");
    expect![[r#"
        api.ts Module ./package.json=package.json wrapped=dayfly:script/import/wrapped?api.ts
        dayfly:script/import/wrapped?api.ts Module node_modules/wrapped/index.js=node_modules/wrapped/index.js
        node_modules/wrapped/index.js CommonJs [filter map sum]
        package.json Json [version]"#]]
    .assert_eq(&outline(&collected));
    expect![[r#"
        import all from "node_modules/wrapped/index.js";
        export * from "node_modules/wrapped/index.js";
        if (!("map" in Object(all))) throw new SyntaxError("\"wrapped\" does not export \"map\", which api.ts:1:10 imports");
        export default all;
    "#]]
    .assert_eq(code(&collected, "dayfly:script/import/wrapped?api.ts"));
}

#[test]
fn names_are_remembered_for_no_other_function() {
    let folder = Folder::with(&[
        ("a.js", "import { one } from 'old'"),
        ("b.js", "import { two } from 'old'"),
        ("node_modules/old/index.js", "module.exports = make()"),
    ]);
    let mut collector = script::Collector::new();
    let mut exports = |entry: &str| {
        let collected = folder.collect_with(&mut collector, entry).expect("a script");
        let old = collected.modules.iter().find(|module| module.name.ends_with("old/index.js")).expect("it is there");
        old.exports.join(" ")
    };
    assert_eq!([exports("a.js"), exports("b.js"), exports("a.js")], ["one", "two", "one"]);
}

#[test]
fn what_was_compiled_from_an_es_module_gives_its_own_default_unless_the_importer_is_said_to_be_one() {
    let folder = Folder::with(&[
        ("api.js", "import a from 'compiled'\nimport './said.mjs'\nimport plain from 'plain'\nconsole.log(a, plain)"),
        ("said.mjs", "import a from 'compiled'\nconsole.log(a)"),
        (
            "node_modules/compiled/index.js",
            "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 1; exports.b = 2",
        ),
        ("node_modules/plain/index.js", "module.exports = 1"),
    ]);
    let collected = folder.collect("api.js").expect("a script");
    expect![[r#"
        api.js Module ./said.mjs=said.mjs compiled=dayfly:script/import/node_modules/compiled/index.js plain=node_modules/plain/index.js
        dayfly:script/import/node_modules/compiled/index.js Module node_modules/compiled/index.js=node_modules/compiled/index.js
        node_modules/compiled/index.js CommonJs [__esModule b]
        node_modules/plain/index.js CommonJs
        said.mjs Module compiled=node_modules/compiled/index.js"#]].assert_eq(&outline(&collected));
    expect![[r#"
        import all from "node_modules/compiled/index.js";
        export * from "node_modules/compiled/index.js";
        export default all && all.__esModule && "default" in all ? all.default : all;
    "#]]
    .assert_eq(code(&collected, "dayfly:script/import/node_modules/compiled/index.js"));
}

#[test]
fn a_folder_of_a_package_and_a_files_syntax_say_what_the_package_does_not() {
    let folder = Folder::with(&[
        ("api.js", "import 'both'; import 'mixed'; import './own.js'"),
        ("package.json", r#"{ "type": "module" }"#),
        ("own.js", "console.log(typeof module)"),
        ("node_modules/both/package.json", r#"{ "name": "both", "type": "module", "exports": "./dist/cjs/index.js" }"#),
        ("node_modules/both/dist/cjs/package.json", r#"{ "type": "commonjs" }"#),
        ("node_modules/both/dist/cjs/index.js", "this.a = 1"),
        ("node_modules/mixed/package.json", r#"{ "name": "mixed", "type": "module", "browser": "umd.js" }"#),
        (
            "node_modules/mixed/umd.js",
            "(function (f) { typeof exports === 'object' ? module.exports = f() : this.mixed = f() })(function () {})",
        ),
    ]);
    expect![[r#"
        api.js Module ./own.js=own.js both=node_modules/both/dist/cjs/index.js mixed=node_modules/mixed/umd.js
        node_modules/both/dist/cjs/index.js CommonJs
        node_modules/mixed/umd.js CommonJs
        own.js Module"#]]
    .assert_eq(&outline(&folder.collect("api.js").expect("a script")));
}
