//! A linear memory as a core module: a memory of its size, exported, with what it holds as data.
//!
//! The template imports such a module under the name `image`. The engine maps the data copy-on-write, so that an instance begins with it and pays
//! for the pages that it touches only.

use wasm_encoder::{ConstExpr, DataSection, ExportKind, ExportSection, MemorySection, MemoryType, Module};

use super::delta::{PAGE, is_zero};

/// A page of linear memory.
const WASM_PAGE: usize = 64 << 10;

/// The module whose memory holds these bytes. No maximum: what it may grow to is for the limits to say.
pub(crate) fn module(memory: &[u8]) -> Vec<u8> {
    let mut memories = MemorySection::new();
    let minimum = memory.len().div_ceil(WASM_PAGE) as u64;
    memories.memory(MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let mut data = DataSection::new();
    for (begin, end) in stretches(memory) {
        let offset = i32::from_ne_bytes(u32::try_from(begin).expect("memories have less than 4 GiB").to_ne_bytes());
        data.active(0, &ConstExpr::i32_const(offset), memory[begin..end].iter().copied());
    }
    let mut module = Module::new();
    module.section(&memories).section(&exports).section(&data);
    module.finish()
}

/// Stretches of pages that hold anything.
fn stretches(memory: &[u8]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (number, page) in memory.chunks(PAGE).enumerate() {
        if is_zero(page) {
            continue;
        }
        let (begin, end) = (number * PAGE, number * PAGE + page.len());
        match found.last_mut() {
            Some((_, last)) if *last == begin => *last = end,
            _ => found.push((begin, end)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload, Validator};

    use super::*;

    #[test]
    fn pages_of_zeros_are_left_out_and_the_rest_is_where_it_was() {
        let mut memory = vec![0; 3 * WASM_PAGE];
        (memory[10], memory[PAGE], memory[2 * WASM_PAGE + 5]) = (1, 2, 3);
        let module = module(&memory);
        Validator::new().validate_all(&module).expect("a valid module");
        assert_eq!(stretches(&memory), [(0, 2 * PAGE), (2 * WASM_PAGE, 2 * WASM_PAGE + PAGE)]);
        let segments = Parser::new(0).parse_all(&module).filter_map(|payload| match payload.expect("a payload") {
            Payload::DataSection(section) => Some(section.count()),
            _ => None,
        });
        assert_eq!(segments.collect::<Vec<_>>(), [2]);
    }
}
