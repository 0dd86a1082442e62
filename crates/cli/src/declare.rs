//! TypeScript declarations for editors: what handlers get, and what `env` holds in each function of an app.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use types::{
    App, Code, Function, Grant, Problem,
    app::{Access, ResourceKind},
};

/// The file with what all apps share.
pub(crate) const FILE: &str = "dayfly.d.ts";
/// The file with what the app's manifest says.
pub(crate) const ENV_FILE: &str = "dayfly-env.d.ts";

const SHARED: &str = include_str!("../../../sdk/js/types/dayfly.d.ts");

/// Writes both files beside the manifest, and gives those that changed.
///
/// # Errors
/// `E0601` if a file can't be written.
pub(crate) fn write(folder: &Path, app: &App) -> Result<Vec<PathBuf>, Problem> {
    let files = [(FILE, SHARED.to_owned()), (ENV_FILE, env(app))];
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|before| before == text) {
            continue;
        }
        let failed = |error| Problem::new(Code::E0601, format!("cannot write {}: {error}", path.display()));
        fs::write(&path, text).map_err(failed)?;
        written.push(path);
    }
    Ok(written)
}

/// Writes them again if the folder has them.
///
/// # Errors
/// As [`write`].
pub(crate) fn refresh(folder: &Path, app: &App) -> Result<Vec<PathBuf>, Problem> {
    if folder.join(ENV_FILE).is_file() { write(folder, app) } else { Ok(Vec::new()) }
}

/// The declarations of an app.
pub(crate) fn env(app: &App) -> String {
    let mut text =
        String::from("// Written by `dayfly types` from dayfly.toml: what `env` holds in each function. Don't edit it.\n");
    text.push_str("/// <reference path=\"./dayfly.d.ts\" />\n\ndeclare namespace Dayfly {\n  interface Functions {\n");
    for function in app.functions.values() {
        write!(text, "    {}: {{\n{}    }};\n", key(function.name.as_str()), holds(app, function))
            .expect("a String takes all text");
    }
    text.push_str("  }\n}\n");
    text
}

/// The properties of `env` that kinds have, in the order in which they are written.
const KINDS: [&str; 9] = ["kv", "sql", "bucket", "queue", "stream", "event", "secret", "setting", "fn"];

/// What a function's `env` holds: everything under its kind, and under its own name where no other has it.
fn holds(app: &App, function: &Function) -> String {
    let mut things: BTreeMap<(usize, String), &str> = BTreeMap::new();
    let kind = |kind: &str| KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len());
    for Grant { resource, access } in &function.uses {
        let of = of_grant(resource.kind, *access);
        let known = things.entry((kind(resource.kind.as_str()), resource.name.clone())).or_insert(of);
        // Granted twice, the wider one holds.
        if *access == Access::ReadWrite {
            *known = of;
        }
    }
    things.extend(function.env.keys().map(|name| ((kind("setting"), name.clone()), "string")));
    let others = app.functions.keys().filter(|name| **name != function.name);
    things.extend(others.map(|name| ((kind("fn"), name.to_string()), "Func")));

    let mut text = String::new();
    let mut line = |text_of: std::fmt::Arguments<'_>| text.write_fmt(text_of).expect("a String takes all text");
    for (index, kind) in KINDS.iter().enumerate() {
        let of_kind: Vec<String> = things
            .iter()
            .filter(|((of, _), _)| *of == index)
            .map(|((_, name), of)| format!("readonly {}: {of}", key(name)))
            .collect();
        if !of_kind.is_empty() {
            line(format_args!("      readonly {kind}: {{ {} }};\n", of_kind.join("; ")));
        }
    }
    for ((_, name), of) in &things {
        let is_only = things.keys().filter(|(_, other)| other == name).count() == 1;
        if is_only && !KINDS.contains(&name.as_str()) {
            line(format_args!("      readonly {}: {of};\n", key(name)));
        }
    }
    text
}

/// The type of a granted resource.
fn of_grant(kind: ResourceKind, access: Access) -> &'static str {
    let reads = access == Access::Read;
    match kind {
        ResourceKind::Kv if reads => "KvReader",
        ResourceKind::Kv => "Kv",
        ResourceKind::Sql => "Sql",
        ResourceKind::Bucket if reads => "BucketReader",
        ResourceKind::Bucket => "Bucket",
        ResourceKind::Queue => "Queue",
        ResourceKind::Stream if reads => "StreamReader",
        ResourceKind::Stream => "Stream",
        ResourceKind::Event => "Bus",
        ResourceKind::Secret => "string",
    }
}

/// A name as a property's key.
fn key(name: &str) -> String {
    let plain = |(at, c): (usize, char)| c.is_ascii_alphabetic() || c == '_' || (at > 0 && c.is_ascii_digit());
    if name.chars().enumerate().all(plain) { name.to_owned() } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use types::Build;

    use super::*;

    #[test]
    fn env_has_everything_under_its_kind_and_under_its_name_where_no_other_has_it() {
        let mut app = App::empty("shop".parse().expect("a name"), "dev".parse().expect("a name"));
        for (name, uses, settings) in [
            (
                "api",
                vec!["kv.sessions:read", "kv.sessions", "sql.shop", "queue.mail", "stream.log:read", "secret.STRIPE_KEY"],
                vec!["LEVEL"],
            ),
            ("mail", vec!["bucket.files:read", "queue.queue", "event.default"], vec![]),
            ("send-it", vec![], vec![]),
        ] {
            let mut function = Function::empty(name.parse().expect("a name"), "a.js".into(), Build::Script);
            function.uses = uses.into_iter().map(|grant| grant.parse().expect("a grant")).collect();
            function.env = settings.into_iter().map(|name: &str| (name.to_owned(), "x".to_owned())).collect();
            app.functions.insert(function.name.clone(), function);
        }
        expect![[r#"
            // Written by `dayfly types` from dayfly.toml: what `env` holds in each function. Don't edit it.
            /// <reference path="./dayfly.d.ts" />

            declare namespace Dayfly {
              interface Functions {
                api: {
                  readonly kv: { readonly sessions: Kv };
                  readonly sql: { readonly shop: Sql };
                  readonly queue: { readonly mail: Queue };
                  readonly stream: { readonly log: StreamReader };
                  readonly secret: { readonly STRIPE_KEY: string };
                  readonly setting: { readonly LEVEL: string };
                  readonly fn: { readonly mail: Func; readonly "send-it": Func };
                  readonly sessions: Kv;
                  readonly shop: Sql;
                  readonly log: StreamReader;
                  readonly STRIPE_KEY: string;
                  readonly LEVEL: string;
                  readonly "send-it": Func;
                };
                mail: {
                  readonly bucket: { readonly files: BucketReader };
                  readonly queue: { readonly queue: Queue };
                  readonly event: { readonly default: Bus };
                  readonly fn: { readonly api: Func; readonly "send-it": Func };
                  readonly files: BucketReader;
                  readonly default: Bus;
                  readonly api: Func;
                  readonly "send-it": Func;
                };
                "send-it": {
                  readonly fn: { readonly api: Func; readonly mail: Func };
                  readonly api: Func;
                  readonly mail: Func;
                };
              }
            }
        "#]]
        .assert_eq(&env(&app));
    }

    #[test]
    fn what_is_there_is_only_written_when_it_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = App::empty("shop".parse().expect("a name"), "dev".parse().expect("a name"));
        assert_eq!(refresh(folder.path(), &app), Ok(Vec::new()));
        assert_eq!(write(folder.path(), &app).map(|written| written.len()), Ok(2));
        assert_eq!(refresh(folder.path(), &app), Ok(Vec::new()));
        fs::write(folder.path().join(ENV_FILE), "old").expect("written");
        assert_eq!(refresh(folder.path(), &app), Ok(vec![folder.path().join(ENV_FILE)]));
    }
}
