//! Reads the debug information of a component's modules (DWARF, as compilers put it into custom sections) into a table of lines.
//!
//! Nothing depends on it: debug information that is damaged, too large or of a kind unknown here gives fewer lines, or none.

use addr2line::{
    Context,
    gimli::{Dwarf, EndianSlice, LittleEndian, SectionId},
};
use types::ByteCount;
use wasmparser::{Parser, Payload};

use crate::lines::{self, Builder, Frame};

/// Debug information of one module. Reading takes some ten times as much memory.
const MODULE: ByteCount = ByteCount::mib(48);
/// Calls that are inlined into one another at one place; the outer ones of more are left out.
const INLINED: usize = 32;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// The table of lines of this component; none if it carries no debug information.
pub(super) fn lines(component: &[u8]) -> Option<Vec<u8>> {
    let mut builder = Builder::default();
    let mut found = false;
    for module in modules(component) {
        if module.debug_bytes() > 0 && module.debug_bytes() <= MODULE.0 {
            found |= add_module(&module, &mut builder).is_ok();
        }
    }
    found.then(|| builder.finish()).filter(|table| table.len() as u64 <= lines::BYTES)
}

/// What counts of a module: where its code begins, and its sections of debug information.
#[derive(Default)]
struct Module<'a> {
    code_begin: u32,
    sections: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Module<'a> {
    fn debug_bytes(&self) -> u64 {
        self.sections.iter().map(|(_, data)| data.len() as u64).sum()
    }
    fn section(&self, id: SectionId) -> Slice<'a> {
        let data = self.sections.iter().find(|(name, _)| *name == id.name()).map_or(&[][..], |(_, data)| data);
        EndianSlice::new(data, LittleEndian)
    }
}

fn modules(component: &[u8]) -> Vec<Module<'_>> {
    let (mut done, mut open) = (Vec::new(), vec![Module::default()]);
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => open.push(Module::default()),
            Ok(Payload::End(_)) => done.extend(open.pop()),
            Ok(Payload::CodeSectionStart { range, .. }) => {
                if let (Some(module), Ok(begin)) = (open.last_mut(), u32::try_from(range.start)) {
                    module.code_begin = begin;
                }
            }
            Ok(Payload::CustomSection(section)) if section.name().starts_with(".debug_") => {
                if let Some(module) = open.last_mut() {
                    module.sections.push((section.name(), section.data()));
                }
            }
            Ok(_) => {}
            // The compiler has the say about that.
            Err(_) => break,
        }
    }
    done
}

/// Adds a row for each stretch of code of one line. Addresses in a module's debug information count from its code section.
fn add_module(module: &Module<'_>, builder: &mut Builder) -> Result<(), addr2line::gimli::Error> {
    let context = Context::from_dwarf(Dwarf::load(|id| Ok::<_, addr2line::gimli::Error>(module.section(id)))?)?;
    let place = |address: u64| u32::try_from(address).ok().and_then(|address| address.checked_add(module.code_begin));
    // Code that the linker left out keeps its rows, at the addresses 0 or -1; what is really there is never at 0.
    for (address, length, _) in context.find_location_range(1, u64::from(u32::MAX))? {
        let (Some(begin), Some(end)) = (place(address), place(address.saturating_add(length))) else { continue };
        if builder.is_full() {
            break;
        }
        let mut calls = Vec::new();
        let mut frames = context.find_frames(address).skip_all_loads()?;
        while let Some(frame) = frames.next()? {
            let function = frame.function.as_ref().and_then(|function| std::str::from_utf8(function.name.slice()).ok());
            let (file, line) =
                frame.location.map_or(("", 0), |location| (location.file.unwrap_or(""), location.line.unwrap_or(0)));
            if calls.len() < INLINED {
                calls.push(Frame { function: function.unwrap_or(""), file, line });
            }
        }
        builder.add(begin, &calls);
        builder.add(end, &[]);
    }
    Ok(())
}
