//! What a module's syntax says: what it imports, by `import`, `import()` and `require`, and whether it looks like CommonJS.
//!
//! What is certainly not run is left out: branches that `process.env.NODE_ENV` has decided, and a `require` that is the name of an argument.

use std::collections::BTreeSet;

use oxc_ast::ast::{
    ArrowFunctionExpression, CallExpression, ConditionalExpression, Decorator, ExportAllDeclaration, ExportFromDeclaration,
    Expression, FormalParameters, Function, IdentifierReference, IfStatement, ImportAttributeKey, ImportDeclaration,
    ImportExpression, LogicalExpression, ObjectPropertyKind, Program, StringLiteral, TryStatement, WithClause,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::Span;
use oxc_syntax::{operator::BinaryOperator, operator::LogicalOperator, operator::UnaryOperator, scope::ScopeFlags};

use crate::names::{self, Names};

/// How a module asks for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `import … from "x"` or `export … from "x"`.
    Import,
    /// `import("x")`.
    Dynamic,
    /// `require("x")`.
    Require,
}

/// One request for another module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) specifier: String,
    /// Where the specifier stands.
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) how: How,
    /// The `type` that it asks for: `with { type: "json" }`.
    pub(crate) wants: Option<String>,
    /// Whether it is asked for only when a function is called, or inside `try`.
    pub(crate) is_late: bool,
    /// The names that it imports, `default` among them.
    pub(crate) names: Names,
    /// What is asked of `all` after `import * as all`.
    pub(crate) members: BTreeSet<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Syntax {
    pub(crate) imports: Vec<Import>,
    /// It names `module`, `exports`, `require`, `__dirname` or `__filename`.
    pub(crate) names_commonjs: bool,
    /// Where a decorator stands: the engine knows none.
    pub(crate) decorator: Option<Span>,
    /// How many functions or `try` blocks are open.
    late: usize,
    /// How many functions are open that have an argument named `require`.
    shadowed: usize,
    /// The variables of `import * as all`, each with the index of its import.
    wholes: Vec<(usize, String)>,
}

impl Syntax {
    /// Reads a program.
    pub(crate) fn of(program: &Program<'_>) -> Self {
        let mut syntax = Self::default();
        syntax.visit_program(program);
        for (index, variable) in std::mem::take(&mut syntax.wholes) {
            syntax.imports[index].members = names::members(program, &variable);
        }
        syntax
    }

    fn note(&mut self, source: &StringLiteral<'_>, how: How, wants: Option<String>, names: Names) {
        self.push(source.value.to_string(), source.span, how, wants, names);
    }

    fn push(&mut self, specifier: String, span: Span, how: How, wants: Option<String>, names: Names) {
        let (Span { start, end, .. }, is_late) = (span, self.late > 0);
        self.imports.push(Import { specifier, start, end, how, wants, is_late, names, members: BTreeSet::new() });
    }

    fn within(&mut self, parameters: &FormalParameters<'_>, walk: impl FnOnce(&mut Self)) {
        let has_require = parameters
            .items
            .iter()
            .any(|parameter| parameter.pattern.get_binding_identifier().is_some_and(|identifier| identifier.name == "require"));
        self.late += 1;
        self.shadowed += usize::from(has_require);
        walk(self);
        self.shadowed -= usize::from(has_require);
        self.late -= 1;
    }
}

impl<'a> Visit<'a> for Syntax {
    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        if !it.import_kind.is_type() {
            let (names, whole) = names::imported(it);
            self.wholes.extend(whole.map(|variable| (self.imports.len(), variable)));
            self.note(&it.source, How::Import, wants(it.with_clause.as_deref()), names);
        }
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        if !it.export_kind.is_type() {
            self.note(&it.source, How::Import, wants(it.with_clause.as_deref()), Names::new());
        }
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        if !it.export_kind.is_type() {
            self.note(&it.source, How::Import, wants(it.with_clause.as_deref()), names::exported_on(it));
        }
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let Some(source) = constant(&it.source) {
            let wants = it.options.as_ref().and_then(wanted);
            self.push(source, oxc_span::GetSpan::span(&it.source), How::Dynamic, wants, Names::new());
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if self.shadowed == 0
            && let Some(source) = it.common_js_require()
        {
            self.note(source, How::Require, None, Names::new());
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.names_commonjs |= matches!(it.name.as_str(), "module" | "exports" | "require" | "__dirname" | "__filename");
    }

    fn visit_decorator(&mut self, it: &Decorator<'a>) {
        self.decorator.get_or_insert(it.span);
        walk::walk_decorator(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        self.within(&it.params, |this| walk::walk_function(this, it, flags));
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.within(&it.params, |this| walk::walk_arrow_function_expression(this, it));
    }

    fn visit_try_statement(&mut self, it: &TryStatement<'a>) {
        self.late += 1;
        walk::walk_try_statement(self, it);
        self.late -= 1;
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'a>) {
        match decided(&it.test) {
            None => walk::walk_if_statement(self, it),
            Some(true) => self.visit_statement(&it.consequent),
            Some(false) => it.alternate.iter().for_each(|alternate| self.visit_statement(alternate)),
        }
    }

    fn visit_conditional_expression(&mut self, it: &ConditionalExpression<'a>) {
        match decided(&it.test) {
            None => walk::walk_conditional_expression(self, it),
            Some(true) => self.visit_expression(&it.consequent),
            Some(false) => self.visit_expression(&it.alternate),
        }
    }

    fn visit_logical_expression(&mut self, it: &LogicalExpression<'a>) {
        let stops = match it.operator {
            LogicalOperator::And => decided(&it.left) == Some(false),
            LogicalOperator::Or => decided(&it.left) == Some(true),
            LogicalOperator::Coalesce => false,
        };
        if !stops {
            walk::walk_logical_expression(self, it);
        }
    }
}

/// The `type` of an import's attributes.
fn wants(clause: Option<&WithClause<'_>>) -> Option<String> {
    let attribute = clause?.with_entries.iter().find(|entry| match &entry.key {
        ImportAttributeKey::Identifier(name) => name.name == "type",
        ImportAttributeKey::StringLiteral(name) => name.value == "type",
    });
    attribute.map(|attribute| attribute.value.value.to_string())
}

/// The `type` in `{ with: { type: "json" } }`.
fn wanted(options: &Expression<'_>) -> Option<String> {
    let with = value_of(options, "with")?;
    constant(value_of(with, "type")?)
}

fn value_of<'b, 'a>(object: &'b Expression<'a>, name: &str) -> Option<&'b Expression<'a>> {
    let Expression::ObjectExpression(object) = object.get_inner_expression() else { return None };
    object.properties.iter().find_map(|property| match property {
        ObjectPropertyKind::ObjectProperty(property) if property.key.static_name().is_some_and(|key| key == name) => {
            Some(&property.value)
        }
        _ => None,
    })
}

/// A string that is written out.
fn constant(expression: &Expression<'_>) -> Option<String> {
    match expression.get_inner_expression() {
        Expression::StringLiteral(literal) => Some(literal.value.to_string()),
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => {
            template.quasis.first()?.value.cooked.as_ref().map(ToString::to_string)
        }
        _ => None,
    }
}

/// What a condition is that has only constants.
fn decided(test: &Expression<'_>) -> Option<bool> {
    match test.get_inner_expression() {
        Expression::BooleanLiteral(literal) => Some(literal.value),
        Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::LogicalNot => {
            decided(&unary.argument).map(|value| !value)
        }
        Expression::LogicalExpression(logical) => match (logical.operator, decided(&logical.left), decided(&logical.right)) {
            (LogicalOperator::And, Some(false), _) => Some(false),
            (LogicalOperator::And, Some(true), right) => right,
            (LogicalOperator::Or, Some(true), _) => Some(true),
            (LogicalOperator::Or, Some(false), right) => right,
            _ => None,
        },
        Expression::BinaryExpression(binary) => {
            let (Expression::StringLiteral(left), Expression::StringLiteral(right)) =
                (binary.left.get_inner_expression(), binary.right.get_inner_expression())
            else {
                return None;
            };
            match binary.operator {
                BinaryOperator::Equality | BinaryOperator::StrictEquality => Some(left.value == right.value),
                BinaryOperator::Inequality | BinaryOperator::StrictInequality => Some(left.value != right.value),
                _ => None,
            }
        }
        _ => None,
    }
}
