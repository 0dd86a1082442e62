//! A linear memory as a core module: a memory of its size, exported, with what it holds as data.
//!
//! The template imports such a module under the name `image`. The engine maps the data copy-on-write, so that an instance begins with it and pays
//! for the pages that it touches only.

use wasm_encoder::{ConstExpr, Encode, ExportKind, ExportSection, MemorySection, MemoryType, Module, RawSection, SectionId};

use super::delta;

/// A page of linear memory.
const WASM_PAGE: usize = 64 << 10;

/// The module whose memory holds these bytes. No maximum: what it may grow to is for the limits to say.
pub(crate) fn module(memory: &[u8]) -> Vec<u8> {
    let mut memories = MemorySection::new();
    let minimum = memory.len().div_ceil(WASM_PAGE) as u64;
    memories.memory(MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let data = data(memory);
    let mut module = Module::new();
    module.section(&memories).section(&exports).section(&RawSection { id: SectionId::Data.into(), data: &data });
    module.finish()
}

/// The section of data: one active segment for each stretch. By hand, since the library's own goes byte by byte.
fn data(memory: &[u8]) -> Vec<u8> {
    let stretches = delta::stretches(memory);
    let mut data = Vec::with_capacity(memory.len() / 2);
    stretches.len().encode(&mut data);
    for (begin, stretch) in stretches {
        let offset = i32::from_ne_bytes(u32::try_from(begin).expect("memories have less than 4 GiB").to_ne_bytes());
        // Of the only memory.
        0_u32.encode(&mut data);
        ConstExpr::i32_const(offset).encode(&mut data);
        stretch.encode(&mut data);
    }
    data
}

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload, Validator};

    use super::*;

    #[test]
    fn pages_of_zeros_are_left_out_and_the_rest_is_where_it_was() {
        let mut memory = vec![0; 3 * WASM_PAGE];
        (memory[10], memory[delta::PAGE], memory[2 * WASM_PAGE + 5]) = (1, 2, 3);
        let module = module(&memory);
        Validator::new().validate_all(&module).expect("a valid module");
        let stretches: Vec<_> = delta::stretches(&memory).iter().map(|(begin, stretch)| (*begin, stretch.len())).collect();
        assert_eq!(stretches, [(0, 2 * delta::PAGE), (2 * WASM_PAGE, delta::PAGE)]);
        let segments = Parser::new(0).parse_all(&module).filter_map(|payload| match payload.expect("a payload") {
            Payload::DataSection(section) => Some(section.count()),
            _ => None,
        });
        assert_eq!(segments.collect::<Vec<_>>(), [2]);
    }
}
