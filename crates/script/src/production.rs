//! `process.env.NODE_ENV` becomes `"production"`: packages choose by it between what they check while people develop and what is fast.
//!
//! There is no `process` in a function, so without this such packages would fail. The text keeps its length: places stay what they are.

use oxc_allocator::Allocator;
use oxc_ast::ast::{ComputedMemberExpression, Expression, SimpleAssignmentTarget, StaticMemberExpression};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{SourceType, Span};

const VALUE: &str = "\"production\"";

/// The text with each `process.env.NODE_ENV` that is read replaced, if it has any.
pub(crate) fn settled(text: &str, source_type: SourceType) -> Option<String> {
    if !text.contains("NODE_ENV") {
        return None;
    }
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, text, source_type).with_options(options).parse();
    let mut found = Reads(Vec::new());
    found.visit_program(&parsed.program);
    let mut bytes = text.as_bytes().to_vec();
    let mut changed = false;
    for span in found.0 {
        let Some(range) = bytes.get_mut(span.start as usize..span.end as usize) else { continue };
        // Written over several lines, or with a comment inside, it stays: nobody does that.
        if range.len() < VALUE.len() || !range.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            continue;
        }
        range.fill(b' ');
        range[..VALUE.len()].copy_from_slice(VALUE.as_bytes());
        changed = true;
    }
    if changed { String::from_utf8(bytes).ok() } else { None }
}

struct Reads(Vec<Span>);

impl<'a> Visit<'a> for Reads {
    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        if it.property.name == "NODE_ENV" && is_process_env(&it.object) {
            self.0.push(it.span);
        }
        walk::walk_static_member_expression(self, it);
    }

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'a>) {
        if it.static_property_name().is_some_and(|name| name == "NODE_ENV") && is_process_env(&it.object) {
            self.0.push(it.span);
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
        let settled = |text: &str| settled(text, SourceType::unambiguous());
        assert_eq!(
            settled("if (process.env.NODE_ENV !== 'production') a()").as_deref(),
            Some("if (\"production\"         !== 'production') a()")
        );
        assert_eq!(settled("x(process.env[\"NODE_ENV\"])").as_deref(), Some("x(\"production\"           )"));
        for other in ["process.env.NODE_ENV = 'x'", "'process.env.NODE_ENV'", "// process.env.NODE_ENV", "a.env.NODE_ENV"] {
            assert_eq!(settled(other), None, "{other}");
        }
    }
}
