//! What the imports of an app's own files mean.

use expect_test::expect;
use types::{Script, script::ModuleKind, wire::SCRIPT_MAGIC};

use crate::support::{Folder, code, outline};

#[test]
fn files_json_texts_and_bytes_are_imported() {
    let folder = Folder::with(&[
        (
            "api.js",
            "import { a } from './lib/a.js'\nimport data from './data.json'\nimport typed from './data.json' with { type: 'json' }\n\
             import page from './page.html'\nimport sql from './q.sql'\nimport licence from './LICENSE' with { type: 'text' }\n\
             import bytes from './page.html?bytes' with { type: 'bytes' }\nexport * from './lib/b'\nexport default { async fetch() {\n\
             const { c } = await import('./lib/c.mjs')\n const { default: t } = await import(`./t.txt`, { with: { type: 'text' } })\n\
             return import(name) } }\n",
        ),
        ("lib/a.js", "export const a = 1"),
        ("lib/b.ts", "export const b: number = 2"),
        ("lib/c.mjs", "export const c = 3"),
        ("data.json", "{}"),
        ("page.html", "<p>ä"),
        ("q.sql", "select 1"),
        ("t.txt", "t"),
        ("LICENSE", "free"),
    ]);
    let collected = folder.collect("api.js").expect("a script");
    expect![[r#"
        LICENSE Text
        api.js Module ./LICENSE=LICENSE ./data.json=data.json ./lib/a.js=lib/a.js ./lib/b=lib/b.ts ./lib/c.mjs=lib/c.mjs ./page.html=page.html ./page.html?bytes=page.html?bytes ./q.sql=q.sql ./t.txt=t.txt
        data.json Json
        lib/a.js Module
        lib/b.ts Module
        lib/c.mjs Module
        page.html Text
        page.html?bytes Bytes
        q.sql Text
        t.txt Text"#]].assert_eq(&outline(&collected));
    assert_eq!(code(&collected, "page.html?bytes"), "PHA+w6Q=");
    assert_eq!(collected.entry, "api.js");
    let artifact = collected.artifact();
    let script: Script = postcard::from_bytes(artifact.strip_prefix(SCRIPT_MAGIC).expect("the magic")).expect("a script");
    assert_eq!(script, collected.script());
    assert_eq!(
        collected.artifact(),
        folder.collect("api.js").expect("a script").artifact(),
        "the same folder is the same artifact"
    );
}

#[test]
fn plain_javascript_stays_as_it_is_byte_for_byte() {
    let text = "#!/usr/bin/env node\n// a comment\nexport default {fetch(){ return new Response( `ä` ) }}   \r\n\r\n";
    let folder = Folder::with(&[("api.js", text)]);
    let collected = folder.collect("api.js").expect("a script");
    assert_eq!(code(&collected, "api.js"), text);
    assert_eq!(collected.modules[0].original, None);
}

#[test]
fn circles_end_and_what_two_ways_lead_to_is_one_module() {
    let folder = Folder::with(&[
        ("api.js", "import './a.js'; import './b.js'"),
        ("a.js", "import './b.js'; import './api.js'"),
        ("b.js", "import './a.js'; import './x/../b.js'"),
    ]);
    expect![[r#"
        a.js Module ./api.js=api.js ./b.js=b.js
        api.js Module ./a.js=a.js ./b.js=b.js
        b.js Module ./a.js=a.js ./x/../b.js=b.js"#]]
    .assert_eq(&outline(&folder.collect("api.js").expect("a script")));
}

#[test]
fn files_above_the_folder_and_paths_of_a_tsconfig_are_found() {
    let folder = Folder::with(&[
        (
            "api.ts",
            "import { a } from '@/a'\nimport { s } from '../shared/s'\nimport own from '#own'\nexport default { a, s, own }",
        ),
        ("src/a.ts", "export const a = 1"),
        ("../shared/s.ts", "export const s = 1"),
        ("own.js", "export default 1"),
        ("package.json", r##"{ "imports": { "#own": "./own.js" } }"##),
        (
            "tsconfig.json",
            r#"{ // comments are fine
            "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }"#,
        ),
    ]);
    expect![[r#"
        ../shared/s.ts Module
        api.ts Module #own=own.js ../shared/s=../shared/s.ts @/a=src/a.ts
        own.js Module
        src/a.ts Module"#]]
    .assert_eq(&outline(&folder.collect("api.ts").expect("a script")));
}

#[test]
fn a_folder_is_its_main_or_its_index() {
    let folder = Folder::with(&[
        ("a/package.json", r#"{ "main": "src/first.js" }"#),
        ("a/src/first.js", ""),
        ("a/index.ts", ""),
        ("b/index.js", ""),
        ("b/index.ts", ""),
        ("c/other.js", ""),
    ]);
    let entry = |path: &str| {
        script::entry(&folder.root().join(path)).map(|path| path.strip_prefix(folder.root()).expect("inside").to_owned())
    };
    assert_eq!(entry("a"), Some("a/src/first.js".into()));
    assert_eq!(entry("b"), Some("b/index.ts".into()));
    assert_eq!(entry("c"), None);
    assert_eq!(entry("c/other.js"), Some("c/other.js".into()));
}

#[test]
fn a_file_without_module_syntax_that_names_exports_is_commonjs() {
    let folder = Folder::with(&[
        ("api.js", "const { a } = require('./a.cjs'); module.exports = { fetch() { return a } }"),
        ("a.cjs", "exports.a = 010; return"),
        ("worker.js", "globalThis.started = true"),
    ]);
    expect![[r#"
        a.cjs CommonJs [a]
        api.js CommonJs ./a.cjs=a.cjs [fetch]"#]]
    .assert_eq(&outline(&folder.collect("api.js").expect("a script")));
    let kind = folder.collect("worker.js").expect("a script").modules[0].kind;
    assert_eq!(kind, ModuleKind::Module);
}
