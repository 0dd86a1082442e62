//! The names that a module asks another one for.
//!
//! An ES module says what it exports. One of CommonJS or JSON does not, so that it is given those names too that somebody asks it for.

use std::collections::{BTreeMap, BTreeSet};

use oxc_ast::ast::{
    BindingPattern, ExportFromDeclaration, ImportDeclaration, ImportDeclarationSpecifier, Program, StaticMemberExpression,
    VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan as _, Span};

/// Names, each with where it stands.
pub(crate) type Names = BTreeMap<String, Span>;

/// The names in `import a, { b as c } from "x"`, with `default` for `a`, and the variable of `import * as all from "x"`.
pub(crate) fn imported(it: &ImportDeclaration<'_>) -> (Names, Option<String>) {
    let (mut names, mut whole) = (Names::new(), None);
    for specifier in it.specifiers.iter().flatten() {
        match specifier {
            ImportDeclarationSpecifier::ImportSpecifier(one) if one.import_kind.is_type() => {}
            ImportDeclarationSpecifier::ImportSpecifier(one) => {
                names.insert(one.imported.name().to_string(), one.imported.span());
            }
            ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => {
                names.insert("default".to_owned(), one.span);
            }
            ImportDeclarationSpecifier::ImportNamespaceSpecifier(all) => whole = Some(all.local.name.to_string()),
        }
    }
    (names, whole)
}

/// The names in `export { a, b as c } from "x"`.
pub(crate) fn exported_on(it: &ExportFromDeclaration<'_>) -> Names {
    let specifiers = it.specifiers.iter().filter(|one| !one.export_kind.is_type());
    specifiers.map(|one| (one.local.name().to_string(), one.local.span())).collect()
}

/// What is asked of the variable of `import * as all from "x"`: `a` and `b` of `all.a` and `const { b } = all`. A variable inside a
/// function that has the same name counts too: names that nobody has do no harm.
pub(crate) fn members(program: &Program<'_>, variable: &str) -> BTreeSet<String> {
    let mut members = Members { variable, names: BTreeSet::new() };
    members.visit_program(program);
    members.names
}

struct Members<'b> {
    variable: &'b str,
    names: BTreeSet<String>,
}

impl<'a> Visit<'a> for Members<'_> {
    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        if it.object.is_specific_id(self.variable) {
            self.names.insert(it.property.name.to_string());
        }
        walk::walk_static_member_expression(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if let (BindingPattern::ObjectPattern(pattern), Some(init)) = (&it.id, &it.init)
            && init.is_specific_id(self.variable)
        {
            self.names.extend(pattern.properties.iter().filter_map(|property| Some(property.key.static_name()?.into_owned())));
        }
        walk::walk_variable_declarator(self, it);
    }
}
