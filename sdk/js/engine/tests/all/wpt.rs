//! The data of web-platform-tests, run in the engine.
//!
//! The data comes with the crates `url` and `urlpattern`, at the versions that `Cargo.lock` pins: nothing of it is copied here. What is known to
//! fail stands by name in `tests/wpt/expected-failures.txt`, with its reason; another failure, or a pass of one of those, fails the test.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use engine::host::fake::{files, log};
use engine::machine::Machine;
use engine::script::{Kind, Module, Script};
use serde_json::Value;

/// QuickJS checks its own stack limit, which has to be reached first.
const STACK_BYTES: usize = 8 << 20;

#[test]
fn urls_parse_as_the_web_platform_tests_say() {
    check("url.mjs", "constructor", "url", "tests/urltestdata.json", 800);
}

#[test]
fn parts_of_urls_are_set_as_the_web_platform_tests_say() {
    check("url.mjs", "setters", "url", "tests/setters_tests.json", 250);
}

#[test]
fn url_patterns_match_as_the_web_platform_tests_say() {
    check("url-pattern.mjs", "matching", "urlpattern", "src/testdata/urlpatterntestdata.json", 340);
}

#[test]
fn a_test_that_fails_is_seen_and_so_is_one_that_passes_against_expectation() {
    let results: Vec<Outcome> = vec![("a".into(), true, String::new()), ("b".into(), false, "why".into())];
    let expecting = |names: &[&str]| judge(&results, &names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(expecting(&["b"]), Ok(()));
    assert!(expecting(&[]).is_err_and(|error| error.contains("b\n    why")));
    assert!(expecting(&["a", "b"]).is_err_and(|error| error.contains("\"a\"")));
    assert!(expecting(&["b", "c"]).is_err_and(|error| error.contains("\"c\"")), "a name that no test has");
}

/// Runs a suite with the data of a crate. There are at least `count_min` tests: fewer means that the data was not understood.
fn check(suite: &str, function: &str, krate: &str, data: &str, count_min: usize) {
    let results = run(script(suite, function, &folder_of(krate).join(data)));
    assert!(results.len() >= count_min, "only {} tests ran", results.len());
    judge(&results, &expected_failures(&format!("{suite} {function}"))).unwrap_or_else(|error| panic!("{error}"));
}

/// What failed has to be exactly what is expected to fail.
fn judge(results: &[Outcome], expected: &BTreeSet<String>) -> Result<(), String> {
    let failed: BTreeSet<String> = results.iter().filter(|(_, passed, _)| !passed).map(|(name, ..)| name.clone()).collect();
    let said = |name: &String| results.iter().find(|(other, ..)| other == name).map_or("", |(.., message)| message).to_owned();
    let news: Vec<String> = failed.difference(expected).map(|name| format!("{name}\n    {}", said(name))).collect();
    if !news.is_empty() {
        return Err(format!("{} failures are not expected:\n{}", news.len(), news.join("\n")));
    }
    let passes: Vec<&String> = expected.difference(&failed).collect();
    if !passes.is_empty() {
        return Err(format!("these are expected to fail and pass, or are no tests: {passes:?}"));
    }
    Ok(())
}

/// Name, whether it passed, and what it said.
type Outcome = (String, bool, String);

fn run(script: Script) -> Vec<Outcome> {
    let body = move || {
        let machine = Machine::new().map_err(|thrown| thrown.message)?;
        machine
            .run(script)
            .map_err(|(failure, thrown)| format!("{failure:?} {}: {}\n{}", thrown.name, thrown.message, thrown.stack))?;
        Ok::<_, String>(log::take())
    };
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(body).expect("a thread can be made");
    let lines = thread.join().expect("the suite does not panic").expect("the suite runs to its end");
    lines.iter().filter_map(|(_, line)| line.strip_prefix("wpt ")).map(outcome).collect()
}

fn outcome(line: &str) -> Outcome {
    let result: Value = serde_json::from_str(line).expect("the harness says JSON");
    let text = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
    (text("name"), result["passed"] == true, text("message"))
}

fn script(suite: &str, function: &str, data: &PathBuf) -> Script {
    let mut modules = files::script(&format!("tests/wpt/{suite}")).modules;
    modules.extend(files::script("tests/wpt/harness.mjs").modules);
    let module = |name: &str, kind, code: String, links: Vec<(String, String)>| Module {
        name: name.to_owned(),
        kind,
        code,
        links,
        exports: Vec::new(),
    };
    let code = fs::read_to_string(data).unwrap_or_else(|error| panic!("cannot read {}: {error}", data.display()));
    modules.push(module("data.json", Kind::Json, code, Vec::new()));
    let entry = format!(
        "import {{ report }} from \"./harness.mjs\";\nimport data from \"./data.json\";\nimport {{ {function} }} from \"./suite.mjs\";\n{function}(data);\nawait report();\n"
    );
    let link = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let links = vec![
        link("./harness.mjs", "tests/wpt/harness.mjs"),
        link("./data.json", "data.json"),
        link("./suite.mjs", &format!("tests/wpt/{suite}")),
    ];
    modules.push(module("entry.mjs", Kind::Module, entry, links));
    Script { entry: "entry.mjs".to_owned(), modules, ..Script::default() }
}

/// The lines under `## SUITE`, without what begins with `#` (the reasons) and empty ones. A line is a JSON string.
fn expected_failures(suite: &str) -> BTreeSet<String> {
    let text = fs::read_to_string("tests/wpt/expected-failures.txt").expect("the file is part of the crate");
    let section = text.split("\n## ").find_map(|section| section.strip_prefix(suite)).unwrap_or_default();
    let names = section.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with('#'));
    names.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// Where cargo keeps the text of a crate that the engine depends on.
fn folder_of(krate: &str) -> PathBuf {
    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version=1", "--locked"]).output().expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo says JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let package =
        packages.iter().find(|package| package["name"] == krate).unwrap_or_else(|| panic!("the engine depends on {krate}"));
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a package has a manifest"));
    manifest.parent().expect("a manifest is in a folder").to_owned()
}
