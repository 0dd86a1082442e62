//! What a handler is given: `env`, and the events of triggers. `tests/js/env/*.mjs` are scripts as functions are, whose `fetch` runs their tests.

use std::fs;
use std::thread;

use engine::host::fake::{
    files,
    http::{self, Request, Response},
};
use engine::host::services;
use engine::machine::Machine;
use engine::script::{Binding, Refusal, Script};

/// QuickJS checks its own stack limit, which has to be reached first.
const STACK_BYTES: usize = 8 << 20;

const BINDINGS: &[(&str, &str)] = &[
    ("kv", "things"),
    ("kv", "other-things"),
    ("kv", "things-ro"),
    ("kv", "denied"),
    ("sql", "shop"),
    ("sql", "denied-too"),
    ("bucket", "photos"),
    ("bucket", "copies"),
    ("bucket", "photos-ro"),
    ("queue", "orders"),
    ("stream", "orders"),
    ("stream", "clicks"),
    ("event", "default"),
    ("secret", "API_KEY"),
    ("secret", "never_set"),
    ("secret", "BROKEN"),
    ("setting", "REGION"),
    ("function", "resize"),
    ("function", "queue"),
];

/// On a thread of its own, which has a machine and a host of its own.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(STACK_BYTES).spawn(work).expect("a thread can be made").join().expect("it does not panic")
}

fn loaded(script: Script) -> Result<Machine, Refusal> {
    let machine = Machine::new().unwrap_or_else(|thrown| panic!("the prelude threw: {thrown:?}"));
    machine.load(script)?;
    Ok(machine)
}

fn with_bindings(script: Script, handlers: &[&str]) -> Script {
    let binding = |(resource, name): &(&'static str, &str)| Binding { resource, name: (*name).to_owned() };
    let handlers = handlers.iter().map(|name| (*name).to_owned()).collect();
    Script { bindings: BINDINGS.iter().map(binding).collect(), handlers, ..script }
}

fn function(code: &str, handlers: &[&str]) -> Script {
    use engine::script::{Kind, Module};
    let (name, code) = ("main.js".to_owned(), code.to_owned());
    let module = Module { name: name.clone(), kind: Kind::Module, code, links: Vec::new(), exports: Vec::new() };
    with_bindings(Script { entry: name, modules: vec![module], ..Script::default() }, handlers)
}

fn served(machine: &Machine, headers: &[(&str, &str)], body: &str) -> Result<Response, String> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = if body.is_empty() { Vec::new() } else { vec![body.as_bytes().to_vec()] };
    http::set_request(Request { method: "POST".to_owned(), url: "http://main.internal/".to_owned(), headers, body });
    machine.serve().map_err(|(failure, thrown)| format!("{failure:?} {}: {}\n{}", thrown.name, thrown.message, thrown.stack))?;
    Ok(http::response())
}

#[test]
fn every_script_that_is_given_env_passes() {
    let folder = fs::read_dir("tests/js/env").expect("the folder is part of the crate");
    let mut files: Vec<String> =
        folder.map(|entry| entry.expect("a folder can be read").path().to_string_lossy().into_owned()).collect();
    files.sort();
    assert!(files.len() > 5, "there are tests");
    let run = |file: String| {
        let name = file.clone();
        let outcome = apart(move || {
            let machine = loaded(with_bindings(files::script(&file), &["fetch"])).map_err(|refusal| format!("{refusal:?}"))?;
            served(&machine, &[], "").map(|response| response.status)
        });
        match outcome {
            Ok(200) => None,
            other => Some(format!("{name}: {}", other.err().unwrap_or_else(|| "no answer".to_owned()))),
        }
    };
    let failures: Vec<String> = files.into_iter().filter_map(run).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn nothing_of_env_is_asked_before_a_handler_asks() {
    apart(|| {
        let code = "export default { fetch(request, env) { const all = { ...env }; JSON.stringify(env); return new Response(env.API_KEY + ('never_set' in all)) } }";
        let machine = loaded(function(code, &["fetch"])).expect("it has a fetch");
        assert_eq!(services::config::asked(), 0, "nothing was read at deploy");
        let response = served(&machine, &[], "").expect("it answers");
        assert_eq!(response.body.concat(), b"api_keyfalse");
        // The setting is read by the copy and the JSON alike, once; of the secrets only the one that was asked for.
        assert_eq!(services::config::asked(), 2);
    });
}

#[test]
fn what_is_sent_and_published_is_what_was_given() {
    apart(|| {
        let code = "export default { async fetch(request, env) {
            await env.queue.orders.send({ id: 7 }, { delay: '2min', attributes: { tenant: 'a' } });
            await env.queue.orders.sendBatch([{ body: 'x', group: 'g' }, { body: new Uint8Array([1, 2]), dedup: 'd', contentType: 'image/png' }]);
            await env.event.default.publish({ type: 'order.paid', subject: 's', data: { a: 1 }, time: new Date(5), tenant: 7 });
            return new Response();
        } }";
        served(&loaded(function(code, &["fetch"])).expect("it has a fetch"), &[], "").expect("it answers");
        let sent = services::queue::sent("orders");
        assert_eq!(
            (sent[0].body.as_slice(), sent[0].content_type.as_deref(), sent[0].delay_ms),
            (&b"{\"id\":7}"[..], Some("application/json"), Some(120_000))
        );
        assert_eq!(sent[0].attributes, [("tenant".to_owned(), "a".to_owned())]);
        assert_eq!((sent[1].content_type.as_deref(), sent[1].group.as_deref()), (Some("text/plain; charset=utf-8"), Some("g")));
        assert_eq!(
            (sent[2].body.as_slice(), sent[2].content_type.as_deref(), sent[2].dedup_key.as_deref()),
            (&[1, 2][..], Some("image/png"), Some("d"))
        );
        let event = services::bus::published("default").remove(0);
        assert_eq!((event.kind.as_str(), event.subject.as_deref(), event.time_ms), ("order.paid", Some("s"), Some(5)));
        assert_eq!((event.content_type.as_deref(), event.data.as_deref()), (Some("application/json"), Some(&b"{\"a\":1}"[..])));
        assert_eq!(event.extensions, [("tenant".to_owned(), "7".to_owned())]);
    });
}

fn refused(code: &str, handlers: &[&str]) -> String {
    match apart({
        let script = function(code, handlers);
        move || loaded(script).map(drop)
    }) {
        Err(Refusal::Handlers(text)) => text,
        other => panic!("{code} is refused for its handlers, not {other:?}"),
    }
}

#[test]
fn a_missing_handler_is_named_with_what_is_there() {
    let text = refused("export default { fetch() {} }", &["fetch", "queue"]);
    assert_eq!(text, "the default export has no `queue`, which on = { queue } in the manifest asks for; it has `fetch`");
    let text = refused("export default { fetch: 7, helper() {} }", &["fetch"]);
    assert!(
        text.contains("has a `fetch` that is a number") && text.contains("no handler at all, but `fetch`, `helper`"),
        "{text}"
    );
    let text = refused("export function queue() {}", &["queue"]);
    assert_eq!(
        text,
        "there is no default export; `queue` is exported by name: write `export default { queue(batch, env, ctx) { … } }`"
    );
    let text = refused("export default class Api { fetch() {} }", &["fetch"]);
    assert!(text.contains("is a class") && text.contains("export default new"), "{text}");
    assert!(refused("export default () => 1", &["fetch"]).contains("is a function"));
    assert!(refused("export default null", &["fetch"]).contains("is null"));
}

#[test]
fn objects_classes_and_functions_with_handlers_are_taken() {
    let codes = [
        "class Api { fetch() { return new Response('yes') } } export default new Api()",
        "const app = () => {}; app.fetch = () => new Response('yes'); export default app",
        "export default { word: 'yes', fetch() { return new Response(this.word) } }",
    ];
    for code in codes {
        let script = function(code, &["fetch"]);
        let response = apart(move || served(&loaded(script).expect("it has a fetch"), &[], "").expect("it answers"));
        assert_eq!(response.body.concat(), b"yes", "{code}");
    }
}

const QUEUE: &[(&str, &str)] = &[
    ("dayfly-trigger", "queue"),
    ("ce-specversion", "1.0"),
    ("ce-id", "msg_1"),
    ("ce-source", "/apps/shop/dev/queue/orders"),
    ("ce-type", "dayfly.queue.message"),
    ("ce-time", "2026-11-21T06:00:00.123456789Z"),
    ("ce-tenant", "a%20%C3%A9"),
    ("ce-traceparent", "00-1"),
    ("content-type", "application/json"),
];

fn triggered(
    code: &str,
    handler: &str,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Result<Response, String> {
    let (script, headers) = (function(code, &[handler]), headers.to_vec());
    apart(move || served(&loaded(script).expect("it has the handler"), &headers, body))
}

/// What the handler made of its argument: it throws it, as nothing else leaves a handler for events.
fn seen(code: &str, handler: &str, headers: &[(&'static str, &'static str)], body: &'static str) -> String {
    let code = format!(
        "const show = (value) => JSON.stringify(value);\nexport default {{ async {handler}(event, env, ctx) {{ throw new Error({code}) }} }}"
    );
    let told = triggered(&code, handler, headers, body).expect_err("it throws");
    told.lines().next().unwrap_or_default().trim_start_matches("Threw Error: ").to_owned()
}

#[test]
fn a_single_message_is_a_batch_of_one() {
    let code = "[event.queue, event.messages.length, show(event.messages[0]), event.messages[0].timestamp.getTime(), event.messages[0].text()].join(' ')";
    let message = r#"{"id":"msg_1","attributes":{"tenant":"a é"},"timestamp":"2026-11-21T06:00:00.123Z","contentType":"application/json","body":{"a":1}}"#;
    assert_eq!(seen(code, "queue", QUEUE, "{\"a\":1}"), format!("orders 1 {message} 1795240800123 {{\"a\":1}}"));
}

const BATCH: &[(&str, &str)] =
    &[("dayfly-trigger", "queue"), ("content-type", "application/cloudevents-batch+json; charset=utf-8")];
const MESSAGES: &str = r#"[
    {"specversion":"1.0","id":"msg_1","source":"/apps/a/dev/queue/q","type":"dayfly.queue.message","datacontenttype":"application/json","data":{"n":1}},
    {"specversion":"1.0","id":"msg_2","source":"/apps/a/dev/queue/q","type":"dayfly.queue.message","datacontenttype":"text/plain","data":"two"},
    {"specversion":"1.0","id":"msg_3","source":"/apps/a/dev/queue/q","type":"dayfly.queue.message","datacontenttype":"application/json","data_base64":"ezE="}]"#;

#[test]
fn messages_are_answered_for_one_by_one() {
    let answered = |body: &str| {
        let response = triggered(
            &format!("export default {{ queue(batch) {{ const [a, b, c] = batch.messages; {body} }} }}"),
            "queue",
            BATCH,
            MESSAGES,
        );
        let response = response.expect("it answers");
        (response.status, String::from_utf8(response.body.concat()).expect("text"))
    };
    assert_eq!(answered(""), (204, String::new()));
    assert_eq!(answered("b.retry(); c.retry(); c.ack()"), (200, r#"{"failed":["msg_2"]}"#.to_owned()));
    assert_eq!(answered("batch.retryAll(); a.ack()"), (200, r#"{"failed":["msg_2","msg_3"]}"#.to_owned()));
    assert_eq!(answered("batch.retryAll(); batch.ackAll()"), (204, String::new()));
    assert_eq!(answered("if (a.body.n !== 1 || b.body !== 'two' || c.text() !== '{1') throw 1"), (204, String::new()));
    assert_eq!(
        answered("try { c.body } catch (error) { if (/msg_3 is no JSON/.test(error.message)) c.retry() }"),
        (200, r#"{"failed":["msg_3"]}"#.to_owned())
    );
    let single = triggered("export default { queue(batch) { batch.retryAll() } }", "queue", QUEUE, "{}").expect("it answers");
    assert_eq!(single.status, 500, "one event has no list to be named in");
}

#[test]
fn what_a_handler_throws_fails_the_delivery_with_its_place() {
    let told = triggered("export default {\n queue(batch) {\n  throw new TypeError('no stock') } }", "queue", BATCH, MESSAGES)
        .expect_err("it throws");
    assert!(told.starts_with("Threw TypeError: no stock\n    at queue (main.js:3:"), "{told}");
}

fn event(trigger: &'static str, kind: &'static str, source: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("dayfly-trigger", trigger),
        ("ce-specversion", "1.0"),
        ("ce-id", "e1"),
        ("ce-source", source),
        ("ce-type", kind),
        ("ce-subject", "s"),
        ("ce-time", "2026-11-21T06:00:00Z"),
        ("content-type", "application/json"),
    ]
}

#[test]
fn each_source_has_its_own_facts() {
    let kv = event("kv", "dayfly.kv.put", "/apps/a/dev/kv/carts");
    let facts = r#"{"key":"user:1","old":null,"new_base64":"/w==","rev":7}"#;
    assert_eq!(
        seen("show({ ...event, newValue: [...event.newValue] })", "kv", &kv, facts),
        r#"{"id":"e1","store":"carts","key":"user:1","type":"put","oldValue":null,"newValue":[255],"version":7,"timestamp":"2026-11-21T06:00:00.000Z"}"#
    );
    let bucket = event("bucket", "dayfly.bucket.created", "/apps/a/dev/bucket/uploads");
    let facts = r#"{"bucket":"uploads","key":"in/cat.jpg","bytes":5,"etag":"e","contentType":"image/jpeg","version":null}"#;
    assert_eq!(
        seen("show(event)", "bucket", &bucket, facts),
        r#"{"id":"e1","bucket":"uploads","key":"in/cat.jpg","type":"created","size":5,"etag":"e","contentType":"image/jpeg","version":null,"timestamp":"2026-11-21T06:00:00.000Z"}"#
    );
    let sql = event("sql", "dayfly.sql.update", "/apps/a/dev/sql/shop");
    let facts = r#"{"table":"orders","old":{"id":1},"new":{"id":1,"photo":{"base64":"Yg=="},"note":null},"sequence":41}"#;
    assert_eq!(
        seen(
            "show([event.database, event.table, event.type, event.oldRow, event.newRow.photo[0], event.newRow.note, event.sequence])",
            "sql",
            &sql,
            facts
        ),
        r#"["shop","orders","update",{"id":1},98,null,41]"#
    );
    let cron = event("cron", "dayfly.cron.tick", "/apps/a/dev/cron/report");
    let facts = r#"{"scheduled":"2026-11-21T06:00:00.000000000Z","missed":2,"schedule":"0 6 * * *","zone":"Europe/Berlin"}"#;
    assert_eq!(
        seen("show(event)", "scheduled", &cron, facts),
        r#"{"type":"scheduled","cron":"0 6 * * *","zone":"Europe/Berlin","scheduledTime":1795240800000,"missed":2}"#
    );
    let bus = event("event", "order.paid", "/till/4");
    assert_eq!(
        seen("show(event)", "event", &bus, "{\"total\":3}"),
        r#"{"specversion":"1.0","id":"e1","source":"/till/4","type":"order.paid","subject":"s","time":"2026-11-21T06:00:00Z","datacontenttype":"application/json","data":{"total":3}}"#
    );
}

#[test]
fn records_of_a_stream_know_their_place() {
    let headers = [("dayfly-trigger", "stream"), ("content-type", "application/cloudevents-batch+json")];
    let records = r#"[{"specversion":"1.0","id":"2-7","source":"/apps/a/dev/stream/clicks","type":"dayfly.stream.record","time":"2026-11-21T06:00:00Z",
        "datacontenttype":"application/json","partition":"2","sequence":"7","partitionkey":"ada","data":[1]}]"#;
    let code = "show([event.stream, event.records])";
    assert_eq!(
        seen(code, "stream", &headers, records),
        r#"["clicks",[{"id":"2-7","partition":2,"sequence":7,"key":"ada","timestamp":"2026-11-21T06:00:00.000Z","contentType":"application/json","body":[1]}]]"#
    );
    let response =
        triggered("export default { stream: (batch) => batch.retryAll() }", "stream", &headers, records).expect("it answers");
    assert_eq!(response.body.concat(), br#"{"failed":["2-7"]}"#);
}

#[test]
fn several_changes_are_told_one_after_the_other() {
    let headers = [("dayfly-trigger", "kv"), ("content-type", "application/cloudevents-batch+json")];
    let change = |id: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/apps/a/dev/kv/k","type":"dayfly.kv.delete","datacontenttype":"application/json","data":{{"key":"{id}","old":"1","new":null,"rev":1}}}}"#
        )
    };
    let body: &'static str = format!("[{},{}]", change("a"), change("b")).leak();
    let code = "let seen = ''; export default { async kv(change) { await null; seen += change.key + change.type; if (change.key === 'b') throw new Error(seen) } }";
    let told = triggered(code, "kv", &headers, body).expect_err("the second throws");
    assert!(told.starts_with("Threw Error: adeletebdelete"), "{told}");
    let code = "export default { kv() {} }";
    assert_eq!(triggered(code, "kv", &headers, body).expect("it answers").status, 204);
}

#[test]
fn a_wrong_answer_says_what_it_was_and_where_the_handler_is() {
    let told = |code: &str| {
        let script = function(code, &["fetch"]);
        apart(move || served(&loaded(script).expect("it has a fetch"), &[], "")).expect_err("it is no response")
    };
    let text = told("export default {\n  fetch() { 'a response' } }");
    assert!(text.starts_with("WrongAnswer TypeError: `fetch` gave nothing: is a `return` missing?"), "{text}");
    assert!(text.contains("at fetch (main.js:2:"), "{text}");
    let text = told("export default { async fetch() { return { a: 1 } } }");
    assert!(text.starts_with("WrongAnswer TypeError: `fetch` gave an Object, and no Response"), "{text}");
    assert!(told("export default { fetch: () => 'text' }").contains("gave a string"));
}

#[test]
fn what_has_no_handler_says_so() {
    let told = |headers: &'static [(&'static str, &'static str)]| {
        apart(|| {
            served(&loaded(function("export default { queue() {} }", &["queue"])).expect("it has the handler"), headers, "{}")
        })
    };
    let text = told(&[]).expect_err("it has no fetch");
    assert!(text.contains("the default export has no `fetch`, and this is a request"), "{text}");
    let text = told(&[("dayfly-trigger", "kv"), ("content-type", "application/json")]).expect_err("it has no kv");
    assert!(text.starts_with("Threw TypeError: an event came for `kv`, which the default export does not have"), "{text}");
}

#[test]
fn work_goes_on_after_the_response_and_a_failure_of_it_is_only_reported() {
    apart(|| {
        let code = "export default { fetch(request, env, ctx) {
            const work = async () => {
                await new Promise((done) => setTimeout(done, 5));
                await env.queue.orders.send('after');
                ctx.waitUntil(env.queue.orders.send('after that'));
                throw new RangeError('too late to matter');
            };
            ctx.waitUntil(work());
            return new Response('sent');
        } }";
        let response = served(&loaded(function(code, &["fetch"])).expect("it has a fetch"), &[], "").expect("it answers");
        assert_eq!(response.body.concat(), b"sent");
        assert_eq!(services::queue::sent("orders").len(), 2);
        let unhandled = engine::host::fake::report::take_unhandled();
        assert_eq!((unhandled.len(), unhandled[0].message.as_str()), (1, "too late to matter"));
    });
}

#[test]
fn expressions_are_evaluated_with_env_and_what_the_module_exports() {
    let evaluated = |text: &'static str| {
        apart(move || {
            let code =
                "export const double = (n) => 2 * n; export function fetch() { return 'mine' } export default { fetch() {} }";
            let machine = loaded(function(code, &["fetch"])).expect("it has a fetch");
            let body = format!("{{\"code\":\"{text}\"}}");
            let response = served(&machine, &[("dayfly-trigger", "eval")], &body)?;
            Ok::<_, String>(String::from_utf8(response.body.concat()).expect("text"))
        })
    };
    assert_eq!(evaluated("double(21)").as_deref(), Ok(r#"{"value":"42","json":42}"#));
    assert_eq!(evaluated("const a = await env.kv.things.increment('n'); a + 1").as_deref(), Ok(r#"{"value":"2","json":2}"#));
    assert_eq!(evaluated("{ a: [1] }").as_deref(), Ok(r#"{"value":"{ a: [ 1 ] }","json":{"a":[1]}}"#));
    assert_eq!(evaluated("{ let a = 1; a + 1 }").as_deref(), Ok(r#"{"value":"2","json":2}"#));
    assert_eq!(evaluated("env.things.get('none')").as_deref(), Ok(r#"{"value":"null","json":null}"#));
    assert_eq!(evaluated("10n").as_deref(), Ok(r#"{"value":"10n"}"#));
    assert_eq!(evaluated("undefined").as_deref(), Ok(r#"{"value":"undefined"}"#));
    assert_eq!(evaluated("exports.fetch() + typeof fetch").as_deref(), Ok(r#"{"value":"'minefunction'","json":"minefunction"}"#));
    let thrown = evaluated("JSON.parse('{')").expect_err("it throws");
    assert!(thrown.starts_with("Threw SyntaxError") && thrown.contains("(eval:1:"), "{thrown}");
    assert!(evaluated("let = ;").expect_err("it does not parse").starts_with("Threw SyntaxError"));
}

#[test]
fn what_a_service_refuses_is_thrown_where_the_script_asked() {
    let code = "export default {\n  async fetch(request, env) {\n    await env.sql.shop`select * from nowhere`;\n  } }";
    let script = function(code, &["fetch"]);
    let told = apart(move || served(&loaded(script).expect("it has a fetch"), &[], "")).expect_err("there is no such table");
    let mut lines = told.lines();
    assert_eq!(lines.next(), Some("Threw ServiceError: sql.shop: no such table: nowhere"));
    assert!(lines.next().is_some_and(|line| line.starts_with("    at fetch (main.js:3:")), "{told}");
}
