//! What is read of `process.env`: `NODE_ENV` is `"production"`, as packages choose by it between what they check while people develop and
//! what is fast. In packages anything else is `undefined`.
//!
//! There is no `process` in a function, so without this such packages would fail. The text keeps its length: places stay what they are.

use oxc_allocator::Allocator;
use oxc_ast::ast::{ComputedMemberExpression, Expression, SimpleAssignmentTarget, StaticMemberExpression, UnaryExpression};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{SourceType, Span};
use oxc_syntax::operator::UnaryOperator;

const PRODUCTION: &str = "\"production\"";
const UNSET: &str = "undefined";

/// The text with what is read of `process.env` replaced, if there is any: in a person's own file only `NODE_ENV`. Who asks for other
/// settings there is told where they are.
pub(crate) fn settled(text: &str, source_type: SourceType, in_package: bool) -> Option<String> {
    let is_read = text.contains("NODE_ENV") || in_package && text.contains("process.env.");
    if !is_read {
        return None;
    }
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, text, source_type).with_options(options).parse();
    let mut found = Reads { in_package, found: Vec::new() };
    found.visit_program(&parsed.program);
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    for (span, value) in found.found {
        let Some(range) = bytes.get_mut(span.start as usize..span.end as usize) else { continue };
        // Written over several lines, or with a comment inside, it stays: nobody does that.
        if range.len() < value.len() || !range.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            continue;
        }
        range.fill(b' ');
        range[..value.len()].copy_from_slice(value.as_bytes());
        changed = true;
    }
    if changed { String::from_utf8(bytes).ok() } else { None }
}

struct Reads {
    in_package: bool,
    found: Vec<(Span, &'static str)>,
}

impl Reads {
    fn note(&mut self, name: &str, object: &Expression<'_>, span: Span) {
        if (name == "NODE_ENV" || self.in_package) && is_process_env(object) {
            self.found.push((span, if name == "NODE_ENV" { PRODUCTION } else { UNSET }));
        }
    }
}

impl<'a> Visit<'a> for Reads {
    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        self.note(it.property.name.as_str(), &it.object, it.span);
        walk::walk_static_member_expression(self, it);
    }

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'a>) {
        if let Some(name) = it.static_property_name() {
            self.note(name.as_str(), &it.object, it.span);
        }
        walk::walk_computed_member_expression(self, it);
    }

    fn visit_simple_assignment_target(&mut self, it: &SimpleAssignmentTarget<'a>) {
        // What is written to is no value.
        let written = match it {
            SimpleAssignmentTarget::StaticMemberExpression(member) => is_process_env(&member.object),
            SimpleAssignmentTarget::ComputedMemberExpression(member) => is_process_env(&member.object),
            _ => false,
        };
        if !written {
            walk::walk_simple_assignment_target(self, it);
        }
    }

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        // Nor is what is removed.
        if it.operator != UnaryOperator::Delete {
            walk::walk_unary_expression(self, it);
        }
    }
}

fn is_process_env(object: &Expression<'_>) -> bool {
    match object.get_inner_expression() {
        Expression::StaticMemberExpression(member) => member.property.name == "env" && member.object.is_specific_id("process"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_becomes_production_at_the_same_length() {
        let settled = |text: &str| settled(text, SourceType::unambiguous(), false);
        assert_eq!(
            settled("if (process.env.NODE_ENV !== 'production') a()").as_deref(),
            Some("if (\"production\"         !== 'production') a()")
        );
        assert_eq!(settled("x(process.env[\"NODE_ENV\"])").as_deref(), Some("x(\"production\"           )"));
        for other in ["process.env.NODE_ENV = 'x'", "'process.env.NODE_ENV'", "// process.env.NODE_ENV", "a.env.NODE_ENV"] {
            assert_eq!(settled(other), None, "{other}");
        }
    }

    #[test]
    fn what_packages_ask_of_the_environment_is_not_set() {
        let settled = |text: &str, in_package: bool| settled(text, SourceType::unambiguous(), in_package);
        assert_eq!(settled("if (process.env.DEBUG) a()", true).as_deref(), Some("if (undefined        ) a()"));
        assert_eq!(settled("if (process.env.DEBUG) a()", false), None);
        for other in ["process.env.A = 1", "delete process.env.A", "process.env[a]", "a.env.B"] {
            assert_eq!(settled(other, true), None, "{other}");
        }
    }
}
