//! What a script answers, and that each request starts from the same memory.

use types::journal::Level;

use super::{artifact_of, handler, script, transformed};
use crate::{
    serving::scene::{Scene, get, send},
    world::{call, digest, load, shared},
};
use std::sync::Arc;

use ports::Runtime;

#[tokio::test(flavor = "multi_thread")]
async fn a_script_answers_from_a_fresh_instance_each_time() {
    let code = "let seen = 0;\nexport default { fetch() { seen += 1; return new Response(`hello ${seen}`); } };";
    let hello = script(&[("src/hello.js", code)]).await;
    for _ in 0..3 {
        let called = call(&hello, "/").await;
        assert_eq!((called.status, called.body.as_str()), (Some(200), "hello 1"), "{called:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_import_one_another_also_in_a_circle() {
    let entry = "import { b } from './b.js';\nexport const a = () => 'a';\nexport default { fetch: () => new Response(b()) };";
    let files = [("a.js", entry), ("b.js", "import { a } from './a.js';\nexport const b = () => a() + 'b';")];
    assert_eq!(call(&script(&files).await, "/").await.body, "ab");
}

#[tokio::test(flavor = "multi_thread")]
async fn top_level_code_runs_once_at_deploy_and_what_it_logs_is_told() {
    let code = "console.log('two\\nlines');\nconsole.warn('careful');\nconst at = Date.now(), dice = Math.random();\n\
                export default { fetch: () => new Response(`${at} ${dice === Math.random()}`) };";
    let artifact = super::artifact(&[("top.js", code)]);
    // A folder in which it was never loaded before.
    let data = tempfile::tempdir().expect("a folder");
    let runtime = super::images::own(data.path());
    let prepared = runtime.prepare(&digest(&artifact), &artifact).await.expect("it is prepared");
    assert_eq!(prepared.logs, ["two", "lines", "warn: careful"]);
    let called = call(&load(&runtime, artifact).await.expect("it loads"), "/").await;
    assert_eq!(called.body, "0 false");
    assert!(called.told.logs.is_empty(), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn places_in_logged_stacks_are_those_that_people_wrote() {
    let code = handler("console.error(new Error('logged')); return new Response('ok');");
    let artifact = artifact_of(vec![transformed("src/api.ts", &code, 10)], &["fetch"]);
    let called = call(&load(&shared(), artifact).await.expect("it loads"), "/").await;
    let (level, _, text) = called.told.logs.first().expect("a line");
    assert_eq!(*level, Level::Error);
    assert!(text.contains("src/api.ts:13:5"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_script_does_the_same_byte_for_byte() {
    let body = "const before = Date.now();\n    await new Promise(done => setTimeout(done, 5));\n    \
                return new Response(`${before} ${Math.random()} ${crypto.randomUUID()} ${performance.now()} ${await request.text()}`);";
    let code = handler(body);
    let loaded = script(&[("random.js", &code)]).await;
    let scene = Arc::new(Scene::new());
    let first = send(&loaded, get("/"), &scene).await;
    assert_eq!(first.status, 200, "{first:?}");
    let replaying = Arc::new(Scene::replaying(scene.answers()));
    let again = send(&loaded, get("/"), &replaying).await;
    assert_eq!((first.status, &first.headers, &first.body), (again.status, &again.headers, &again.body));
    assert!(replaying.answers().is_empty(), "all recorded answers were used");
}
