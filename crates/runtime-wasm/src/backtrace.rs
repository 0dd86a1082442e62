//! Backtraces for people: the guest's own calls first, named as its author names them, on bounded lines that no terminal misreads.

use std::{fmt::Write as _, fs::File, io::Read, path::Path};

use wasmtime::{FrameInfo, WasmBacktrace};

use crate::lines::{self, Frame, Lines};

/// Lines of one backtrace.
const LINES: usize = 24;
/// Characters of one name or path.
const NAME_CHARS: usize = 160;
/// Names longer than this are not demangled: demangling can multiply them.
const MANGLED_BYTES: usize = 4_096;

/// The backtrace's lines, innermost call first: `api::handler::price (src/lib.rs:12)`. `table` is a table of lines, or empty.
pub(crate) fn render(backtrace: &WasmBacktrace, table: &[u8]) -> Vec<String> {
    let table = Lines::read(table);
    let calls: Vec<Call> = backtrace.frames().iter().flat_map(|frame| calls(frame, table.as_ref())).collect();
    lines(&calls)
}

/// The bytes of a table of lines; nothing if there is none. It blocks on the disk for the moment that reading a small file takes.
pub(crate) fn read_lines(path: &Path) -> Vec<u8> {
    let mut table = Vec::new();
    let read = File::open(path).and_then(|file| file.take(lines::BYTES).read_to_end(&mut table));
    if read.is_err() {
        table.clear();
    }
    table
}

/// The text with control and invisible formatting characters escaped, cut to so many characters.
pub(crate) fn printable(text: &str, chars_max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(chars_max));
    for (count, c) in text.chars().enumerate() {
        if count == chars_max {
            shown.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that change how the text around them is shown: directions, joiners, tags, line separators.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One call in the guest, inlined ones included.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    name: String,
    place: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    file: String,
    line: u32,
}

fn calls(frame: &FrameInfo, table: Option<&Lines<'_>>) -> Vec<Call> {
    let of_frame = || frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), demangle);
    let place = frame.module_offset().and_then(|offset| u32::try_from(offset).ok());
    let known = table.zip(place).map(|(table, place)| table.at(place)).unwrap_or_default();
    let call = |known: &Frame<&str>| Call {
        name: if known.function.is_empty() { of_frame() } else { demangle(known.function) },
        place: (!known.file.is_empty() && known.line > 0).then(|| Place { file: known.file.to_owned(), line: known.line }),
    };
    let mut calls: Vec<Call> = known.iter().map(call).collect();
    // Line tables name functions without their module. The frame itself has the whole name, of the outermost of the calls in it.
    match calls.last_mut() {
        None => calls.push(Call { name: of_frame(), place: None }),
        Some(outermost) => {
            let whole = of_frame();
            if whole.ends_with(&format!("::{}", outermost.name)) {
                outermost.name = whole;
            }
        }
    }
    calls
}

fn demangle(name: &str) -> String {
    if name.len() > MANGLED_BYTES {
        return name.to_owned();
    }
    match rustc_demangle::try_demangle(name) {
        Ok(demangled) => format!("{demangled:#}"),
        Err(_) => name.to_owned(),
    }
}

fn lines(calls: &[Call]) -> Vec<String> {
    // The panic's machinery stands above the call that panicked, and the glue of the interface below the one that was called first.
    let own = |call: &Call| !is_runtime(call);
    let (first, last) = (calls.iter().position(own), calls.iter().rposition(own));
    let shown = match (first, last) {
        (Some(first), Some(last)) => &calls[first..=last],
        _ => calls,
    };
    let mut lines: Vec<(String, usize)> = Vec::new();
    for call in shown {
        let line = call.line();
        match lines.last_mut() {
            Some((above, times)) if *above == line => *times += 1,
            _ => lines.push((line, 1)),
        }
    }
    let more = lines.len().saturating_sub(LINES);
    let times = |(line, times): &(String, usize)| if *times > 1 { format!("{line} ×{times}") } else { line.clone() };
    let mut text: Vec<String> = lines.iter().take(LINES).map(times).collect();
    if more > 0 {
        text.push(format!("… {more} more"));
    }
    text
}

impl Call {
    fn line(&self) -> String {
        let name = printable(&self.name, NAME_CHARS);
        match &self.place {
            Some(Place { file, line }) => format!("{name} ({}:{line})", printable(short(file), NAME_CHARS)),
            None => name,
        }
    }
}

/// Whether the call belongs to a language's runtime or to generated glue, and not to what the author wrote.
fn is_runtime(call: &Call) -> bool {
    const CRATES: &[&str] =
        &["std::", "core::", "alloc::", "panic_abort::", "panic_unwind::", "dlmalloc::", "__rustc", "compiler_builtins::"];
    const NAMES: &[&str] = &[
        "abort",
        "_abort",
        "__rust_",
        "rust_panic",
        "rust_begin_unwind",
        "__wasi",
        "cabi_",
        "_start",
        "__wasm_call",
        "wit-component:",
    ];
    const FILES: &[&str] = &["/rustc/", "/rust/library/", "/library/std/", "/library/core/", "/library/alloc/"];
    let name = call.name.as_str();
    let of_impl = name.strip_prefix('<').and_then(|rest| rest.split_once(" as ")).map(|(ty, _)| ty);
    CRATES.iter().any(|prefix| name.starts_with(prefix) || of_impl.is_some_and(|ty| ty.starts_with(prefix)))
        || NAMES.iter().any(|prefix| name.starts_with(prefix))
        || name.contains("_export_handle_cabi")
        || name.contains("#handle")
        || call.place.as_ref().is_some_and(|place| FILES.iter().any(|part| place.file.contains(part)))
}

/// A path without what depends on the machine that built it: from the package's folder on for a dependency, from `src` on for one's own.
fn short(file: &str) -> &str {
    if let Some((_, rest)) = file.split_once("/registry/src/") {
        return rest.split_once('/').map_or(rest, |(_, package)| package);
    }
    if let Some(at) = file.find("/library/").filter(|_| file.contains("rust")) {
        return &file[at + 1..];
    }
    file.rfind("/src/").map_or(file, |at| &file[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, place: Option<(&str, u32)>) -> Call {
        Call { name: name.into(), place: place.map(|(file, line)| Place { file: file.into(), line }) }
    }

    #[test]
    fn the_authors_calls_come_first_and_repeated_ones_once() {
        let calls = [
            call("__rust_start_panic", Some(("/rustc/abc/library/panic_abort/src/lib.rs", 50))),
            call("std::panicking::begin_panic_handler", Some(("/rustc/abc/library/std/src/panicking.rs", 698))),
            call("<core::option::Option<T> as core::clone::Clone>::clone", None),
            call("api::price", Some(("/home/me/api/src/price.rs", 12))),
            call("api::price", Some(("/home/me/api/src/price.rs", 12))),
            call("core::iter::map", None),
            call("serde::de", Some(("/home/ada/.cargo/registry/src/index-1/serde-1.0.1/src/de.rs", 7))),
            call("wasi:http/incoming-handler@0.2.12#handle", None),
        ];
        let expected = ["api::price (src/price.rs:12) ×2", "core::iter::map", "serde::de (serde-1.0.1/src/de.rs:7)"];
        assert_eq!(lines(&calls), expected);
        assert_eq!(lines(&calls[..1]).len(), 1, "nothing but runtime is shown as it is");
    }

    #[test]
    fn hostile_names_are_escaped_and_cut() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c", 100), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(printable("äöü", 2), "äö…");
        let long = call(&"x".repeat(100_000), None);
        assert_eq!(long.line().chars().count(), NAME_CHARS + 1);
        let many: Vec<Call> = (0..500).map(|n| call(&format!("f{n}"), None)).collect();
        assert_eq!(lines(&many).len(), LINES + 1);
        let mangled = format!("_ZN{}E", "1a".repeat(MANGLED_BYTES));
        assert_eq!(demangle(&mangled), mangled);
    }
}
