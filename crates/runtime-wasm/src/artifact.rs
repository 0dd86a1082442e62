//! What an artifact must be before anyone compiles it.
//!
//! One pass over its sections with bounded depth and counts: cheap, in constant memory, and safe on bytes that a stranger wrote. What
//! the bytes of functions mean is left to the compiler, which validates them in a process that can be killed.

mod imports;
mod outline;

use types::{ByteCount, Code, Digest, Problem, limits};

use outline::Outline;

/// Functions of all modules of a component. CPython with its standard modules has about 20,000.
pub(crate) const FUNCTIONS: usize = 200_000;
/// Modules and components inside a component.
pub(crate) const PARTS: usize = 1_000;
/// How deep components may be nested in one another.
pub(crate) const DEPTH: usize = 32;
/// The interface through which a function is called, without its version.
pub(crate) const HANDLER: &str = "wasi:http/incoming-handler";

/// An artifact that passed the checks.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The interfaces it imports.
    pub(crate) imports: Vec<String>,
}

/// Checks the artifact.
///
/// # Errors
/// `E0302` to `E0308` and `E0311`, each with what was found.
pub(crate) fn check(digest: &Digest, artifact: &[u8]) -> Result<Checked, Problem> {
    check_size(artifact)?;
    check_preamble(artifact)?;
    let found = blake3::hash(artifact);
    if found.as_bytes() != digest.as_bytes() {
        let found = Digest::from_bytes(*found.as_bytes());
        return Err(Problem::new(Code::E0305, format!("the artifact's digest is {found}, expected {digest}"))
            .help("upload the artifact again: it changed on its way"));
    }
    let outline = Outline::read(artifact)?;
    check_handler(&outline)?;
    imports::check(&outline.imports)?;
    Ok(Checked { imports: outline.imports })
}

fn check_size(artifact: &[u8]) -> Result<(), Problem> {
    let measured = ByteCount(artifact.len() as u64);
    if measured > limits::COMPONENT {
        return Err(Problem::limit(Code::E0306, "component", measured, limits::COMPONENT)
            .help("build it for size (opt-level = \"s\", lto = true) and strip its debug information"));
    }
    Ok(())
}

fn check_preamble(artifact: &[u8]) -> Result<(), Problem> {
    let layer = match artifact {
        [0, b'a', b's', b'm', version @ ..] if version.len() >= 4 => [version[2], version[3]],
        [] => return Err(Problem::new(Code::E0305, "the artifact is empty")),
        _ => {
            let begins: String = artifact.iter().take(16).flat_map(|byte| byte.escape_ascii()).map(char::from).collect();
            return Err(Problem::new(Code::E0305, format!("the artifact is not Wasm: it begins with \"{begins}\""))
                .help("give the .wasm file that your build made"));
        }
    };
    if layer == [0, 0] {
        return Err(Problem::new(Code::E0302, "the artifact is a core module, not a component")
            .help("build for wasm32-wasip2, or wrap it with: wasm-tools component new"));
    }
    Ok(())
}

fn check_handler(outline: &Outline) -> Result<(), Problem> {
    let is_handler = |name: &String| {
        name.split_once('@').is_some_and(|(interface, version)| interface == HANDLER && version.starts_with("0.2."))
    };
    if outline.exports.iter().any(is_handler) {
        return Ok(());
    }
    let exports = match outline.exports.as_slice() {
        [] => "nothing".to_owned(),
        exports => list(exports),
    };
    Err(Problem::new(Code::E0303, format!("the component does not export {HANDLER}@0.2: it exports {exports}"))
        .help("export the interface that answers HTTP requests; every trigger calls it"))
}

/// Some names for a message: the first few, and how many more.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|name| crate::backtrace::printable(name, 120)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component of these sections, each with its id.
    fn component(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        for (id, body) in sections {
            bytes.push(*id);
            let mut size = body.len();
            while size >= 0x80 {
                bytes.push((size & 0x7f) as u8 | 0x80);
                size >>= 7;
            }
            bytes.push(size as u8);
            bytes.extend_from_slice(body);
        }
        bytes
    }

    fn problem(artifact: &[u8]) -> Problem {
        let digest = Digest::from_bytes(*blake3::hash(artifact).as_bytes());
        check(&digest, artifact).expect_err("it must be refused")
    }

    #[test]
    fn says_what_is_wrong_with_what_is_no_component() {
        assert_eq!(problem(b"").code, Code::E0305);
        assert_eq!(problem(b"#!/bin/sh\x1b[2J").message, "the artifact is not Wasm: it begins with \"#!/bin/sh\\x1b[2J\"");
        assert_eq!(problem(b"\0asm\x01\0\0\0").code, Code::E0302);
        assert_eq!(problem(b"\0asm").code, Code::E0305);
        let nothing = problem(&component(&[]));
        assert_eq!(nothing.code, Code::E0303);
        assert!(nothing.message.ends_with("it exports nothing"), "{nothing}");
        let huge = vec![0; limits::COMPONENT.as_usize() + 1];
        assert_eq!(problem(&huge).message, "the artifact is too large: component 64.0 MiB, allowed 64 MiB");
    }

    #[test]
    fn refuses_an_artifact_under_another_digest() {
        let artifact = component(&[]);
        let problem = check(&Digest::from_bytes([7; 32]), &artifact).expect_err("another digest");
        assert_eq!(problem.code, Code::E0305);
    }

    #[test]
    fn nesting_and_counts_are_bounded() {
        let mut deep = component(&[]);
        for _ in 0..DEPTH + 1 {
            deep = component(&[(4, &deep)]);
        }
        assert_eq!(problem(&deep).code, Code::E0308);
        let empty = component(&[]);
        let many = component(&vec![(4, empty.as_slice()); PARTS + 1]);
        assert_eq!(problem(&many).code, Code::E0311);
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_an_error_and_no_panic() {
        let whole = component(&[(4, &component(&[(1, b"\0asm\x01\0\0\0")])), (0, b"\x04name")]);
        for end in 0..whole.len() {
            let _ = problem(&whole[..end]);
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            let _ = problem(&flipped);
        }
    }
}
