//! The way of a request and its response through the engine: what comes in, what goes out, and what is sent to others.

use engine::host::fake::http::{self, Request, Response};
use engine::machine::Machine;
use engine::script::{Failure, Kind, Module, Script, Thrown};

/// A thread has one machine in its life, as an instance has.
fn serve(code: &str, request: Request) -> Result<Response, (Failure, Thrown)> {
    let code = code.to_owned();
    std::thread::spawn(move || serve_here(&code, request)).join().expect("the machine does not panic")
}

fn serve_here(code: &str, request: Request) -> Result<Response, (Failure, Thrown)> {
    let machine = Machine::new().expect("the prelude is in order");
    let module =
        Module { name: "main.js".to_owned(), kind: Kind::Module, code: code.to_owned(), links: Vec::new(), exports: Vec::new() };
    let script =
        Script { entry: "main.js".to_owned(), modules: vec![module], handlers: vec!["fetch".to_owned()], ..Script::default() };
    machine.load(script).expect("the script is in order");
    http::set_request(request);
    machine.serve()?;
    Ok(http::response())
}

fn handle(body: &str, request: Request) -> Response {
    let code = format!("export default {{ async fetch(request, env, ctx) {{ {body} }} }}");
    serve(&code, request).unwrap_or_else(|(failure, thrown)| panic!("{failure:?} {thrown:?}"))
}

fn post(pieces: &[&str]) -> Request {
    let body = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
    let headers = vec![
        ("Content-Type".to_lowercase(), "text/plain".to_owned()),
        ("x-twice".to_owned(), "1".to_owned()),
        ("x-twice".to_owned(), "2".to_owned()),
    ];
    Request { method: "POST".to_owned(), url: "http://a.test/path?q=1".to_owned(), headers, body }
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.concat()).expect("it is text")
}

#[test]
fn a_request_tells_what_came() {
    let body = "return Response.json([request.method, request.url, request.headers.get('X-Twice'), [...request.headers.keys()], await request.text()])";
    let response = handle(body, post(&["a", "ü", "c"]));
    assert_eq!(text(&response), r#"["POST","http://a.test/path?q=1","1, 2",["content-type","x-twice"],"aüc"]"#);
    assert_eq!(response.headers, [("content-type".to_owned(), "application/json".to_owned())]);
}

#[test]
fn a_request_is_read_as_json_bytes_and_stream() {
    assert_eq!(text(&handle("return Response.json((await request.json()).a)", post(&["{\"a\":", "[1]}"]))), "[1]");
    assert_eq!(text(&handle("return new Response((await request.bytes()).length)", post(&["ü", "a"]))), "3");
    assert_eq!(text(&handle("return new Response((await request.blob()).type)", post(&["a"]))), "text/plain");
    let iterating = "let n = 0; for await (const chunk of request.body) n = n * 10 + chunk.length; return new Response(n)";
    assert_eq!(text(&handle(iterating, post(&["a", "bb", "ccc"]))), "123");
    let byob = "const reader = request.body.getReader({ mode: 'byob' }); const sizes = [];
        for (;;) { const { value, done } = await reader.read(new Uint8Array(2)); if (done) break; sizes.push(value.length) } return new Response(sizes)";
    assert_eq!(text(&handle(byob, post(&["abc", "d"]))), "2,1,1");
}

#[test]
fn a_request_is_immutable_and_its_body_is_read_once() {
    let body = "try { request.headers.set('a', 'b') } catch (error) { return new Response(error.message) }";
    assert!(text(&handle(body, post(&[]))).contains("immutable"));
    let twice = "await request.text(); try { await request.json() } catch (error) { return new Response(error.message) }";
    assert!(text(&handle(twice, post(&["a"]))).starts_with("Body is unusable: it was read already"));
    let get = Request { method: "GET".to_owned(), url: "http://a.test/".to_owned(), ..Request::default() };
    assert_eq!(text(&handle("return new Response(String(request.body))", get)), "null");
}

#[test]
fn a_request_is_cloned_and_wrapped() {
    let body = "const copy = request.clone(); return new Response(await copy.text() + await request.text())";
    assert_eq!(text(&handle(body, post(&["a", "b"]))), "abab");
    let wrapped = "const next = new Request('http://b.test/', request); return new Response(next.url + next.method + next.headers.get('x-twice') + await next.text())";
    assert_eq!(text(&handle(wrapped, post(&["a", "b"]))), "http://b.test/POST1, 2ab");
}

#[test]
fn a_body_that_is_handed_on_keeps_its_pieces() {
    let pieces =
        |response: &Response| response.body.iter().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect::<Vec<_>>();
    for body in [
        "return new Response(request.body)",
        "return new Response(new Response(request.body).body)",
        "return fetch('http://echo.test/', { method: 'POST', body: request.body })",
        "return fetch(request.clone() && new Request('http://echo.test/', request))",
        "const { body } = await fetch('http://echo.test/', { method: 'POST', body: request.body, signal: AbortSignal.timeout(1e6) }); return new Response(body)",
        "return new Response(request.body.pipeThrough(new TransformStream()))",
    ] {
        let response = handle(body, post(&["one", "two", "three"]));
        assert_eq!(
            (pieces(&response), response.is_finished),
            (vec!["one".to_owned(), "two".to_owned(), "three".to_owned()], true),
            "{body}"
        );
    }
}

#[test]
fn a_stream_of_the_programs_own_is_written_as_it_comes() {
    let body = "const stream = new ReadableStream({ async pull(c) { await 0; c.enqueue(new TextEncoder().encode('x')); if (++this.n === 3) c.close() }, n: 0 });
        return new Response(stream, { headers: { 'transfer-encoding': 'chunked', connection: 'keep-alive', 'x-a': '1' } })";
    let response = handle(body, post(&[]));
    assert_eq!((response.body.len(), response.is_finished), (3, true));
    assert_eq!(response.headers, [("x-a".to_owned(), "1".to_owned())]);
}

#[test]
fn what_goes_wrong_in_a_body_fails_the_invocation() {
    let code = |body: &str| format!("export default {{ fetch() {{ {body} }} }}");
    let message = |body: &str| serve(&code(body), post(&[])).expect_err("it fails").1.message;
    let strings = message("return new Response(ReadableStream.from(['text']))");
    assert!(strings.contains("a string instead of a Uint8Array: pipe it through a TextEncoderStream"), "{strings}");
    assert_eq!(message("return new Response(new ReadableStream({ pull() { throw new RangeError('broken') } }))"), "broken");
    assert!(message("const r = new Response('a'); r.text(); return r").contains("it was read already"));
    let control = message("return new Response('', { headers: { 'x-bad': 'a\\x01' } })");
    assert_eq!(control, "the value of header \"x-bad\" has U+0001: HTTP can't carry control characters");
    assert!(message("return Response.error()").contains("no response"));
}

#[test]
fn fetch_sends_what_is_said_and_gives_what_comes() {
    let body = "const answer = await fetch('http://echo.test/x#y', { method: 'PUT', body: 'ü', headers: { 'X-A': '1', Host: 'b', Connection: 'close' } });
        return Response.json([answer.status, answer.ok, answer.url, answer.redirected, [...answer.headers], await answer.text()])";
    let fields = r#"[["accept","*/*"],["accept-encoding","gzip"],["content-length","2"],["content-type","text/plain;charset=UTF-8"],["user-agent","dayfly"],["x-a","1"],["x-method","PUT"],["x-url","http://echo.test/x"]]"#;
    assert_eq!(text(&handle(body, post(&[]))), format!(r#"[200,true,"http://echo.test/x",false,{fields},"ü"]"#));
}

#[test]
fn fetch_says_why_it_fails() {
    let body = |call: &str| {
        format!(
            "try {{ await {call} }} catch (error) {{ return new Response(error.name + ': ' + error.message + ' / ' + error.cause?.message) }}"
        )
    };
    let failed = |call: &str| text(&handle(&body(call), post(&["a"])));
    assert_eq!(
        failed("fetch('http://other.test/a?secret')"),
        "TypeError: fetch GET http://other.test/a: other.test is not allowed: name it in the manifest / other.test is not allowed: name it in the manifest"
    );
    assert!(failed("fetch('ftp://a.test/')").contains("ftp: is no scheme that can be fetched"));
    assert!(failed("fetch('/path')").contains("\"/path\" is no full URL"));
    assert!(failed("fetch('http://echo.test/', { signal: AbortSignal.abort() })").starts_with("AbortError"));
    assert!(failed("fetch('http://echo.test/200?to=x', { integrity: 'sha256-x' })").contains("integrity"));
    assert!(failed("(await fetch('http://echo.test/')).headers.set('a', 'b')").contains("immutable"));
}

#[test]
fn redirects_are_followed_or_not_as_said() {
    let to = "http://echo.test/302?to=/200";
    let call = |options: &str| {
        format!(
            "const answer = await fetch('{to}', {options}); return Response.json([answer.status, answer.url, answer.redirected, answer.headers.get('x-method'), answer.headers.get('content-type')])"
        )
    };
    assert_eq!(text(&handle(&call("{}"), post(&[]))), r#"[200,"http://echo.test/200",true,"GET",null]"#);
    assert_eq!(
        text(&handle(&call("{ method: 'POST', body: 'a' }"), post(&[]))),
        r#"[200,"http://echo.test/200",true,"GET",null]"#
    );
    assert_eq!(text(&handle(&call("{ redirect: 'manual' }"), post(&[]))), format!(r#"[302,"{to}",false,"GET",null]"#));
    let error = "try { await fetch('http://echo.test/301?to=http://other.test/', { redirect: 'error' }) } catch (error) { return new Response(error.message) }";
    assert!(text(&handle(error, post(&[]))).contains("redirect: \"error\" forbids"));
    let refused =
        "try { await fetch('http://echo.test/301?to=http://other.test/') } catch (error) { return new Response(error.message) }";
    assert!(text(&handle(refused, post(&[]))).contains("other.test is not allowed"));
    let endless = "try { await fetch('http://echo.test/307?to=') } catch (error) { return new Response(error.message) }";
    assert!(text(&handle(endless, post(&[]))).contains("more than 20 times"), "{}", text(&handle(endless, post(&[]))));
}

#[test]
fn an_abort_breaks_a_fetch_and_its_body_off() {
    let before = "const controller = new AbortController(); const answer = fetch('http://echo.test/', { signal: controller.signal, method: 'POST', body: 'abc' });
        controller.abort(new RangeError('enough')); try { await answer } catch (error) { return new Response(error.message) }";
    assert_eq!(text(&handle(before, post(&[]))), "enough");
    let during = "const controller = new AbortController(); const answer = await fetch('http://echo.test/', { signal: controller.signal, method: 'POST', body: request.body });
        const reader = answer.body.getReader(); await reader.read(); controller.abort(new RangeError('enough'));
        try { await reader.read() } catch (error) { return new Response(error.message) }";
    assert_eq!(text(&handle(during, post(&["a", "b", "c"]))), "enough");
    let reading = "const controller = new AbortController(); const answer = await fetch('http://echo.test/', { signal: controller.signal, method: 'POST', body: request.body });
        const whole = answer.text(); controller.abort(new RangeError('enough')); try { await whole } catch (error) { return new Response(error.message) }";
    assert_eq!(text(&handle(reading, post(&["a", "b", "c"]))), "enough");
}

#[test]
fn data_addresses_are_fetched() {
    let body = "const answer = await fetch('data:text/x;base64,aGk='); return new Response(answer.headers.get('content-type') + await answer.text() + await (await fetch('data:,a%20b')).text())";
    assert_eq!(text(&handle(body, post(&[]))), "text/xhia b");
}

/// A script that begins with `PACKED`, the text "packed text, packed text" as gzip, and `packed(init)`, an answer of the echo that says so.
fn handle_packed(body: &str, accepted: Option<&str>) -> Response {
    let code = format!(
        "{PACKING} export default {{ async fetch(request) {{ const packed = (init) => fetch('http://echo.test/', {{ method: 'POST', body: PACKED, headers: {{ 'content-encoding': 'gzip' }}, ...init }}); {body} }} }}"
    );
    let headers = accepted.map(|accepted| ("accept-encoding".to_owned(), accepted.to_owned())).into_iter().collect();
    let request = Request { method: "GET".to_owned(), url: "http://a.test/".to_owned(), headers, body: Vec::new() };
    serve(&code, request).unwrap_or_else(|(failure, thrown)| panic!("{failure:?} {thrown:?}"))
}

const PACKING: &str = "const PACKED = await new Response(new Response('packed text, '.repeat(500)).body.pipeThrough(new CompressionStream('gzip'))).bytes();";

/// A field of the response.
fn field<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

#[test]
fn what_fetch_got_packed_is_read_unpacked() {
    for read in [
        "await answer.text()",
        "new TextDecoder().decode(await answer.bytes())",
        "await new Response(answer.body).text()",
        "(await Array.fromAsync(answer.body.pipeThrough(new TextDecoderStream()))).join('')",
        "(answer.clone(), await answer.text())",
    ] {
        for init in ["", "signal: AbortSignal.timeout(1e6)"] {
            let body = format!(
                "const answer = await packed({{ {init} }}); return Response.json([{read}, answer.headers.get('content-encoding'), answer.headers.get('content-length')])"
            );
            let expected = format!(r#"["{}",null,null]"#, "packed text, ".repeat(500));
            assert_eq!(text(&handle_packed(&body, Some("gzip"))), expected, "{read} {init}");
        }
    }
}

#[test]
fn what_fetch_got_packed_is_handed_on_as_it_came_if_the_client_takes_it() {
    for body in [
        "return packed()",
        "return packed({ signal: AbortSignal.timeout(1e6) })",
        "const answer = await packed(); return new Response(answer.body, answer)",
        "const answer = await packed(); return new Response(answer.body, { headers: { ...Object.fromEntries(answer.headers), 'content-encoding': 'gzip' } })",
    ] {
        let packed = handle_packed(body, Some("br, gzip;q=0.8"));
        assert_eq!(packed.body.concat()[..2], [0x1f, 0x8b], "{body}");
        assert_eq!(field(&packed, "content-encoding"), Some("gzip"), "{body}");
        assert_eq!(field(&packed, "content-length").map(str::to_owned), Some(packed.body.concat().len().to_string()), "{body}");
    }
    for (body, accepted) in [
        ("return packed()", None),
        ("return packed()", Some("br, gzip;q=0, deflate")),
        ("const answer = await packed(); return new Response(answer.body, answer)", None),
        (
            "const answer = await packed(); return new Response(answer.body.pipeThrough(new TransformStream()), answer)",
            Some("gzip"),
        ),
        ("const answer = await packed(); return new Response(await answer.text(), answer)", Some("gzip")),
        (
            "const answer = await packed(); return new Response(await answer.text(), { headers: [...answer.headers] })",
            Some("gzip"),
        ),
    ] {
        let plain = handle_packed(body, accepted);
        assert_eq!(text(&plain), "packed text, ".repeat(500), "{body} {accepted:?}");
        assert_eq!((field(&plain, "content-encoding"), field(&plain, "content-length")), (None, None), "{body} {accepted:?}");
    }
}

#[test]
fn what_cannot_be_unpacked_stays_as_it_came_or_says_what_is_wrong() {
    let other = handle_packed(
        "return Response.json([...(await packed({ headers: { 'content-encoding': 'br' } })).headers.keys()])",
        None,
    );
    assert!(text(&other).contains("content-encoding"), "{}", text(&other));
    let part = "const answer = await fetch('http://echo.test/206', { method: 'POST', body: PACKED, headers: { 'content-encoding': 'gzip' } }); return Response.json((await answer.bytes()).length === PACKED.length)";
    assert_eq!(text(&handle_packed(part, None)), "true");
    let nothing = handle_packed("return new Response((await (await packed({ body: '' })).text()).length)", None);
    assert_eq!(text(&nothing), "0");
    let wrong = handle_packed(
        "return (await packed({ body: 'plain' })).text().catch((error) => new Response(error.name + ': ' + error.message))",
        None,
    );
    assert_eq!(text(&wrong), "TypeError: its header says content-encoding: gzip, and its data is none");
}

#[test]
fn fetch_asks_for_what_it_can_unpack() {
    let sent = |init: &str| {
        let body = format!("return new Response((await fetch('http://echo.test/', {init})).headers.get('accept-encoding'))");
        text(&handle(&body, post(&[])))
    };
    assert_eq!(sent("{}"), "gzip");
    assert_eq!(sent("{ headers: { range: 'bytes=0-9' } }"), "identity");
    assert_eq!(sent("{ headers: { 'accept-encoding': 'gzip, deflate, br;q=0.9, zstd' } }"), "gzip, deflate");
    assert_eq!(sent("{ headers: { 'accept-encoding': 'br' } }"), "br");
    assert_eq!(sent("{ headers: { 'accept-encoding': 'identity' } }"), "identity");
}

#[test]
fn fetches_run_side_by_side() {
    let body = "const answers = await Promise.all([1, 2, 3].map((n) => fetch('http://echo.test/together-3', { method: 'POST', body: `${n}` })));
        return Response.json(await Promise.all(answers.map((answer) => answer.text())))";
    assert_eq!(text(&handle(body, post(&[]))), r#"["1","2","3"]"#);
    let alone = "try { for (const n of [1, 2, 3]) await fetch('http://echo.test/together-3') } catch (error) { return new Response(error.cause.message) }";
    assert_eq!(text(&handle(alone, post(&[]))), "the others did not come");
}

#[test]
fn what_has_no_place_of_its_own_is_placed_where_the_handler_is() {
    let place = |code: &str| serve(code, post(&[])).expect_err("it fails").1;
    for body in [
        "throw 'a text'",
        "throw null",
        "await 0; throw { a: 1 }",
        "return new Response('x', { headers: { 'x-a': '\\x01' } })",
        "await 0; return new Response('x', { headers: { 'x-a': '\\x01' } })",
        "return 7",
    ] {
        let thrown = place(&format!("\nexport default {{\n  async fetch() {{ {body} }},\n}};"));
        assert!(thrown.stack.starts_with("    at fetch (main.js:3:"), "{body}: {thrown:?}");
    }
    let own = place("const helper = () => { throw new Error('a') };\nexport default { fetch() { helper() } }");
    assert!(own.stack.starts_with("    at helper (main.js:1:"), "{own:?}");
}

#[test]
fn headers_beyond_the_platforms_limits_say_so() {
    let message =
        |body: &str| serve(&format!("export default {{ fetch() {{ {body} }} }}"), post(&[])).expect_err("it fails").1.message;
    let many = "const h = new Headers(); for (let i = 0; i < 300; i++) h.append('x-' + i, 'y'); return new Response('x', { headers: h })";
    assert_eq!(message(many), "a message has 301 header fields: there may be 256");
    let large = message("return new Response(null, { headers: { a: 'x'.repeat(1e6) } })");
    assert_eq!(large, "the headers of a message have 1000001 bytes: there may be 65536");
}

#[test]
fn a_length_that_the_body_does_not_have_is_refused_before_anything_is_sent() {
    let body = |length: &str| format!("return new Response('abc', {{ headers: {{ 'content-length': '{length}' }} }})");
    let failed = serve(&format!("export default {{ fetch() {{ {} }} }}", body("10")), post(&[])).expect_err("it fails").1;
    assert_eq!(failed.message, "the header content-length says 10, and the body has 3 bytes: leave the header out");
    assert_eq!(text(&handle(&body("3"), post(&[]))), "abc");
    let head = Request { method: "HEAD".to_owned(), url: "http://a.test/".to_owned(), ..Request::default() };
    assert_eq!(field(&handle(&body("10"), head), "content-length"), Some("10"));
}

#[test]
fn a_source_may_have_nul_where_the_language_allows_it() {
    let code = "// \0\nexport default { fetch: () => new Response(JSON.stringify(['a\0b', `c\0`, /\0/.test('\\0')])) }";
    assert_eq!(text(&serve(code, post(&[])).expect("it is served")), r#"["a\u0000b","c\u0000",true]"#);
}
