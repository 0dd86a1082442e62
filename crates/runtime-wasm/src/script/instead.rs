//! What to use in place of names that other platforms have globally, for those who come from there.

use super::story::Thrown;

/// Names that are not defined here, and what does their work.
const INSTEAD: &[(&[&str], &str)] = &[
    (&["process"], "settings and secrets are in env: env.NAME, env.secret.NAME"),
    (&["Buffer"], "Uint8Array, TextEncoder and TextDecoder, atob and btoa"),
    (&["require"], "import thing from \"package\", at the top of the file"),
    (&["module", "exports"], "export default { fetch(request, env, ctx) { … } }"),
    (&["global", "window", "document"], "globalThis; there is no page where functions run"),
    (&["setImmediate"], "queueMicrotask(work), or setTimeout(work, 0)"),
    (&["__dirname", "__filename"], "import text from \"./file.txt\": functions see no files"),
    (&["caches", "localStorage", "sessionStorage"], "a key-value store: env.kv.NAME"),
    (&["WebSocketPair", "EventSource"], "a streamed Response: functions keep no sockets open"),
    (&["XMLHttpRequest"], "fetch(url), with its host in the function's `reach`"),
    (&["Deno", "Bun"], "Web APIs, which are the same everywhere, and env"),
    (&["Worker", "SharedArrayBuffer", "Atomics"], "another function: env.NAME.fetch(request)"),
];

/// What does the work of the name that the exception says is not defined, if it is known from elsewhere.
pub(super) fn of(thrown: &Thrown) -> Option<String> {
    let name = thrown.message.strip_suffix(" is not defined").filter(|_| thrown.name == "ReferenceError")?;
    let (_, instead) = INSTEAD.iter().find(|(names, _)| names.contains(&name))?;
    Some(format!("instead of {name}: {instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_platforms_are_known_and_others_are_not() {
        let told = |name: &str, message: &str| of(&Thrown { name: name.into(), message: message.into(), ..Thrown::default() });
        let process = told("ReferenceError", "process is not defined").expect("known");
        assert_eq!(process, "instead of process: settings and secrets are in env: env.NAME, env.secret.NAME");
        assert_eq!(told("ReferenceError", "proces is not defined"), None);
        assert_eq!(told("Error", "process is not defined"), None);
    }
}
