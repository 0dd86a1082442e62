//! The controls of the rules: a small workspace that breaks each of them, which each must notice.

use std::{fs, path::Path};

use tempfile::TempDir;
use testkit::invariants::{self, Edge, Exception, Only, Workspace};
use types::Code;

fn planted(files: &[(&str, &str)]) -> (TempDir, Workspace) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).expect("writable");
        fs::write(file, text).expect("writable");
    }
    let workspace = Workspace::read(dir.path());
    (dir, workspace)
}

/// Each of the texts must stand in a line of its own.
fn notices(broken: &[String], texts: &[&str]) {
    assert_eq!(broken.len(), texts.len(), "{broken:#?}");
    for (line, text) in broken.iter().zip(texts) {
        assert!(line.contains(text), "{line:?} does not say {text:?}");
    }
}

const MANIFESTS: [(&str, &str); 5] = [
    ("crates/types/Cargo.toml", "[dependencies]\nports = {}"),
    ("crates/ports/Cargo.toml", "[dependencies]\ntypes = {}"),
    ("crates/invoke/Cargo.toml", "[dependencies]\ntypes = {}\nstore = {}\nwasmtime-wasi = {}\n[dev-dependencies]\ntestkit = {}"),
    ("crates/store/Cargo.toml", "[target.'cfg(unix)'.dependencies]\ntestkit = {}\nserver = {}\n[dev-dependencies]\nsystem = {}"),
    ("crates/server/Cargo.toml", "[dependencies]\ninvoke = {}\nstore = {}\ntestkit = {}"),
];
const MORE: [(&str, &str); 2] = [("crates/testkit/Cargo.toml", ""), ("crates/system/Cargo.toml", "")];

#[test]
fn edges_beyond_the_star_are_noticed() {
    let (_dir, workspace) = planted(&[&MANIFESTS[..], &MORE].concat());
    let edge = |from, to| Edge { from, to, reason: "it is needed" };
    notices(
        &invariants::star(&workspace, &[edge("invoke", "store"), edge("ports", "system")]),
        &[
            "server depends on testkit",
            "store depends on server",
            "store depends on testkit",
            "types depends on ports",
            "ports → system does not exist",
        ],
    );
    notices(&invariants::star(&workspace, &[])[..1], &["invoke depends on store"]);
    let wasmtime = Only { library: "wasmtime", crates: &["runtime"] };
    notices(&invariants::only_one_names(&workspace, &[wasmtime]), &["invoke names wasmtime-wasi: only runtime"]);
}

#[test]
fn long_files_and_functions_are_noticed() {
    let long = format!("fn short() {{}}\nfn long() {{\n{}}}\n", "    call();\n".repeat(99));
    let (_dir, workspace) = planted(&[("crates/a/src/lib.rs", &long)]);
    let name = "crates/a/src/lib.rs";
    notices(&invariants::file_sizes(&workspace, 100, &[]), &["has 102 lines, allowed 100"]);
    notices(&invariants::file_sizes(&workspace, 100, &[(name, 102)]), &[]);
    notices(&invariants::file_sizes(&workspace, 100, &[(name, 103)]), &["shrank to 102"]);
    notices(&invariants::file_sizes(&workspace, 100, &[(name, 101)]), &["has 102 lines, allowed 101"]);
    notices(&invariants::function_sizes(&workspace, 70, &[]), &["lib.rs::long has 101 lines", "95 of 100 functions"]);
}

#[test]
fn clocks_ignored_tests_and_missing_headers_are_noticed() {
    let clock = "//! Owns nothing.\nfn now() { Instant::now() } // not in comments: SystemTime::now\n";
    let (_dir, workspace) = planted(&[
        ("crates/a/src/lib.rs", clock),
        ("crates/a/src/bare.rs", "// not a header\n"),
        ("crates/a/tests/all.rs", "#[test]\n#[ignore]\nfn f() { Instant::now() }\n"),
        ("crates/system/src/lib.rs", clock),
    ]);
    notices(&invariants::clocks(&workspace, &[]), &["crates/a/src/lib.rs calls Instant::now"]);
    let excepted = |file| Exception { file, reason: "it shows the time" };
    notices(&invariants::clocks(&workspace, &[excepted("crates/a/src/lib.rs")]), &[]);
    notices(&invariants::clocks(&workspace, &[excepted("crates/a/src/lib.rs"), excepted("gone.rs")]), &["gone.rs is not needed"]);
    notices(&invariants::headers(&workspace), &["crates/a/src/bare.rs"]);
    notices(&invariants::ignored_tests(&workspace), &["crates/a/tests/all.rs"]);
}

#[test]
fn missing_and_orphaned_pages_are_noticed() {
    let page = |code: Code| format!("# {code}: {}\n\n{}\n", code.title(), "What it means, and how to mend it. ".repeat(5));
    let (good, short) = (page(Code::E0101), "# E0102: the manifest is not TOML\n");
    let (_dir, workspace) = planted(&[
        ("docs/errors/E0101.md", &good),
        ("docs/errors/E0102.md", short),
        ("docs/errors/E0103.md", &good),
        ("docs/errors/E9999.md", &good),
        ("docs/errors/README.md", ""),
    ]);
    notices(
        &invariants::error_pages(&workspace, &[Code::E0101, Code::E0102, Code::E0103, Code::E0104]),
        &["E0102.md says nothing", "E0103.md must open with", "E0104.md is missing", "E9999.md is a page for no code"],
    );
}

#[test]
fn paths_of_this_machine_are_noticed() {
    let (dir, _) = planted(&[("docs/fine.md", "https://example.com/here")]);
    fs::write(dir.path().join("docs/bad.md"), format!("see {}", dir.path().join("docs").display())).expect("writable");
    notices(&invariants::machine_paths(&Workspace::read(dir.path())), &["docs/bad.md"]);
}
