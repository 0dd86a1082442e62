//! The outline of a component: what it imports and exports, with the size of its parts kept within bounds on the way.

use types::{ByteCount, Code, Problem, limits};
use wasmparser::{FunctionBody, Instance, Parser, Payload};

use super::{DEPTH, FUNCTIONS, PARTS};
use crate::limits::CORE_INSTANCES;

/// Local variables of one function, as every engine bounds them.
const LOCALS: u64 = 50_000;

/// What a component shows of itself without being compiled.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    depth: usize,
    parts: usize,
    functions: usize,
    instances: usize,
}

impl Outline {
    pub(super) fn read(component: &[u8]) -> Result<Self, Problem> {
        let mut outline = Self::default();
        for payload in Parser::new(0).parse_all(component) {
            outline.add(payload.map_err(damaged)?)?;
        }
        Ok(outline)
    }

    fn add(&mut self, payload: Payload<'_>) -> Result<(), Problem> {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => self.enter()?,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::CodeSectionEntry(body) => self.add_function(&body)?,
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.instances += usize::from(matches!(instance.map_err(damaged)?, Instance::Instantiate { .. }));
                }
                bounded(Code::E0311, "core instances", self.instances, CORE_INSTANCES)?;
            }
            Payload::ComponentImportSection(section) if self.depth == 0 => {
                for import in section {
                    self.imports.push(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 0 => {
                for export in section {
                    self.exports.push(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        self.parts += 1;
        bounded(Code::E0308, "components inside one another", self.depth, DEPTH)?;
        bounded(Code::E0311, "modules and components", self.parts, PARTS)
    }

    fn add_function(&mut self, body: &FunctionBody<'_>) -> Result<(), Problem> {
        self.functions += 1;
        bounded(Code::E0307, "functions", self.functions, FUNCTIONS)?;
        let size = ByteCount(body.range().len() as u64);
        if size > limits::FUNCTION_BODY {
            return Err(Problem::limit(Code::E0308, "function body", size, limits::FUNCTION_BODY)
                .note(format!("it is function {} of the component's code", self.functions - 1))
                .help("split the function, or turn off the inlining or the data table that makes it so large"));
        }
        let mut locals: u64 = 0;
        for group in body.get_locals_reader().map_err(damaged)? {
            locals = locals.saturating_add(u64::from(group.map_err(damaged)?.0));
        }
        bounded(Code::E0308, "local variables of a function", locals, LOCALS)
    }
}

fn bounded<N: PartialOrd + std::fmt::Display>(code: Code, what: &str, measured: N, allowed: N) -> Result<(), Problem> {
    if measured > allowed { Err(Problem::limit(code, what, measured, allowed)) } else { Ok(()) }
}

/// The problem for bytes that can't be read as Wasm.
pub(super) fn damaged(error: wasmparser::BinaryReaderError) -> Problem {
    let at = error.offset();
    Problem::new(Code::E0305, format!("the artifact is damaged: {} at byte {at}", error.message()))
        .help("build it again, or upload it again if it was cut off on its way")
}
