//! The modules that only Node.js has, and what a function uses instead.

/// A module of Node.js, without `node:`, and what does its work here.
struct Builtin(&'static str, &'static str);

const MACHINE: &str = "a function sees no machine: no processes, files or sockets";
const OTHER_FUNCTION: &str = "give the work to another function: env.NAME.fetch(request)";
const SOCKETS: &str = "fetch(url), with the host in the function's `reach`";

const BUILTINS: &[Builtin] = &[
    Builtin("assert", "throw an Error of your own"),
    Builtin("async_hooks", "hand `ctx` on as an argument: each request has an instance of its own"),
    Builtin("buffer", "Uint8Array, with TextEncoder, TextDecoder, atob and btoa (or the package: npm install buffer)"),
    Builtin("child_process", OTHER_FUNCTION),
    Builtin("cluster", OTHER_FUNCTION),
    Builtin("console", "the global `console`"),
    Builtin("constants", MACHINE),
    Builtin(
        "crypto",
        "crypto.subtle, crypto.getRandomValues and crypto.randomUUID, which are global (digests without await: npm install @noble/hashes)",
    ),
    Builtin("dgram", SOCKETS),
    Builtin("diagnostics_channel", "console.log: each line is kept with its request"),
    Builtin("dns", SOCKETS),
    Builtin("domain", "try and catch"),
    Builtin("events", "EventTarget, which is global (or the package: npm install events)"),
    Builtin("fs", "a bucket (env.bucket.NAME) for data, or an import for a file of yours: import text from \"./file.txt\""),
    Builtin("http", "fetch(request), which is global, for requests; the `fetch` handler for a server"),
    Builtin("http2", SOCKETS),
    Builtin("https", "fetch(request), which is global"),
    Builtin("inspector", "dayfly trace and dayfly replay"),
    Builtin("module", "import(\"./a constant path.js\")"),
    Builtin("net", SOCKETS),
    Builtin("os", MACHINE),
    Builtin("path", "URL, which is global (or a package: npm install pathe)"),
    Builtin("perf_hooks", "performance.now(), which is global"),
    Builtin("process", "env: settings are env.NAME, secrets env.secret.NAME"),
    Builtin("punycode", "URL, which is global (or the package: npm install punycode.js)"),
    Builtin("querystring", "URLSearchParams, which is global (or the package: npm install querystring)"),
    Builtin("readline", MACHINE),
    Builtin("repl", "dayfly eval"),
    Builtin("sea", MACHINE),
    Builtin("sqlite", "a database: env.sql.NAME"),
    Builtin(
        "stream",
        "ReadableStream, WritableStream and TransformStream, which are global (or a package: npm install readable-stream)",
    ),
    Builtin("string_decoder", "new TextDecoder().decode(bytes, { stream: true }) (or the package: npm install string_decoder)"),
    Builtin("sys", "structuredClone, TextEncoder and TextDecoder, which are global"),
    Builtin("test", "a test runner outside of the function"),
    Builtin("timers", "setTimeout and setInterval, which are global"),
    Builtin("tls", SOCKETS),
    Builtin("trace_events", "dayfly trace"),
    Builtin("tty", MACHINE),
    Builtin("url", "URL and URLSearchParams, which are global"),
    Builtin("util", "structuredClone, TextEncoder and TextDecoder, which are global (or the package: npm install util)"),
    Builtin("v8", "structuredClone, which is global"),
    Builtin("vm", OTHER_FUNCTION),
    Builtin("wasi", "a function of its own whose path is the .wasm file: env.NAME.fetch(request)"),
    Builtin("worker_threads", OTHER_FUNCTION),
    Builtin("zlib", "CompressionStream and DecompressionStream, which are global (without await: npm install fflate)"),
];

/// What does the work of a module of Node.js here; `None` if the specifier names none. Parts of modules count: `fs/promises`.
pub(crate) fn alternative(specifier: &str) -> Option<&'static str> {
    let explicit = specifier.strip_prefix("node:");
    let name = explicit.unwrap_or(specifier);
    let name = match name.strip_prefix('_') {
        Some(inner) => inner.split('_').next().unwrap_or(inner),
        None => name.split('/').next().unwrap_or(name),
    };
    let known = BUILTINS.iter().find(|builtin| builtin.0 == name).map(|builtin| builtin.1);
    // Node.js may get more of them; with the scheme it is certainly one.
    known.or(explicit.map(|_| "docs/reference/javascript.md lists what there is"))
}

/// Whether a package of the same name does the work of the module wherever JavaScript runs, and takes its place once it is installed. With
/// `node:` in front only Node.js itself is meant.
pub(crate) fn is_a_package_too(specifier: &str) -> bool {
    matches!(
        specifier.trim_end_matches('/'),
        "buffer" | "events" | "punycode" | "querystring" | "string_decoder" | "url" | "util"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_node_have_an_alternative_and_packages_have_none() {
        for name in ["node:crypto", "crypto", "fs/promises", "node:fs", "node:something-new", "_stream_transform"] {
            assert!(alternative(name).is_some(), "{name}");
        }
        for name in ["hono", "./fs", "fs-extra", "@scope/crypto", "crypto-js"] {
            assert!(alternative(name).is_none(), "{name}");
        }
        assert!(BUILTINS.windows(2).all(|pair| pair[0].0 < pair[1].0), "in order, so that none is there twice");
    }
}
