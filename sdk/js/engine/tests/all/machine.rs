//! The machine's phases and limits.

use engine::host::fake::http::{self, Request};
use engine::machine::Machine;
use engine::script::{Failure, Kind, Module, Refusal, Script};

fn script(code: &str) -> Script {
    let module =
        Module { name: "main.js".to_owned(), kind: Kind::Module, code: code.to_owned(), links: Vec::new(), exports: Vec::new() };
    Script { entry: "main.js".to_owned(), modules: vec![module], handlers: vec!["fetch".to_owned()], ..Script::default() }
}

fn load(code: &str) -> Result<Machine, Refusal> {
    let machine = Machine::new().expect("the prelude is in order");
    machine.load(script(code)).map(|_| machine)
}

#[test]
fn a_request_is_answered() {
    let machine = load("export default { fetch: () => new Response('hello') }").expect("the script is in order");
    http::set_request(Request { method: "GET".to_owned(), url: "http://a.test/".to_owned(), ..Request::default() });
    machine.serve().expect("the handler answers");
    let response = http::response();
    assert_eq!((response.status, response.body.concat(), response.is_finished), (200, b"hello".to_vec(), true));
}

#[test]
fn what_does_not_parse_is_refused_with_its_place() {
    let Err(Refusal::Syntax(thrown)) = load("let a = 1;\nlet b = ;") else { panic!("it does not parse") };
    assert_eq!((thrown.name.as_str(), thrown.stack.contains("main.js:2:")), ("SyntaxError", true), "{thrown:?}");
}

#[test]
fn a_thrown_error_has_its_stack_and_causes() {
    let machine = load(
        "function inner() { throw new TypeError('no', { cause: new Error('why') }) }\nexport default { fetch: () => inner() }",
    );
    let (failure, thrown) = machine.expect("the script is in order").serve().expect_err("the handler throws");
    assert_eq!((failure, thrown.name.as_str(), thrown.message.as_str()), (Failure::Threw, "TypeError", "no"));
    assert!(thrown.stack.starts_with("    at inner (main.js:1:"), "{thrown:?}");
    assert!(thrown.causes[0].starts_with("Error: why"), "{thrown:?}");
}

#[test]
fn a_loop_without_end_is_interrupted_where_it_stands() {
    let machine = load("export default { fetch() {\n for (;;) {}\n} }").expect("the script is in order");
    engine::host::fake::report::interrupt_after(3);
    let (failure, thrown) = machine.serve().expect_err("the time is up");
    assert_eq!(failure, Failure::Interrupted);
    assert!(thrown.stack.contains("at fetch (main.js:"), "{thrown:?}");
}

#[test]
fn recursion_without_end_is_an_error_that_can_be_caught() {
    let code = "const deep = () => deep() + 1;\nexport default { fetch() { try { deep() } catch (error) { return new Response(error.name) } } }";
    load(code).expect("the script is in order").serve().expect("it was caught");
    assert_eq!(http::response().body.concat(), b"RangeError");
}

#[test]
fn a_promise_that_nothing_settles_is_told_apart() {
    let code = "export default { async fetch() { await new Promise(() => {}) } }";
    let (failure, _) = load(code).expect("the script is in order").serve().expect_err("it never settles");
    assert_eq!(failure, Failure::NeverSettles);
}
