//! One file as a module: its kind, its code, what it imports and exports.

use data_encoding::BASE64;
use oxc_allocator::Allocator;
use oxc_ast::ast::Statement;
use oxc_diagnostics::OxcDiagnostic;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_semantic::SemanticBuilder;
use oxc_span::{LabeledSpan, SourceType, Span};
use types::{
    Code, Place, Problem,
    script::{ModuleKind, Original},
};

use crate::{
    depth,
    exports::Exports,
    file,
    format::{Format, System},
    production,
    syntax::{Import, Syntax},
    typescript::{self, Dialect},
};

/// What is known of a file before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) format: Format,
    pub(crate) system: System,
    /// Whether it is of a package that was installed: people can't mend those.
    pub(crate) in_package: bool,
    pub(crate) dialect: Dialect,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) kind: ModuleKind,
    pub(crate) code: String,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: Exports,
    pub(crate) original: Option<Original>,
    /// Whether its file is said to be an ES module, by its name or by its package.
    pub(crate) is_said: bool,
}

impl Parsed {
    /// The text that people wrote.
    pub(crate) fn text(&self) -> &str {
        self.original.as_ref().map_or(&self.code, |original| &original.text)
    }

    fn data(kind: ModuleKind, code: String) -> Self {
        Self { kind, code, imports: Vec::new(), exports: Exports::default(), original: None, is_said: false }
    }
}

/// The most problems of one file that are told at once: one slip makes several.
const PROBLEMS: usize = 10;

/// Reads a file's bytes.
///
/// # Errors
/// `E0312` for each place that does not parse.
pub(crate) fn parse(name: &str, bytes: Vec<u8>, context: &Context) -> Result<Parsed, Vec<Problem>> {
    match context.format {
        Format::Bytes => return Ok(Parsed::data(ModuleKind::Bytes, BASE64.encode(&bytes))),
        Format::Text => return Ok(Parsed::data(ModuleKind::Text, file::text(bytes, name).map_err(|problem| vec![problem])?)),
        _ => {}
    }
    let text = file::text(bytes, name).map_err(|problem| vec![problem])?;
    match context.format {
        Format::Json => json(name, text).map_err(|problem| vec![problem]),
        _ => script(name, text, context),
    }
}

fn json(name: &str, text: String) -> Result<Parsed, Problem> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        return Err(file::not_json(Code::E0312, name, &text, &error.to_string(), (error.line(), error.column())));
    }
    Ok(Parsed::data(ModuleKind::Json, text))
}

fn script(name: &str, text: String, context: &Context) -> Result<Parsed, Vec<Problem>> {
    if let Some(at) = depth::too_deep(&text) {
        let problem = Problem::new(Code::E0312, format!("{name} does not parse: it is nested deeper than the engine goes"));
        return Err(vec![
            problem
                .at(Place::in_text(name, &text, at as usize, at as usize + 1))
                .help("if it is data, keep it in a .json file or in a bucket"),
        ]);
    }
    let mut refused = Vec::new();
    for (index, source_type) in source_types(name, context).into_iter().enumerate() {
        let settled = production::settled(&text, source_type, context.in_package);
        match read(name, settled.as_deref().unwrap_or(&text), source_type, context) {
            // The second way of reading is for files that name what only CommonJS has.
            Ok(read) if index > 0 && read.kind == ModuleKind::Module => {}
            Ok(Read { kind, code, imports, exports, mappings }) => {
                let original = mappings.map(|mappings| Original { text: text.clone(), mappings });
                let code = code.or(settled).unwrap_or(text);
                return Ok(Parsed { kind, code, imports, exports, original, is_said: context.system == System::Module });
            }
            Err(diagnostics) if refused.is_empty() => refused = diagnostics,
            Err(_) => {}
        }
    }
    let mut problems: Vec<Problem> =
        refused.iter().take(PROBLEMS).map(|diagnostic| problem(name, &text, diagnostic, context)).collect();
    if context.format == Format::JavaScript && has_types(&text) {
        problems.truncate(1);
        problems[0].help = Some(format!("name the file {}.ts: types are read there", name.trim_end_matches(".js")));
    }
    Err(problems)
}

/// Whether a text that is no JavaScript is TypeScript.
fn has_types(text: &str) -> bool {
    let allocator = Allocator::default();
    !Parser::new(&allocator, text, SourceType::ts()).parse().diagnostics.has_errors()
}

/// The ways in which a file may be read, best first.
fn source_types(name: &str, context: &Context) -> Vec<SourceType> {
    let of = |source_type: SourceType| {
        source_type.with_typescript(context.format.is_typescript()).with_jsx(matches!(context.format, Format::Jsx | Format::Tsx))
    };
    let commonjs = name.ends_with(".cts") || context.format == Format::JavaScript;
    match context.system {
        System::Module => vec![of(SourceType::mjs())],
        System::CommonJs if !context.in_package && name.ends_with(".cjs") => vec![SourceType::cjs()],
        _ if context.in_package => vec![of(SourceType::unambiguous()), of(SourceType::mjs())],
        _ if commonjs => vec![of(SourceType::mjs()), of(SourceType::cjs())],
        _ => vec![of(SourceType::mjs())],
    }
}

struct Read {
    kind: ModuleKind,
    /// The code, if it is another than the text.
    code: Option<String>,
    imports: Vec<Import>,
    exports: Exports,
    mappings: Option<Vec<types::script::Mapping>>,
}

fn read(name: &str, text: &str, source_type: SourceType, context: &Context) -> Result<Read, Vec<OxcDiagnostic>> {
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: !source_type.is_module(), ..ParseOptions::default() };
    let ParserReturn { mut program, module_record, diagnostics, .. } =
        Parser::new(&allocator, text, source_type).with_options(options).parse();
    typescript::errors(diagnostics)?;
    let mut has_module_syntax = module_record.has_module_syntax;
    let mut printed = None;
    // Packages were run by many before; what people write now is checked for what a parser alone doesn't see.
    if !context.in_package || context.format.is_transformed() {
        let semantic =
            SemanticBuilder::new().with_check_syntax_error(true).with_enum_eval(true).with_excess_capacity(2.0).build(&program);
        typescript::errors(semantic.diagnostics)?;
        if context.format.is_transformed() {
            let scoping = semantic.semantic.into_scoping();
            typescript::transform(&allocator, name, &mut program, scoping, &context.dialect)?;
            printed = Some(typescript::print(&program));
            // `export =` and `import a = require("a")` look like a module of either kind, and are CommonJS.
            has_module_syntax = program.body.iter().any(Statement::is_module_declaration);
        }
    }
    let syntax = Syntax::of(&program);
    if let Some(span) = syntax.decorator {
        return Err(vec![decorators(span)]);
    }
    let kind = kind(has_module_syntax, &syntax, context);
    if kind == ModuleKind::CommonJs && source_type.is_module() && context.system != System::CommonJs {
        // Read once more by the rules of scripts, which are laxer.
        return read(name, text, SourceType::cjs(), &Context { system: System::CommonJs, ..context.clone() });
    }
    let exports = if kind == ModuleKind::CommonJs { Exports::of(&program) } else { Exports::of_module(&module_record) };
    let (code, mappings) = printed.unzip();
    Ok(Read { kind, code, imports: syntax.imports, exports, mappings })
}

fn decorators(span: Span) -> OxcDiagnostic {
    OxcDiagnostic::error("decorators are not part of JavaScript yet")
        .with_label(span)
        .with_help("\"experimentalDecorators\": true among the compilerOptions of tsconfig.json gives those of TypeScript")
}

fn kind(has_module_syntax: bool, syntax: &Syntax, context: &Context) -> ModuleKind {
    match context.system {
        // Some packages say that all of their files are ES modules, and have one for every system there is.
        System::Module if context.in_package && !has_module_syntax && syntax.names_commonjs => ModuleKind::CommonJs,
        System::Module => ModuleKind::Module,
        _ if has_module_syntax => ModuleKind::Module,
        System::CommonJs => ModuleKind::CommonJs,
        System::Unsaid if syntax.names_commonjs || context.in_package => ModuleKind::CommonJs,
        System::Unsaid => ModuleKind::Module,
    }
}

fn problem(name: &str, text: &str, diagnostic: &OxcDiagnostic, context: &Context) -> Problem {
    let at = |label: &LabeledSpan| {
        let start = label.offset() as usize;
        Place::in_text(name, text, start, start + label.len() as usize)
    };
    let message = lower(diagnostic.message.trim_end_matches('.'));
    let mut problem = Problem::new(Code::E0312, format!("{name} does not parse: {message}"));
    problem.place = Some(diagnostic.labels.first().map_or_else(|| Place::in_text(name, text, 0, 0), at));
    problem.notes = diagnostic
        .labels
        .iter()
        .skip(1)
        .map(|label| {
            let Place { line, column, .. } = at(label);
            format!("{} in line {line}, column {column}", lower(label.label().unwrap_or("it begins")))
        })
        .collect();
    problem.help = diagnostic.help.as_ref().map(|help| lower(help.trim_end_matches('.')));
    let is_jsx = context.format == Format::JavaScript && message.contains("JSX");
    if is_jsx {
        problem.help = Some(format!("name the file {}.jsx: JSX is read there", name.trim_end_matches(".js")));
    }
    problem
}

/// A sentence as part of another.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(text.chars().skip(1)).collect(),
        _ => text.to_owned(),
    }
}
