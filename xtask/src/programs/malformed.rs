//! Artifacts that a deploy must refuse, or survive. They go to `target/programs/malformed`.
//!
//! Small ones are text in `tests/programs/wat`. The others are made of the hello component, so that all of it is right but one thing:
//! a component stays valid when sections that nobody refers to are put behind its last.

use super::sources_under;
use crate::paths::{Paths, make_folder};
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use wasm_encoder::{
    BlockType, CodeSection, ComponentSection, Function, FunctionSection, InstanceSection, Instruction, MemorySection, MemoryType,
    Module, ModuleSection, StartSection, TypeSection, ValType,
};

/// Raised when what is generated changes.
const VERSION: &str = "3";
/// Beyond the largest artifact that is accepted (64 MiB).
const OVERSIZE_BYTES: u32 = 65 << 20;
const MODULE_SECTION: u8 = 1;

pub(super) fn write_all(paths: &Paths) -> Result<()> {
    let folder = paths.programs().join("malformed");
    make_folder(&folder)?;
    let hello = fs::read(paths.programs().join("hello.wasm")).context("cannot read hello.wasm")?;
    let texts = sources_under(&paths.root.join("tests/programs/wat"))?;

    let stamp = stamp(&hello, &texts)?;
    let stamp_path = folder.join("made-of.txt");
    if fs::read_to_string(&stamp_path).is_ok_and(|made_of| made_of == stamp) {
        return Ok(());
    }
    for text in &texts {
        let name = text.file_stem().unwrap_or_default().to_string_lossy();
        write(&folder, &name, &wat::parse_file(text)?)?;
    }
    write_damaged(&folder, &hello)?;
    write_greedy(&folder, &hello)?;
    write_bombs(&folder, &hello)?;
    write_oversize(&folder.join("oversize.wasm"), &hello)?;
    fs::write(stamp_path, stamp).context("cannot write the stamp")
}

fn stamp(hello: &[u8], texts: &[std::path::PathBuf]) -> Result<String> {
    let mut hash = blake3::Hasher::new();
    hash.update(VERSION.as_bytes()).update(hello);
    for text in texts {
        hash.update(&fs::read(text).with_context(|| format!("cannot read {}", text.display()))?);
    }
    Ok(hash.finalize().to_string())
}

fn write_damaged(folder: &Path, hello: &[u8]) -> Result<()> {
    write(folder, "empty-file", b"")?;
    write(folder, "not-wasm", b"#!/bin/sh\necho this is a shell script\n")?;
    write(folder, "truncated", &hello[..hello.len() / 2])?;
    let mut flipped = hello.to_vec();
    // Early enough to hit code: what lies behind it is names and line numbers, which nobody validates.
    let early = flipped.len() / 16;
    flipped[early..early + 64].fill(0xff);
    write(folder, "bytes-flipped", &flipped)?;
    write(folder, "unknown-import", &replaced(hello, b"wasi:io/error@", b"acme:io/error@")?)
}

/// Components that are right and want too much, or do something before they are asked.
fn write_greedy(folder: &Path, hello: &[u8]) -> Result<()> {
    let start = |code: &[Instruction]| with_instance(hello, &one_function(&[], code, true));
    write(folder, "start-trap", &start(&[Instruction::Unreachable])?)?;
    let spin = [Instruction::Loop(BlockType::Empty), Instruction::Br(0), Instruction::End];
    write(folder, "start-spin", &start(&spin)?)?;
    // 2 GiB at birth: more than any limit allows.
    write(folder, "memory-huge", &with_instance(hello, &one_memory(32 * 1024))?)
}

/// Components that are small to store and dear to compile.
fn write_bombs(folder: &Path, hello: &[u8]) -> Result<()> {
    write(folder, "bomb-functions", &with_module(hello, &many_functions(900_000)))?;
    write(folder, "bomb-nesting", &with_module(hello, &nested(1_500_000)))?;
    write(folder, "bomb-locals", &with_module(hello, &entangled(1_000, 300_000)))
}

/// A component with 65 MiB of padding, most of it a hole in the file.
fn write_oversize(path: &Path, hello: &[u8]) -> Result<()> {
    let cannot_write = || format!("cannot write {}", path.display());
    let mut file = File::create(path).with_context(cannot_write)?;
    let mut head = hello.to_vec();
    // A custom section: its id, its size as a five-byte LEB128, a name, and zeros.
    head.push(0);
    head.extend((0..5).map(|index| (OVERSIZE_BYTES >> (7 * index)) as u8 & 0x7f | if index < 4 { 0x80 } else { 0 }));
    let end = head.len() as u64 + u64::from(OVERSIZE_BYTES);
    head.extend(b"\x07padding");
    file.write_all(&head).with_context(cannot_write)?;
    file.seek(SeekFrom::Start(end - 1)).with_context(cannot_write)?;
    file.write_all(&[0]).with_context(cannot_write)
}

fn one_function(locals: &[(u32, ValType)], code: &[Instruction], start: bool) -> Module {
    let mut body = Function::new(locals.iter().copied());
    for instruction in code {
        body.instruction(instruction);
    }
    body.instruction(&Instruction::End);
    functions(std::iter::once(body), start)
}

fn functions(bodies: impl Iterator<Item = Function>, start: bool) -> Module {
    let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    for body in bodies {
        functions.function(0);
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions);
    if start {
        module.section(&StartSection { function_index: 0 });
    }
    module.section(&code);
    module
}

fn many_functions(count: u32) -> Module {
    let bodies = (0..count).map(|_| {
        let mut body = Function::new([]);
        body.instruction(&Instruction::End);
        body
    });
    functions(bodies, false)
}

fn nested(depth: usize) -> Module {
    let open = std::iter::repeat_n(Instruction::Block(BlockType::Empty), depth);
    let code: Vec<_> = open.chain(std::iter::repeat_n(Instruction::End, depth)).collect();
    one_function(&[], &code, false)
}

/// Many variables, all of them alive, through many branches: what register allocation and SSA construction like least.
fn entangled(locals: u32, rounds: u32) -> Module {
    let mut code = Vec::new();
    for round in 0..rounds {
        let (a, b, c) = (round % locals, round.wrapping_mul(7919) % locals, round.wrapping_mul(104_729) % locals);
        code.extend([Instruction::LocalGet(a), Instruction::LocalGet(b), Instruction::I64Mul, Instruction::LocalSet(c)]);
        if round % 16 == 0 {
            let condition = [Instruction::LocalGet(c), Instruction::I32WrapI64, Instruction::BrIf(0), Instruction::End];
            code.push(Instruction::Loop(BlockType::Empty));
            code.extend(condition);
        }
    }
    one_function(&[(locals, ValType::I64)], &code, false)
}

fn one_memory(pages: u64) -> Module {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: pages, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut module = Module::new();
    module.section(&memories);
    module
}

fn with_module(component: &[u8], module: &Module) -> Vec<u8> {
    let mut bytes = component.to_vec();
    ModuleSection(module).append_to_component(&mut bytes);
    bytes
}

/// Adds a module and has it instantiated.
fn with_instance(component: &[u8], module: &Module) -> Result<Vec<u8>> {
    let mut bytes = with_module(component, module);
    let mut instances = InstanceSection::new();
    instances.instantiate(count_modules(component)?, std::iter::empty::<(&str, wasm_encoder::ModuleArg)>());
    instances.append_to_component(&mut bytes);
    Ok(bytes)
}

/// How many core modules a component holds, which is the index of the next.
fn count_modules(component: &[u8]) -> Result<u32> {
    let mut rest = component.get(8..).context("the component has no header")?;
    let mut count = 0;
    while let Some((&id, after)) = rest.split_first() {
        let (size, body) = leb128(after).context("a section has no size")?;
        count += u32::from(id == MODULE_SECTION);
        rest = body.get(size..).context("a section ends behind the component")?;
    }
    Ok(count)
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    let value = bytes[..=end].iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    Some((value, &bytes[end + 1..]))
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>> {
    assert_eq!(old.len(), new.len(), "sections carry their sizes");
    let places: Vec<usize> = (0..bytes.len().saturating_sub(old.len())).filter(|&at| bytes[at..].starts_with(old)).collect();
    ensure!(!places.is_empty(), "hello no longer imports {}", String::from_utf8_lossy(old));
    let mut bytes = bytes.to_vec();
    for at in places {
        bytes[at..at + new.len()].copy_from_slice(new);
    }
    Ok(bytes)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name).with_extension("wasm");
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn counts_the_modules_that_were_added() {
        let mut component = EMPTY_COMPONENT.to_vec();
        for count in 0..3 {
            assert_eq!(count_modules(&component).expect("it is whole"), count);
            component = with_module(&component, &one_memory(1));
        }
    }

    #[test]
    fn refuses_to_count_in_what_is_cut_off() {
        let component = with_module(EMPTY_COMPONENT, &one_memory(1));
        assert!(count_modules(&component[..component.len() - 1]).is_err());
    }

    #[test]
    fn replaces_every_place_and_misses_none_silently() {
        assert_eq!(replaced(b"ab-ab-c", b"ab", b"xy").expect("it is there"), b"xy-xy-c");
        assert!(replaced(b"c", b"ab", b"xy").is_err());
    }
}
