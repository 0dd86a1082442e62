//! Scripts that can't be deployed, each refused with the file and the line.

use types::{Code, Place};

use super::{artifact, artifact_of, module, refusal, refusal_by, transformed};
use crate::world::{call, shared};

async fn check(code: &str, expected: Code, line: u32, words: &str) {
    let problem = refusal(&[("src/bad.js", code)]).await;
    let shown = problem.render();
    assert_eq!(problem.code, expected, "{shown}");
    let Some(Place { file, line: found, text, .. }) = &problem.place else { panic!("no place: {shown}") };
    assert_eq!((file.as_str(), *found), ("src/bad.js", line), "{shown}");
    assert_eq!(Some(text.trim_end()), code.lines().nth(line as usize - 1).map(str::trim_end), "{shown}");
    assert!(problem.message.contains(words), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_parse_is_shown_with_its_line() {
    check("export default {};\nlet x = ;\n", Code::E0312, 2, "SyntaxError").await;
    check("const a = 1;\nconst a = 2;\n", Code::E0312, 2, "SyntaxError").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_a_name_that_is_not_exported_is_shown() {
    let files =
        [("src/a.js", "import { missing } from './b.js';\nexport default { fetch() {} };"), ("b.js", "export const x = 1;")];
    let problem = refusal(&files).await;
    assert_eq!(problem.code, Code::E0312, "{}", problem.render());
    assert!(problem.message.contains("missing"), "{}", problem.render());
    let place = problem.place.expect("a place");
    assert_eq!((place.file.as_str(), place.line, place.column), ("src/a.js", 1, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn top_level_code_that_throws_is_shown_where_people_wrote_it() {
    check("const x = undefined;\nx.y;\n", Code::E0315, 2, "TypeError").await;
    check("function f() {\n  throw new RangeError('far');\n}\nf();\n", Code::E0315, 2, "RangeError: far").await;
    check("\nawait Promise.reject(new Error('later'));\n", Code::E0315, 2, "Error: later").await;
    let made = artifact_of(vec![transformed("src/api.ts", "throw new Error('typed');", 4)], &["fetch"]);
    let problem = refusal_by(&shared(), &made).await;
    let place = problem.place.clone().expect("a place");
    assert_eq!((place.file.as_str(), place.line, place.text.as_str()), ("src/api.ts", 5, "throw new Error('typed');"));
    assert_eq!(problem.notes, ["at src/api.ts:5:5"], "{}", problem.render());
}

#[tokio::test(flavor = "multi_thread")]
async fn top_level_code_that_never_ends_is_stopped_with_its_line() {
    // The engine notes no place for the loop itself: it is that of what was called before it, or of the function.
    check("let n = 0;\nfor (;;) n += 1;\n", Code::E0316, 1, "CPU time").await;
    check("function spin() {\n  try { for (;;) {} } catch { spin(); }\n}\nspin();\n", Code::E0316, 1, "CPU time").await;
    check("const bomb = /^(a+)+$/;\nbomb.test('a'.repeat(40) + '!');\n", Code::E0316, 2, "CPU time").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn top_level_code_that_takes_too_much_memory_is_stopped_with_its_line() {
    check("const all = [];\nfor (;;) all.push('x'.repeat(1 << 16) + all.length);\n", Code::E0316, 2, "64 MiB").await;
    check("const all = [];\nfor (;;) all.push(new Uint8Array(1 << 20).fill(1));\n", Code::E0316, 2, "64 MiB").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unbounded_recursion_at_the_top_level_is_an_exception_with_its_line() {
    check("function down(n) {\n  return down(n + 1) + 1;\n}\ndown(0);\n", Code::E0315, 2, "call stack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_request_may_use_is_refused_at_the_top_level() {
    for (code, words) in [
        ("await fetch('https://example.com');", "fetch"),
        ("setTimeout(() => {}, 1);", "timer"),
        ("crypto.getRandomValues(new Uint8Array(4));", "randomness"),
        ("crypto.randomUUID();", "randomness"),
    ] {
        check(&format!("\n{code}\n"), Code::E0315, 2, words).await;
    }
    check("let one = 1;\nawait new Promise(() => {});\n", Code::E0315, 2, "never settles").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_handler_is_named_at_the_default_export() {
    check("// nothing else\nexport default { queue() {} };\n", Code::E0318, 2, "fetch").await;
    check("export const other = 1;\n", Code::E0318, 1, "default").await;
    check("\n\nexport default 42;\n", Code::E0318, 3, "default").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tricks_with_prototypes_reach_no_other_script() {
    let hostile = "Object.prototype.status = 500;\nArray.prototype.push = () => { throw new Error('owned'); };\n\
                   Promise.prototype.then = null;\nglobalThis.Response = null;\nReflect.apply = null;\n\
                   delete globalThis.Request;\nexport default { fetch() { return 1; } };";
    // Loads or is refused; either way its neighbour does not notice.
    let artifact = artifact(&[("hostile.js", hostile)]);
    let loaded = crate::world::load(&shared(), artifact).await;
    if let Ok(loaded) = loaded {
        let called = call(&loaded, "/").await;
        assert!(called.status.is_none(), "{called:?}");
    }
    let neighbour = artifact_of(vec![module("n.js", "export default { fetch: () => new Response([1, 2].join()) };")], &["fetch"]);
    let neighbour = crate::world::load(&shared(), neighbour).await.expect("it loads");
    assert_eq!(call(&neighbour, "/").await.body, "1,2");
}
