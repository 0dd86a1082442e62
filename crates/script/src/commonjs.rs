//! The names that a CommonJS module seems to export, found without running it.
//!
//! What compilers and people write is recognised wherever it stands: `exports.a = …`, `module.exports = { a, … }`,
//! `Object.defineProperty(exports, "a", …)`, calls that get `exports` and an object, and what is exported on from a `require`.

use oxc_ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, CallExpression, Expression, MemberExpression, ObjectExpression,
    ObjectPropertyKind, Program, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};

use crate::exports::Exports;

/// What compilers export to say that a module was an ES module.
pub(crate) const COMPILED: &str = "__esModule";

impl Exports {
    /// Of a CommonJS module.
    pub(crate) fn of(program: &Program<'_>) -> Self {
        let mut reader = Reader::default();
        reader.visit_program(program);
        reader.exports.names.remove("default");
        // However a compiler says that it was an ES module, by a helper or minified: who imports it looks.
        if program.source_text.contains(COMPILED) {
            reader.exports.names.insert(COMPILED.to_owned());
        }
        reader.exports
    }
}

#[derive(Default)]
struct Reader {
    exports: Exports,
    /// Variables that hold what a `require` gave.
    required: Vec<(String, String)>,
}

impl Reader {
    /// What is exported with `module.exports = value`.
    fn whole(&mut self, value: &Expression<'_>) {
        match value.get_inner_expression() {
            Expression::ObjectExpression(object) => self.object(object),
            Expression::AssignmentExpression(inner) => self.whole(&inner.right),
            Expression::ConditionalExpression(either) => {
                self.whole(&either.consequent);
                self.whole(&either.alternate);
            }
            other => {
                self.exports.from.extend(self.source(other));
            }
        }
    }

    fn object(&mut self, object: &ObjectExpression<'_>) {
        for property in &object.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(property) => {
                    self.exports.names.extend(property.key.static_name().map(|name| name.into_owned()));
                }
                ObjectPropertyKind::SpreadProperty(spread) => self.exports.from.extend(self.source(&spread.argument)),
            }
        }
    }

    /// The module whose exports an expression is: a `require`, a variable with one, or one that a helper passes on.
    fn source(&self, expression: &Expression<'_>) -> Option<String> {
        match expression.get_inner_expression() {
            Expression::CallExpression(call) => match call.common_js_require() {
                Some(source) => Some(source.value.to_string()),
                None => call.arguments.first().and_then(Argument::as_expression).and_then(|first| self.source(first)),
            },
            Expression::Identifier(name) => {
                self.required.iter().find(|(variable, _)| *variable == name.name.as_str()).map(|(_, source)| source.clone())
            }
            _ => None,
        }
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let (Some(identifier), Some(init)) = (it.id.get_binding_identifier(), &it.init)
            && let Some(source) = self.source(init)
        {
            self.required.push((identifier.name.to_string(), source));
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        if let Some(target) = it.left.as_member_expression() {
            if is_module_exports(target) {
                self.whole(&it.right);
            } else if is_exports(target.object()) {
                self.exports.names.extend(target.static_property_name().map(str::to_owned));
            }
        } else if matches!(&it.left, AssignmentTarget::AssignmentTargetIdentifier(name) if name.name == "exports") {
            self.whole(&it.right);
        }
        walk::walk_assignment_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        let argument = |index: usize| it.arguments.get(index).and_then(Argument::as_expression);
        let callee = callee_name(&it.callee);
        match (callee, argument(0), argument(1)) {
            (Some("defineProperty"), Some(target), Some(Expression::StringLiteral(name))) if is_exports(target) => {
                self.exports.names.insert(name.value.to_string());
            }
            // `_export(exports, { a: function () {…} })`, `Object.assign(exports, {…})`, `__export(require("./a"))`.
            (_, Some(target), Some(Expression::ObjectExpression(object))) if is_exports(target) => self.object(object),
            (Some("__export" | "__exportStar" | "_export_star" | "__reExport"), Some(first), second) => {
                let source = self.source(first).or_else(|| second.and_then(|second| self.source(second)));
                self.exports.from.extend(source);
            }
            // Babel's `Object.keys(_a).forEach(function (key) { … exports[key] = _a[key] … })`.
            (Some("forEach"), Some(_), _) => {
                let keys = it.callee.as_member_expression().map(MemberExpression::object);
                if let Some(Expression::CallExpression(keys)) = keys
                    && callee_name(&keys.callee) == Some("keys")
                {
                    let source = keys.arguments.first().and_then(Argument::as_expression).and_then(|keys| self.source(keys));
                    self.exports.from.extend(source);
                }
            }
            _ => {}
        }
        walk::walk_call_expression(self, it);
    }
}

/// The last name of what is called: `b` of `a.b()` and of `(0, a.b)()`.
fn callee_name<'b>(callee: &'b Expression<'_>) -> Option<&'b str> {
    match callee.get_inner_expression() {
        Expression::Identifier(name) => Some(name.name.as_str()),
        Expression::SequenceExpression(sequence) => sequence.expressions.last().and_then(callee_name),
        other => other.as_member_expression().and_then(MemberExpression::static_property_name),
    }
}

/// `exports` or `module.exports`.
fn is_exports(object: &Expression<'_>) -> bool {
    match object.get_inner_expression() {
        Expression::Identifier(name) => name.name == "exports",
        other => other.as_member_expression().is_some_and(is_module_exports),
    }
}

fn is_module_exports(member: &MemberExpression<'_>) -> bool {
    member.static_property_name() == Some("exports") && member.object().is_specific_id("module")
}

#[cfg(test)]
mod tests {
    use oxc_allocator::Allocator;
    use oxc_parser::Parser;
    use oxc_span::SourceType;

    use super::*;

    fn exports(code: &str) -> String {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, code, SourceType::cjs()).parse();
        assert!(parsed.diagnostics.is_empty(), "{code}: {:?}", parsed.diagnostics);
        let Exports { names, from } = Exports::of(&parsed.program);
        let names = names.into_iter().collect::<Vec<_>>().join(" ");
        let from = from.into_iter().collect::<Vec<_>>().join(" ");
        if from.is_empty() { names } else { format!("{names} from {from}") }
    }

    #[test]
    fn names_are_found_as_people_and_compilers_write_them() {
        for (code, names) in [
            ("exports.a = 1; module.exports.b = 2; module['exports']['c'] = 3", "a b c"),
            ("exports.a = exports.b = void 0; exports.default = 1", "a b"),
            ("module.exports = { a, b: 1, 'c': 2, [d]: 3, e() {} }", "a b c e"),
            ("var x = exports = module.exports = { a }; exports.b = 1", "a b"),
            (
                "Object.defineProperty(exports, '__esModule', { value: true }); Object.defineProperty(module.exports, 'a', {})",
                "__esModule a",
            ),
            ("0 && (module.exports = { a, b })", "a b"),
            ("Object.assign(exports, { a: 1 }); _export(exports, { b: function () { return b } })", "a b"),
            ("(function (root, factory) { factory(exports) })(this, function (exports) { exports.a = 1 })", "a"),
            ("module.exports = class A {}; module.exports.B = 1", "B"),
            ("module.exports = require('./a')", " from ./a"),
            ("var a = require('./a'); module.exports = { ...a, b }", "b from ./a"),
            ("__exportStar(require('./a'), exports); tslib_1.__exportStar(require('./b'), exports)", " from ./a ./b"),
            (
                "(0, tslib.__exportStar)(require('./a'), exports); __reExport(exports, require('./b'), module.exports)",
                " from ./a ./b",
            ),
            ("var _a = require('./a'); Object.keys(_a).forEach(function (key) { exports[key] = _a[key] })", " from ./a"),
            ("var _a = _interopRequireWildcard(require('./a')); Object.keys(_a).forEach((key) => {})", " from ./a"),
            ("const other = {}; other.a = 1; local.exports = { b: 1 }", ""),
        ] {
            assert_eq!(exports(code), names, "{code}");
        }
    }
}
