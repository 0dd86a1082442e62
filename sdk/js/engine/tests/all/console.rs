//! What the console writes, line by line.

use engine::host::fake::log;
use engine::machine::Machine;
use engine::script::{Kind, Module, Script};

/// The lines that a module logs: level and text.
fn logged(code: &str) -> Vec<(String, String)> {
    let module = Module {
        name: "src/a.mjs".to_owned(),
        kind: Kind::Module,
        code: code.to_owned(),
        links: Vec::new(),
        exports: Vec::new(),
    };
    let script = Script { entry: "src/a.mjs".to_owned(), modules: vec![module], ..Script::default() };
    let run = move || {
        Machine::new().expect("the prelude is right").run(script).expect("it runs");
        log::take()
    };
    std::thread::spawn(run).join().expect("nothing panics")
}

fn text(code: &str) -> Vec<String> {
    logged(code).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_method_has_its_level() {
    let lines = logged(
        "console.debug('a'); console.log('b'); console.info('c'); console.warn('d'); console.error('e'); console.assert(false, 'f'); console.trace('g')",
    );
    let levels: Vec<&str> = lines.iter().map(|(level, _)| level.as_str()).collect();
    assert_eq!(levels, ["debug", "info", "info", "warn", "error", "error", "trace"]);
    assert_eq!(lines[5].1, "Assertion failed: f");
    assert!(lines[6].1.starts_with("Trace: g\n    at <anonymous> (src/a.mjs:1:"), "{}", lines[6].1);
}

#[test]
fn one_plain_value_is_json_and_what_json_would_lose_is_text() {
    assert_eq!(text("console.log({ user: 7, tags: ['a', null] })"), [r#"{"user":7,"tags":["a",null]}"#]);
    assert_eq!(text("console.log({ at: new Map([[1, 'x']]) })"), ["{ at: Map(1) { 1 => 'x' } }"]);
    assert_eq!(text("console.log({ n: undefined })"), ["{ n: undefined }"]);
    assert_eq!(text("const a = {}; a.a = a; console.log(a)"), ["{ a: [Circular] }"]);
}

#[test]
fn values_read_as_a_person_reads_them() {
    let code = "class Point { x = 1; #y = 2; get z() { throw 1; } }
        console.log('is', new Point(), [1, , -0], new Set(['a']), Symbol('s'), 5n, () => 1, class A extends Point {}, null, undefined);
        console.log('is', Object.create(null), new Date(0), /a/g, new Uint8Array(2), Promise.resolve(1), new Promise(() => {}), { get a() { return 1; }, ['b c']: \"it's\" });
        console.log('is', new URL('https://a/?b=1'), [[[[[[1]]]]]]);";
    assert_eq!(
        text(code),
        [
            "is Point { x: 1 } [ 1, <empty>, -0 ] Set(1) { 'a' } Symbol(s) 5n [Function: (anonymous)] [class A extends Point] null undefined",
            "is [Object: null prototype] {} 1970-01-01T00:00:00.000Z /a/g Uint8Array(2) [ 0, 0 ] Promise { 1 } Promise { <pending> } { a: [Getter], 'b c': \"it's\" }",
            "is https://a/?b=1 [ [ [ [ [ [Array] ] ] ] ] ]",
        ]
    );
}

#[test]
fn an_error_says_its_calls_and_its_causes() {
    let lines = text("const e = new TypeError('what', { cause: new Error('why') }); e.code = 5; console.error(e)");
    assert!(lines[0].starts_with("TypeError: what\n    at <anonymous> (src/a.mjs:1:"), "{}", lines[0]);
    assert!(lines[0].contains("[cause]: Error: why\n    at "), "{}", lines[0]);
    assert!(lines[0].ends_with("[code]: 5 }"), "{}", lines[0]);
}

#[test]
fn places_in_the_text_are_filled() {
    let code = "console.log('%s is %d, %i, %f%% %o%c!', 'a', 4.2, '7x', '1.5', { a: 1 }, 'color: red', 'rest')";
    assert_eq!(text(code), ["a is 4, 7, 1.5% { a: 1 }! rest"]);
    assert_eq!(text("console.log('100%', '%s')"), ["100% %s"]);
}

#[test]
fn groups_indent_and_counts_count() {
    let code = "console.group('g'); console.log('a\\nb'); console.groupEnd(); console.count(); console.count(); console.countReset(); console.count(); console.timeEnd('t')";
    assert_eq!(text(code), ["g", "  a\n  b", "default: 1", "default: 2", "default: 1", "console: there is no timer \"t\""]);
}

#[test]
fn a_huge_value_is_cut() {
    let lines = text(
        "console.log('is', 'x'.repeat(1e6).split(''), ['y'.repeat(1e6)], Array.from({ length: 200 }, () => 'z'.repeat(1000)))",
    );
    assert!(lines[0].len() < 100_000, "{}", lines[0].len());
    assert!(lines[0].contains("more"));
}
