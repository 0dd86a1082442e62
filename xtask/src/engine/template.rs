//! Takes a component apart: the *template*, which has the code and imports its memory, and the *image*, which is the memory.
//!
//! A function in JavaScript is nothing but an image: the engine's code is compiled and kept once. The template imports a core module
//! named `image`, which exports `memory`; it makes an instance of that first and gives it to the engine. Only the memory may change
//! while JavaScript runs, beside the stack pointer, which is back at its start between calls: so the memory is all there is to keep.

use anyhow::{Context, Result, bail, ensure};
use std::convert::Infallible;
use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent};
use wasm_encoder::{
    CodeSection, Component, ComponentAliasSection, ComponentImportSection, ComponentTypeRef, CoreTypeSection, EntityType,
    ExportSection, Function, FunctionSection, ImportSection, InstanceSection, MemorySection, MemoryType, Module, ModuleArg,
    ModuleType, RawSection,
};
use wasmparser::{BinaryReader, ExternalKind, Instance, InstantiationArgKind};

/// What the template calls the module that it imports, and its main module's import of it.
pub(crate) const IMAGE: &str = "image";
/// What that module exports.
pub(crate) const MEMORY: &str = "memory";

/// The two parts. Both are whole Wasm files.
pub(crate) struct Parts {
    /// A component.
    pub(crate) template: Vec<u8>,
    /// A core module.
    pub(crate) image: Vec<u8>,
}

/// Takes the component apart.
pub(crate) fn split(component: &[u8]) -> Result<Parts> {
    let sections = sections(component)?;
    let modules = sections.iter().filter(|section| section.id == id::MODULE).count();
    let main = sections.iter().find(|section| section.id == id::MODULE).context("it has no core module")?;
    let main = split_module(main.bytes).context("in the main module")?;

    let mut template = Component::new();
    let mut shift = Shift { image_module: u32::try_from(modules)?, is_main_given: false };
    let (mut modules_left, mut is_image_made) = (modules, false);
    for section in &sections {
        match section.id {
            // Names of functions, and who made it: nothing that runs.
            id::CUSTOM => {}
            id::MODULE => {
                let bytes = if modules_left == modules { &main.code } else { section.bytes };
                template.section(&RawSection { id: id::MODULE, data: bytes });
                modules_left -= 1;
                if modules_left == 0 {
                    import_image(&mut template, main.memory);
                }
            }
            id::CORE_INSTANCE => {
                ensure!(modules_left == 0, "it makes an instance before it has all of its modules");
                let mut instances = InstanceSection::new();
                if !std::mem::replace(&mut is_image_made, true) {
                    instances.instantiate(shift.image_module, std::iter::empty::<(&str, ModuleArg)>());
                }
                shift.parse_instance_section(&mut instances, wasmparser::InstanceSectionReader::new(reader(section.bytes))?)?;
                template.section(&instances);
            }
            id::CORE_TYPE => bail!("it has core types, before which the image's would have to come"),
            id::ALIAS => {
                let mut aliases = ComponentAliasSection::new();
                let section = wasmparser::ComponentAliasSectionReader::new(reader(section.bytes))?;
                shift.parse_component_alias_section(&mut aliases, section)?;
                template.section(&aliases);
            }
            id => {
                template.section(&RawSection { id, data: section.bytes });
            }
        }
    }
    ensure!(shift.is_main_given, "it makes no instance of the main module");
    Ok(Parts { template: template.finish(), image: main.image })
}

fn import_image(template: &mut Component, memory: MemoryType) {
    let mut image = ModuleType::new();
    image.export(MEMORY, EntityType::Memory(memory));
    let mut types = CoreTypeSection::new();
    types.ty().module(&image);
    template.section(&types);
    let mut imports = ComponentImportSection::new();
    imports.import(IMAGE, ComponentTypeRef::Module(0));
    template.section(&imports);
}

/// Moves each core instance one place, as the image's is the first, and gives it to the main module.
struct Shift {
    image_module: u32,
    is_main_given: bool,
}

impl Reencode for Shift {
    type Error = Infallible;
}

impl ReencodeComponent for Shift {
    fn instance_index(&mut self, index: u32) -> u32 {
        index + 1
    }

    fn parse_instance(&mut self, instances: &mut InstanceSection, instance: Instance<'_>) -> Result<(), Error<Infallible>> {
        let Instance::Instantiate { module_index: 0, args } = instance else {
            return wasm_encoder::reencode::component_utils::parse_instance(self, instances, instance);
        };
        let given = args.iter().map(|arg| match arg.kind {
            InstantiationArgKind::Instance => (arg.name, ModuleArg::Instance(arg.index + 1)),
        });
        let args: Vec<_> = given.chain([(IMAGE, ModuleArg::Instance(0))]).collect();
        instances.instantiate(0, args);
        self.is_main_given = true;
        Ok(())
    }
}

/// The main module, taken apart.
struct Split {
    code: Vec<u8>,
    image: Vec<u8>,
    memory: MemoryType,
}

fn split_module(module: &[u8]) -> Result<Split> {
    let sections = sections(module)?;
    let bytes_of = |id: u8| sections.iter().find(|section| section.id == id).map(|section| section.bytes);
    let memory = memory(bytes_of(id::MEMORY).context("it has no memory of its own")?)?;
    check_globals(bytes_of(id::GLOBAL).context("it has no stack pointer")?)?;
    check_data(bytes_of(id::DATA).context("it has no data")?)?;
    let imported = count_imports(bytes_of(id::IMPORT).context("it imports nothing")?)?;
    let defined = count(bytes_of(id::FUNCTION).context("it has no functions")?)?;
    let nothing = imported + defined;

    let (mut code, mut image) = (Module::new(), Module::new());
    for section in &sections {
        match section.id {
            id::CUSTOM | id::DATA_COUNT => {}
            id::MEMORY => {
                image.section(&MemorySection::default().memory(memory).clone());
                let mut exports = ExportSection::new();
                exports.export(MEMORY, wasm_encoder::ExportKind::Memory, 0);
                image.section(&exports);
            }
            id::DATA => {
                image.section(&RawSection { id: id::DATA, data: section.bytes });
            }
            id::IMPORT => {
                let mut imports = ImportSection::new();
                Plain.parse_import_section(&mut imports, wasmparser::ImportSectionReader::new(reader(section.bytes))?)?;
                imports.import(IMAGE, MEMORY, memory);
                code.section(&imports);
            }
            id::FUNCTION => {
                let mut functions = FunctionSection::new();
                Plain.parse_function_section(&mut functions, wasmparser::FunctionSectionReader::new(reader(section.bytes))?)?;
                functions.function(type_without_parameters(bytes_of(id::TYPE).context("it has no types")?)?);
                code.section(&functions);
            }
            id::EXPORT => {
                code.section(&exports(section.bytes, nothing)?);
            }
            id::CODE => {
                code.section(&with_nothing(section.bytes)?);
            }
            id::START => bail!("it has a start function, which would run in every instance"),
            id => {
                code.section(&RawSection { id, data: section.bytes });
            }
        }
    }
    Ok(Split { code: code.finish(), image: image.finish(), memory })
}

struct Plain;

impl Reencode for Plain {
    type Error = Infallible;
}

/// The exports; what initializes the C library becomes a function that does nothing. `setup` calls that once, and its work is in the image.
fn exports(bytes: &[u8], nothing: u32) -> Result<ExportSection> {
    let mut exports = ExportSection::new();
    for export in wasmparser::ExportSectionReader::new(reader(bytes))? {
        let export = export?;
        let is_initializer = export.name == "_initialize" && export.kind == ExternalKind::Func;
        exports.export(export.name, Plain.export_kind(export.kind)?, if is_initializer { nothing } else { export.index });
    }
    Ok(exports)
}

/// The code, and the function that does nothing.
fn with_nothing(bytes: &[u8]) -> Result<CodeSection> {
    let mut code = CodeSection::new();
    for body in wasmparser::CodeSectionReader::new(reader(bytes))? {
        let range = body?.range();
        // The ranges are within the section, as each reader begins at 0.
        code.raw(&bytes[range]);
    }
    let mut nothing = Function::new([]);
    nothing.instructions().end();
    code.function(&nothing);
    Ok(code)
}

fn memory(bytes: &[u8]) -> Result<MemoryType> {
    let memories: Vec<_> = wasmparser::MemorySectionReader::new(reader(bytes))?.into_iter().collect::<Result<_, _>>()?;
    let [memory] = memories.as_slice() else { bail!("it has {} memories", memories.len()) };
    ensure!(!memory.shared && !memory.memory64, "its memory is not of the usual kind");
    // Without a maximum: the platform limits it, and an image may have grown.
    Ok(MemoryType { minimum: memory.initial, maximum: None, memory64: false, shared: false, page_size_log2: None })
}

/// Whatever could change beside the memory would be lost between `load` and a request.
fn check_globals(bytes: &[u8]) -> Result<()> {
    let globals: Vec<_> = wasmparser::GlobalSectionReader::new(reader(bytes))?.into_iter().collect::<Result<_, _>>()?;
    let mutable = globals.iter().filter(|global| global.ty.mutable).count();
    ensure!(mutable == 1, "{mutable} of its globals may change, and not the stack pointer alone");
    Ok(())
}

fn check_data(bytes: &[u8]) -> Result<()> {
    for data in wasmparser::DataSectionReader::new(reader(bytes))? {
        let is_active = matches!(data?.kind, wasmparser::DataKind::Active { memory_index: 0, .. });
        ensure!(is_active, "a data segment is copied by the code, which has none any more");
    }
    Ok(())
}

fn count_imports(bytes: &[u8]) -> Result<u32> {
    let mut functions = 0;
    for import in wasmparser::ImportSectionReader::new(reader(bytes))?.into_imports() {
        match import?.ty {
            wasmparser::TypeRef::Func(_) => functions += 1,
            other => bail!("it imports {other:?}, and not functions alone"),
        }
    }
    Ok(functions)
}

fn count(bytes: &[u8]) -> Result<u32> {
    Ok(reader(bytes).read_var_u32()?)
}

fn type_without_parameters(bytes: &[u8]) -> Result<u32> {
    let types = wasmparser::TypeSectionReader::new(reader(bytes))?.into_iter_err_on_gc_types();
    for (index, ty) in types.enumerate() {
        let ty = ty?;
        if ty.params().is_empty() && ty.results().is_empty() {
            return Ok(u32::try_from(index)?);
        }
    }
    bail!("no function of it takes and gives nothing")
}

/// A section as it stands in the file, without id and length.
struct Section<'a> {
    id: u8,
    bytes: &'a [u8],
}

/// The sections of a module or component, after its eight bytes of header.
fn sections(file: &[u8]) -> Result<Vec<Section<'_>>> {
    const HEADER_BYTES: usize = 8;
    let mut reader = reader(file.get(HEADER_BYTES..).context("it is too short")?);
    let mut sections = Vec::new();
    while !reader.eof() {
        let id = reader.read_u8()?;
        let length = reader.read_var_u32()?;
        sections.push(Section { id, bytes: reader.read_bytes(length as usize)? });
    }
    Ok(sections)
}

fn reader(bytes: &[u8]) -> BinaryReader<'_> {
    BinaryReader::new(bytes, 0)
}

/// The ids of sections that are looked at. Those of modules and of components overlap.
mod id {
    pub(super) const CUSTOM: u8 = 0;
    // Of a component.
    pub(super) const MODULE: u8 = 1;
    pub(super) const CORE_INSTANCE: u8 = 2;
    pub(super) const CORE_TYPE: u8 = 3;
    pub(super) const ALIAS: u8 = 6;
    // Of a module.
    pub(super) const TYPE: u8 = 1;
    pub(super) const IMPORT: u8 = 2;
    pub(super) const FUNCTION: u8 = 3;
    pub(super) const MEMORY: u8 = 5;
    pub(super) const GLOBAL: u8 = 6;
    pub(super) const EXPORT: u8 = 7;
    pub(super) const START: u8 = 8;
    pub(super) const CODE: u8 = 10;
    pub(super) const DATA: u8 = 11;
    pub(super) const DATA_COUNT: u8 = 12;
}
