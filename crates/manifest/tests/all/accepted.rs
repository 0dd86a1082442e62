//! What a good manifest becomes, and where each of its values is said to come from.

use expect_test::{Expect, expect};
use manifest::parse;
use types::{Build, ByteCount};

use crate::support::{Memory, env, load};

const SHOP: &str = r#"#:schema https://dayfly.example/schema/1.json
app   = "shop"
since = "2026-11-21"

[fn.api]
path   = "api"
route  = ["GET /orders/{id}", "POST /orders"]
uses   = ["kv.sessions", "kv.prices:read"]
reach  = ["https://api.stripe.com"]
env    = { REGION = "eu" }
limits = { memory = "64MiB", time = "10s", concurrency = 200 }

[fn.done]
path   = "done.wasm"
route  = "/done"
record = "1%"

[env.prod]
domain = "shop.example.com"
[env.prod.fn.api.limits]
concurrency = 1000
[env.prod.fn.api.env]
STAGE = "prod"
"#;

fn rows(env_name: &str, files: &Memory, expected: Expect) {
    let loaded = parse(SHOP, "dayfly.toml", &env(env_name), files).expect("a good manifest");
    let table: String =
        loaded.origins.rows().iter().map(|row| format!("{:28} {:44} {}\n", row.key, row.value, row.origin)).collect();
    expected.assert_eq(&table);
}

#[test]
fn every_value_names_the_line_it_came_from() {
    rows(
        "prod",
        &Memory::usual(),
        expect![[r#"
            app                          "shop"                                       dayfly.toml:2
            env                          "prod"                                       the environment that was asked for
            since                        "2026-11-21"                                 dayfly.toml:3
            domain                       "shop.example.com"                           dayfly.toml:19
            fn.api.path                  "api"                                        dayfly.toml:6
            fn.api.build                 "cargo"                                      detected: api/Cargo.toml exists
            fn.api.route                 ["GET /orders/{id}", "POST /orders"]         dayfly.toml:7
            fn.api.uses                  ["kv.sessions", "kv.prices:read"]            dayfly.toml:8
            fn.api.reach                 ["https://api.stripe.com"]                   dayfly.toml:9
            fn.api.env.REGION            "eu"                                         dayfly.toml:10
            fn.api.env.STAGE             "prod"                                       dayfly.toml:23
            fn.api.limits.memory         "64MiB"                                      dayfly.toml:11
            fn.api.limits.time           "10s"                                        dayfly.toml:11
            fn.api.limits.concurrency    1000                                         dayfly.toml:21
            fn.api.record                "errors"                                     default: journals of failures are kept, so that they can be replayed
            fn.api.effects               "immediate"                                  default: what requests cause happens at once
            fn.done.path                 "done.wasm"                                  dayfly.toml:14
            fn.done.build                "component"                                  detected: done.wasm is a .wasm file
            fn.done.route                "/done"                                      dayfly.toml:15
            fn.done.uses                 []                                           default: nothing is granted unless it is named
            fn.done.reach                []                                           default: no host may be called unless it is named
            fn.done.limits.memory        "128MiB"                                     default: the platform's limit for every function
            fn.done.limits.time          "10s"                                        default: the platform's limit for every function
            fn.done.limits.concurrency   1000                                         default: the platform's limit for every function
            fn.done.record               "1%"                                         dayfly.toml:16
            fn.done.effects              "immediate"                                  default: what requests cause happens at once
        "#]],
    );
}

#[test]
fn without_an_environment_the_base_values_hold() {
    let loaded = load(SHOP, "dev").expect("a good manifest");
    let api = &loaded.app.functions[&"api".parse().expect("a name")];
    assert_eq!((api.limits.concurrency, api.env.len(), loaded.app.domain.as_deref()), (200, 1, None));
    assert_eq!(api.build, Build::Cargo);
}

#[test]
fn an_environment_is_merged_deeply_and_drops_nothing() {
    let loaded = load(SHOP, "prod").expect("a good manifest");
    let api = &loaded.app.functions[&"api".parse().expect("a name")];
    assert_eq!((api.limits.concurrency, api.limits.memory), (1000, ByteCount::mib(64)));
    assert_eq!((api.env["REGION"].as_str(), api.env["STAGE"].as_str()), ("eu", "prod"));
    assert_eq!(loaded.app.domain.as_deref(), Some("shop.example.com"));
}

#[test]
fn a_functions_own_file_lies_over_its_table_and_under_the_environment() {
    let files = Memory::usual().with("api/fn.toml", "record = \"all\"\n[limits]\nmemory = \"32MiB\"\nconcurrency = 7\n");
    let loaded = parse(SHOP, "dayfly.toml", &env("prod"), &files).expect("a good manifest");
    let api = &loaded.app.functions[&"api".parse().expect("a name")];
    assert_eq!((api.limits.concurrency, api.limits.memory), (1000, ByteCount::mib(32)));
    assert_eq!(loaded.origins.of("fn.api.limits.memory"), Some("api/fn.toml:3"));
    assert_eq!(loaded.origins.of("fn.api.limits.time"), Some("dayfly.toml:11"));
}

#[test]
fn an_environment_may_add_a_function_of_its_own() {
    let source = "app = \"a\"\n[fn.api]\npath = \"api\"\n[env.dev.fn.debug]\npath = \"done.wasm\"\n";
    assert_eq!(load(source, "dev").expect("a good manifest").app.functions.len(), 2);
    assert_eq!(load(source, "prod").expect("a good manifest").app.functions.len(), 1);
}

#[test]
fn one_pattern_may_stand_twice_if_the_methods_differ() {
    let source = "app = \"a\"\n[fn.a]\npath = \"api\"\nroute = [\"GET /x/{id}\", \"/{*rest}\"]\n[fn.b]\npath = \"api\"\nroute = \"POST /x/{id}\"\n";
    assert!(load(source, "dev").is_ok());
}

#[test]
fn the_model_survives_being_stored() {
    let loaded = load(SHOP, "prod").expect("a good manifest");
    let text = serde_json::to_string(&loaded.app).expect("it has a JSON form");
    assert_eq!(serde_json::from_str::<types::App>(&text).expect("it reads back"), loaded.app);
}

#[test]
fn a_functions_own_file_is_named_as_the_manifest_was() {
    let files = Memory::usual().with("api/fn.toml", "record = \"all\"\n");
    let loaded = parse(SHOP, "examples/shop/dayfly.toml", &env("dev"), &files).expect("a good manifest");
    assert_eq!(loaded.origins.of("fn.api.record"), Some("examples/shop/api/fn.toml:1"));
}

#[test]
fn scripts_are_files_or_folders_with_a_first_file() {
    let files = Memory::of(&[
        ("api.ts", ""),
        ("lib/package.json", "{ \"main\": \"src/first.js\" }"),
        ("lib/src/first.js", ""),
        ("lib/index.js", ""),
        ("site/index.jsx", ""),
        ("rust/Cargo.toml", ""),
        ("rust/index.js", ""),
        ("texts/a.txt", ""),
    ]);
    let build = |path: &str| {
        let loaded = parse(&format!("app = \"a\"\n[fn.f]\npath = \"{path}\"\n"), "dayfly.toml", &env("dev"), &files);
        let told = |problems: Vec<types::Problem>| problems[0].message.clone();
        loaded.map_err(told).map(|loaded| loaded.origins.of("fn.f.build").unwrap_or_default().to_owned())
    };
    assert_eq!(build("api.ts"), Ok("detected: api.ts is JavaScript or TypeScript".into()));
    assert_eq!(build("lib"), Ok("detected: `main` of lib/package.json is src/first.js".into()));
    assert_eq!(build("site"), Ok("detected: site/index.jsx exists".into()));
    assert_eq!(build("rust"), Ok("detected: rust/Cargo.toml exists".into()));
    let nothing = "the folder \"texts\" has no Cargo.toml and no index.js or index.ts, so there is nothing to build";
    assert_eq!(build("texts"), Err(nothing.into()));
}
