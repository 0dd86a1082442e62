//! What top-level code may and may not do, of what the platform's own modules give it: an image made again has to be the same image.

use engine::machine::Machine;
use engine::script::{Kind, Module, Refusal, Script};

fn load(code: &str) -> Result<Vec<String>, Refusal> {
    let code = format!("{code}\nexport default {{ fetch() {{ return new Response('ok'); }} }};");
    let module = Module { name: "src/a.js".to_owned(), kind: Kind::Module, code, links: Vec::new(), exports: Vec::new() };
    let script =
        Script { entry: "src/a.js".to_owned(), modules: vec![module], handlers: vec!["fetch".to_owned()], ..Script::default() };
    let run = move || Machine::new().expect("the prelude is right").load(script);
    std::thread::Builder::new().stack_size(8 << 20).spawn(run).expect("a thread can be made").join().expect("nothing panics")
}

#[test]
fn what_is_random_or_waits_is_refused_and_says_where_it_belongs() {
    for code in [
        "crypto.getRandomValues(new Uint8Array(1))",
        "crypto.randomUUID()",
        "await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt'])",
        "await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])",
        "setTimeout(() => {}, 1)",
        "setInterval(() => {}, 1)",
        "AbortSignal.timeout(1)",
    ] {
        let refused = load(code);
        let Err(Refusal::Threw(thrown)) = refused else { panic!("{code} gave {refused:?}") };
        assert!(
            thrown.message.contains("top-level code") && thrown.message.contains("inside a handler"),
            "{code}: {}",
            thrown.message
        );
    }
}

#[test]
fn what_only_computes_is_done_at_deploy() {
    let code = "const text = new TextEncoder().encode('x');
        const key = await crypto.subtle.importKey('raw', text, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
        await crypto.subtle.sign('HMAC', key, text);
        await crypto.subtle.digest('SHA-512', text);
        const url = new URL('https://a/?b=1'), pattern = new URLPattern({ pathname: '/:id' }), copy = structuredClone({ a: [1] });
        const controller = new AbortController(), { port1 } = new MessageChannel(), decoder = new TextDecoder('utf-16le');
        if (performance.now() !== 0 || new Event('x').timeStamp !== 0) throw new Error('the clock runs');
        console.log({ at: 'deploy' });";
    let loaded = load(code);
    assert!(matches!(&loaded, Ok(handlers) if handlers == &["fetch"]), "{loaded:?}");
}
