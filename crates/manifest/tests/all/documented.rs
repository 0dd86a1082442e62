//! What the documentation says about manifests is what happens.

use std::{fs, path::PathBuf};

use manifest::parse;
use types::Code;

use crate::support::{Memory, env};

fn page(name: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The first block of a page that is marked with the language.
fn block(page: &str, language: &str) -> String {
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a block of that language");
    rest.split("```").next().unwrap_or(rest).to_owned()
}

#[test]
fn the_example_of_the_reference_loads() {
    let source = block(&page("reference/manifest.md"), "toml");
    for name in ["dev", "prod"] {
        let files = Memory::usual()
            .with("mailer.wasm", "")
            .with("report.wasm", "")
            .with("web/dist/index.html", "")
            .with("migrations/001.sql", "");
        let loaded = parse(&source, "dayfly.toml", &env(name), &files).expect("the example of the reference is good");
        assert_eq!(loaded.app.name.as_str(), "shop");
    }
}

#[test]
fn the_reference_names_every_key_and_bound() {
    let reference = page("reference/manifest.md");
    for key in
        ["app", "since", "path", "route", "uses", "reach", "env", "limits", "record", "memory", "time", "concurrency", "domain"]
    {
        assert!(reference.contains(&format!("| `{key}` |")), "{key}");
    }
    let schema = manifest::schema();
    for table in ["On", "Webhook", "Site", "Events"] {
        for key in schema["$defs"][table]["properties"].as_object().expect("an object").keys() {
            assert!(reference.contains(&format!("| `{key}` |")) || reference.contains(&format!("| `{key} = ")), "{table} {key}");
        }
    }
    for table in ["Kv", "Sql", "Bucket", "Queue", "Stream"] {
        for key in schema["$defs"][table]["properties"].as_object().expect("an object").keys() {
            assert!(reference.contains(&format!("| `[{}.x] {key}` |", table.to_lowercase())), "{table} {key}");
        }
    }
    let bounds = ["`128MiB` | 64KiB to 1GiB |", "`10s` | 1ms to 15m |", "| 1000 | 1 to 10000 |"];
    assert!(bounds.iter().all(|bound| reference.contains(bound)));
}

/// A manifest whose first problem is the example of that code's page.
const EXAMPLES: &[(Code, &str)] = &[
    (Code::E0102, "app = shop\n"),
    (Code::E0103, "app = \"a\"\n[fn.api]\npath = \"api\"\n  rout = \"GET /\"\n"),
    (Code::E0104, "app = \"a\"\n\n[fn.api]\npath = \"api\"\nlimits = { memory = 64 }\n"),
    (Code::E0105, "app = \"a\"\n\n[fn.api]\npath = \"api\"\nlimits = { memory = \"2GiB\" }\n"),
    (Code::E0106, "app = \"a\"\n\n[fn.api]\nroute = \"/\"\n"),
    (Code::E0107, "app = \"a\"\n\n[fn.api]\npath = \"api\"\nuses = [\"vk.sessions\"]\n"),
    (
        Code::E0108,
        "app = \"a\"\n[fn.a]\npath = \"api\"\nroute = [\"GET /x\"]\n[fn.b]\npath = \"api\"\nroute = [\"GET,POST /x\"]\n",
    ),
    (Code::E0109, "app = \"a\"\n[fn.api]\npath = \"api\"\nroute = [\"GET orders/:id\"]\n"),
    (Code::E0111, "app = \"My Shop\"\n[fn.api]\npath = \"api\"\n"),
    (Code::E0113, "app = \"a\"\n[fn.worker]\npath = \"api\"\non = { queue = \"mail\", zone = \"Europe/Berlin\", batch = 2 }\n"),
    (Code::E0114, "app = \"a\"\n[fn.worker]\npath = \"api\"\non = { cron = \"0 0 30 2 *\" }\n"),
    (Code::E0115, "app = \"a\"\n[fn.worker]\npath = \"api\"\non = { event = \"order.*\", filter = \"data.total > 100\" }\n"),
    (Code::E0116, "app = \"a\"\n[fn.api]\npath = \"api\"\n[site]\ndir = \"web/dist\"\n"),
    (Code::E0117, "app = \"a\"\n[fn.api]\npath = \"api\"\nuses = [\"sql.shop\"]\n[sql.shop]\nmigrations = \"db\"\n"),
    (Code::E0301, "app = \"a\"\n[fn.a]\npath = \"api\"\n\n\n[fn.c]\npath = \"gone\"\n"),
];

#[test]
fn the_pages_of_errors_show_what_is_shown() {
    for (code, source) in EXAMPLES {
        let problems = parse(source, "dayfly.toml", &env("dev"), &Memory::usual()).expect_err("an example of an error");
        let problem = &problems[0];
        assert_eq!((problem.code, problem.render()), (*code, block(&page(&format!("errors/{code}.md")), "text")));
    }
    let source = "app = \"a\"\n[fn.api]\npath = \"api\"\n[env.staging]\ndomain = \"a.b\"\n";
    let problems = parse(source, "dayfly.toml", &env("stagin"), &Memory::usual()).expect_err("an unknown environment");
    assert_eq!(problems[0].render(), block(&page("errors/E0110.md"), "text"));
    let problems = parse(&" ".repeat((1 << 20) + 1), "dayfly.toml", &env("dev"), &Memory::usual()).expect_err("a large manifest");
    assert_eq!(problems[0].render(), block(&page("errors/E0112.md"), "text"));
}
