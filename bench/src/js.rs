//! Functions in JavaScript: a hello beside the same in Rust and beside other hosts, and three kinds of work where the engine itself counts.
//!
//! Isolation differs, so rows do not compare like with like: dayfly and `wasmtime serve` give each request an instance of its own, workerd
//! one V8 isolate to all of them, Node nothing.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    compare::{self, Target},
    dayfly::{self, Parts},
    js_peers,
    load::{self, Client},
    server::Server,
    wasmtime,
};

const CONNECTIONS: usize = 16;
/// Long enough that the slowest server does some hundred requests in each.
const TURN: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

/// Tokens for the key in `js/work.js`. They end in the year 2100.
const TOKENS: [(&str, &str); 2] = [
    (
        "JWT, HS256",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoiYWRtaW4iLCJzY29wZSI6InJlYWQgd3JpdGUiLCJzdWIiOiJhZGEiLCJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJzaG9wIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjQxMDI0NDQ4MDB9.4z8XmP67x1bWpf6SUqkiLCWAhOobiMRqxHX7mxa31-w",
    ),
    (
        "JWT, ES256",
        "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoiYWRtaW4iLCJzY29wZSI6InJlYWQgd3JpdGUiLCJzdWIiOiJhZGEiLCJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJzaG9wIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjQxMDI0NDQ4MDB9.3Tv6okYCS2zD_5Zb0ciBZZn7hZh16Dnn8WwE-T0wyfY5NLT7ae8jtgqFftGwqfcXATHaES2IrfzUBkTRtUmd6g",
    ),
];

/// Measures and tells in Markdown.
pub async fn run(parts: &Parts) -> Result<String> {
    Ok(format!("{}\n{}", hello(parts).await?, work(parts).await?))
}

/// Hello everywhere. The first row is what the others are compared with: the component in Rust.
pub async fn hello(parts: &Parts) -> Result<String> {
    let rust = dayfly::hello(parts, "dayfly, Rust component, all views", "").await?;
    let mut servers = vec![rust.server, js_peers::dayfly(parts, "dayfly, JavaScript, all views", "hello.js").await?];
    servers.extend(wasmtime(parts, "wasmtime serve, componentize-js", "js-hello.wasm").await?);
    servers.extend([js_peers::workerd("hello.js").await?, js_peers::node().await?]);
    for server in &servers {
        let answer = ask(server, "GET", "/ada", b"").await?;
        ensure!(answer == b"hello ada\n", "{} answers {:?}", server.name, String::from_utf8_lossy(&answer));
    }
    let rows = compare::run(&servers, CONNECTIONS, TURN, ROUNDS).await?;
    Ok(compare::table(&rows))
}

/// What three handlers compute, each with a table of its own. The first row is dayfly.
pub async fn work(parts: &Parts) -> Result<String> {
    let servers =
        [js_peers::dayfly(parts, "dayfly", "worker.js").await?, js_peers::workerd("worker.js").await?, js_peers::node().await?];
    let mut kinds = vec![("JSON, 10 KiB", "/json", orders()), ("Markdown, 5 KiB", "/markdown", markdown())];
    kinds.extend(TOKENS.map(|(title, token)| (title, "/jwt", token.to_owned())));
    let mut out = String::new();
    for (title, target, body) in kinds {
        let body = body.into_bytes();
        let expected = ask(&servers[0], "POST", target, &body).await?;
        for server in &servers[1..] {
            ensure!(ask(server, "POST", target, &body).await? == expected, "{} answers {title} otherwise", server.name);
        }
        let asked = |server| Target { server, method: "POST", target: target.into(), body: body.clone() };
        let targets: Vec<_> = servers.iter().map(asked).collect();
        let rows = compare::run_targets(&targets, CONNECTIONS, TURN, ROUNDS).await?;
        out += &format!("{title} ({} bytes in, {} out)\n\n{}\n", body.len(), expected.len(), compare::table(&rows));
    }
    Ok(out)
}

/// The body of one answer.
async fn ask(server: &Server, method: &str, target: &str, body: &[u8]) -> Result<Vec<u8>> {
    let request = load::request_with(method, &server.host, target, body);
    let (status, answer) = Client::connect(server.address).await?.answer(&request).await?;
    ensure!(status == 200, "{} answers {target} with {status}", server.name);
    Ok(answer)
}

/// About 10 KiB of orders, the same each time.
fn orders() -> String {
    let order = |number: usize| {
        let line = |line: usize| {
            let item = (number * 7 + line * 3) % 23;
            serde_json::json!({"item": format!("item-{item}"), "price": 100 + item * 37, "count": 1 + line % 4})
        };
        serde_json::json!({
            "id": format!("order-{number:05}"),
            "customer": format!("customer {}", number % 9),
            "paid": !number.is_multiple_of(3),
            "lines": (0..=number % 3).map(line).collect::<Vec<_>>(),
        })
    };
    let mut count = 1;
    loop {
        let text = serde_json::json!({"orders": (0..count).map(order).collect::<Vec<_>>()}).to_string();
        if text.len() >= 10 << 10 {
            return text;
        }
        count += 1;
    }
}

/// About 5 KiB of Markdown as people write it: headings, emphasis, links, lists, code, a table, a quotation.
fn markdown() -> String {
    let mut text = String::new();
    for number in 1.. {
        text += &format!(
            "## Part {number}: what *is* here\n\nA paragraph with **words**, `code`, a [link](https://shop.example/{number}?a=b) and \
             more of it, so that it has the length that paragraphs have.\n\n- one\n- two with _emphasis_\n  1. nested\n  2. again\n\n\
             > Quoted, on two\n> lines\n\n```js\nconst part = {number} < 7 && \"text\";\n```\n\n\
             | name | count |\n|------|------:|\n| tea | {number} |\n\n"
        );
        if text.len() >= 5 << 10 {
            break;
        }
    }
    text
}
