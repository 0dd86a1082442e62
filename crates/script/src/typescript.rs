//! From TypeScript and JSX to JavaScript, with where each place came from.
//!
//! Only what the engine lacks is changed: it knows the language as of 2025 and `using`, so nothing is lowered.

use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc_diagnostics::{Diagnostics, OxcDiagnostic};
use oxc_resolver::CompilerOptions;
use oxc_semantic::Scoping;
use oxc_transformer::{
    DecoratorOptions, HelperLoaderMode, HelperLoaderOptions, JsxOptions, JsxRuntime, TransformOptions, Transformer,
    TypeScriptOptions,
};
use types::script::Mapping;

use crate::provided;

/// What of a `tsconfig.json` changes what the code does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Dialect {
    /// `experimentalDecorators`.
    decorators: bool,
    /// `emitDecoratorMetadata`.
    metadata: bool,
    /// `strict` or `strictNullChecks`, unless it is off.
    loose_nulls: bool,
    /// `verbatimModuleSyntax`: imports that nothing uses stay.
    keeps_imports: bool,
    /// `useDefineForClassFields = false`: fields without a value are no fields.
    drops_empty_fields: bool,
    /// `jsx = "react"`: elements are calls of `jsxFactory`.
    classic: bool,
    jsx_source: Option<String>,
    jsx_factory: Option<String>,
    jsx_fragment: Option<String>,
}

impl Dialect {
    /// What a `tsconfig.json` says.
    pub(crate) fn of(options: &CompilerOptions) -> Self {
        Self {
            decorators: options.experimental_decorators == Some(true),
            metadata: options.emit_decorator_metadata == Some(true),
            loose_nulls: options.strict_null_checks.or(options.strict) == Some(false),
            keeps_imports: options.verbatim_module_syntax == Some(true),
            drops_empty_fields: options.use_define_for_class_fields == Some(false),
            classic: options.jsx.as_deref() == Some("react"),
            jsx_source: options.jsx_import_source.clone(),
            jsx_factory: options.jsx_factory.clone(),
            jsx_fragment: options.jsx_fragment_factory.clone(),
        }
    }

    fn options(&self) -> TransformOptions {
        let jsx = JsxOptions {
            runtime: if self.classic { JsxRuntime::Classic } else { JsxRuntime::Automatic },
            import_source: self.jsx_source.clone().filter(|_| !self.classic),
            pragma: self.jsx_factory.clone().filter(|_| self.classic),
            pragma_frag: self.jsx_fragment.clone().filter(|_| self.classic),
            pure: false,
            ..JsxOptions::enable()
        };
        let mut typescript = TypeScriptOptions {
            only_remove_type_imports: self.keeps_imports,
            remove_class_fields_without_initializer: self.drops_empty_fields,
            ..TypeScriptOptions::default()
        };
        if self.classic {
            typescript.jsx_pragma = self.jsx_factory.clone().map_or(typescript.jsx_pragma, Into::into);
            typescript.jsx_pragma_frag = self.jsx_fragment.clone().map_or(typescript.jsx_pragma_frag, Into::into);
        }
        TransformOptions {
            typescript,
            decorator: DecoratorOptions {
                legacy: self.decorators,
                emit_decorator_metadata: self.metadata,
                strict_null_checks: !self.loose_nulls,
            },
            jsx,
            helper_loader: HelperLoaderOptions { module_name: provided::PREFIX.into(), mode: HelperLoaderMode::Runtime },
            ..TransformOptions::default()
        }
    }
}

/// Makes JavaScript of a program, in place.
///
/// # Errors
/// What can't be said in JavaScript.
pub(crate) fn transform<'a>(
    allocator: &'a Allocator,
    name: &str,
    program: &mut Program<'a>,
    scoping: Scoping,
    dialect: &Dialect,
) -> Result<(), Vec<OxcDiagnostic>> {
    let done = Transformer::new(allocator, Path::new(name), &dialect.options()).build_with_scoping(scoping, program);
    errors(done.diagnostics)
}

/// The errors among diagnostics.
pub(crate) fn errors(diagnostics: Diagnostics) -> Result<(), Vec<OxcDiagnostic>> {
    if !diagnostics.has_errors() {
        return Ok(());
    }
    Err(diagnostics.errors().cloned().collect())
}

/// Prints a program, and says which of its places came from where.
pub(crate) fn print(program: &Program<'_>) -> (String, Vec<Mapping>) {
    let options = CodegenOptions {
        comments: CommentOptions::disabled(),
        source_map_path: Some(PathBuf::from("original")),
        ..CodegenOptions::default()
    };
    let printed = Codegen::new().with_options(options).build(program);
    let mappings = printed.map.iter().flat_map(|map| map.get_tokens()).map(|token| Mapping {
        line: token.get_dst_line(),
        column: token.get_dst_col(),
        original_line: token.get_src_line(),
        original_column: token.get_src_col(),
    });
    let mut mappings: Vec<Mapping> = mappings.collect();
    mappings.sort_unstable();
    mappings.dedup_by_key(|mapping| (mapping.line, mapping.column));
    (printed.code, mappings)
}
