//! TypeScript's view of `env`: the declarations that `dayfly types` writes beside the manifest.
//!
//! [`DAYFLY`] is the same for every app. [`env`] says what each script of an app is given, as the engine makes it from the same bindings.

use std::{collections::BTreeMap, fmt::Write as _};

use types::{
    App, Function,
    app::{Access, Build, ResourceKind},
    script::{Binding, BindingKind},
};

use crate::binding;

/// `dayfly.d.ts`: handlers, services, `ctx`.
pub const DAYFLY: &str = include_str!("../../../sdk/js/types/dayfly.d.ts");

/// The kinds in the order of their properties of `env`; of each its binding's kind and the property.
const KINDS: [(BindingKind, &str); 9] = [
    (BindingKind::Kv, "kv"),
    (BindingKind::Sql, "sql"),
    (BindingKind::Bucket, "bucket"),
    (BindingKind::Queue, "queue"),
    (BindingKind::Stream, "stream"),
    (BindingKind::Event, "event"),
    (BindingKind::Secret, "secret"),
    (BindingKind::Setting, "setting"),
    (BindingKind::Function, "fn"),
];

/// `dayfly-env.d.ts`: what `env` holds in each script of the app.
#[must_use]
pub fn env(app: &App) -> String {
    let mut text = String::from(
        "// What `env` holds in each function of the app. Made from dayfly.toml by `dayfly types`: change the manifest, and make it again.\n\n\
         /// <reference path=\"./dayfly.d.ts\" />\n\ndeclare namespace Dayfly {\n  interface Functions {\n",
    );
    for function in app.functions.values().filter(|function| function.build == Build::Script) {
        write_function(&mut text, app, function);
    }
    text.push_str("  }\n}\n");
    text
}

fn write_function(text: &mut String, app: &App, function: &Function) {
    let bindings = binding::bindings(app, function);
    let line = |text: &mut String, indent: usize, property: &str, kind: &str| {
        writeln!(text, "{:indent$}readonly {property}: {kind};", "").expect("a String takes all text");
    };
    writeln!(text, "    {}: {{", key(function.name.as_str())).expect("a String takes all text");
    for (kind, property) in KINDS {
        let of_kind: Vec<&Binding> = bindings.iter().filter(|binding| binding.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        writeln!(text, "      readonly {property}: {{").expect("a String takes all text");
        for binding in of_kind {
            line(text, 8, &key(&binding.name), declared(function, binding));
        }
        text.push_str("      };\n");
    }
    for (name, binding) in short(&bindings) {
        line(text, 6, &key(name), declared(function, binding));
    }
    text.push_str("    };\n");
}

/// What stands at `env.NAME` too: what shares its name with nothing else.
fn short(bindings: &[Binding]) -> BTreeMap<&str, &Binding> {
    let mut named: BTreeMap<&str, Vec<&Binding>> = BTreeMap::new();
    for binding in bindings {
        named.entry(&binding.name).or_default().push(binding);
    }
    let is_free = |name: &str| KINDS.iter().all(|(_, property)| *property != name);
    named.into_iter().filter(|(name, all)| all.len() == 1 && is_free(name)).map(|(name, all)| (name, all[0])).collect()
}

/// The type of a thing. A grant for reading has no way to write.
fn declared(function: &Function, binding: &Binding) -> &'static str {
    let reads = |kind: ResourceKind| {
        let mut grants = function.uses.iter().filter(|grant| grant.resource.kind == kind && grant.resource.name == binding.name);
        grants.all(|grant| grant.access == Access::Read)
    };
    match binding.kind {
        BindingKind::Kv if reads(ResourceKind::Kv) => "KvReader",
        BindingKind::Kv => "Kv",
        BindingKind::Sql => "Sql",
        BindingKind::Bucket if reads(ResourceKind::Bucket) => "BucketReader",
        BindingKind::Bucket => "Bucket",
        BindingKind::Queue => "Queue",
        BindingKind::Stream if reads(ResourceKind::Stream) => "StreamReader",
        BindingKind::Stream => "Stream",
        BindingKind::Event => "Bus",
        // Nothing is served before a granted secret is set.
        BindingKind::Secret | BindingKind::Setting => "string",
        BindingKind::Function => "Func",
    }
}

/// A property's name, in quotes where it is no identifier.
fn key(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if is_plain { name.to_owned() } else { serde_json::Value::from(name).to_string() }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn function(name: &str, uses: &[&str], reach: &[&str]) -> Function {
        let mut function = Function::empty(name.parse().expect("a name"), format!("{name}.ts"), Build::Script);
        function.uses = uses.iter().map(|text| text.parse().expect("a grant")).collect();
        function.reach = reach.iter().map(|text| text.parse().expect("a place")).collect();
        function
    }

    #[test]
    fn each_script_is_told_what_it_is_given() {
        let mut app = App::empty("shop".parse().expect("a name"), "dev".parse().expect("a name"));
        let uses =
            ["kv.orders", "queue.orders", "kv.carts:read", "secret.API_KEY", "bucket.my-photos", "sql.queue", "stream.s:read"];
        let mut api = function("api", &uses, &["http://resize.internal"]);
        api.env.insert("REGION".into(), "eu".into());
        let resize = Function::empty("resize".parse().expect("a name"), "resize".into(), Build::Cargo);
        for function in [api, function("worker", &["event.default"], &[]), resize] {
            app.functions.insert(function.name.clone(), function);
        }
        expect![[r#"
            // What `env` holds in each function of the app. Made from dayfly.toml by `dayfly types`: change the manifest, and make it again.

            /// <reference path="./dayfly.d.ts" />

            declare namespace Dayfly {
              interface Functions {
                api: {
                  readonly kv: {
                    readonly carts: KvReader;
                    readonly orders: Kv;
                  };
                  readonly sql: {
                    readonly queue: Sql;
                  };
                  readonly bucket: {
                    readonly "my-photos": Bucket;
                  };
                  readonly queue: {
                    readonly orders: Queue;
                  };
                  readonly stream: {
                    readonly s: StreamReader;
                  };
                  readonly secret: {
                    readonly API_KEY: string;
                  };
                  readonly setting: {
                    readonly REGION: string;
                  };
                  readonly fn: {
                    readonly resize: Func;
                  };
                  readonly API_KEY: string;
                  readonly REGION: string;
                  readonly carts: KvReader;
                  readonly "my-photos": Bucket;
                  readonly resize: Func;
                  readonly s: StreamReader;
                };
                worker: {
                  readonly event: {
                    readonly default: Bus;
                  };
                  readonly default: Bus;
                };
              }
            }
        "#]]
        .assert_eq(&env(&app));
    }
}
