//! Runs files of web-platform-tests from a checkout: `cargo run --bin wpt -- CHECKOUT FOLDER_OR_FILE…`. Each `*.any.js` runs in a machine of its own;
//! it prints what failed and how many passed. What is always run is in `tests/all/wpt.rs`; this is for looking further.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use engine::host::fake::{files, log, report as host_report};
use engine::machine::Machine;
use engine::script::{Kind, Module, Script};

const HARNESS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wpt/harness.mjs");
/// QuickJS checks its own stack limit, which has to be reached first.
const STACK_BYTES: usize = 8 << 20;
/// How often the machine may ask whether the time is up: some seconds of computing. A stream that is pulled for ever ends so.
const INTERRUPTIONS_MAX: u32 = 5_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(checkout) = arguments.next() else {
        eprintln!("usage: wpt CHECKOUT FOLDER_OR_FILE…");
        return ExitCode::FAILURE;
    };
    let checkout = PathBuf::from(checkout);
    let mut open: Vec<PathBuf> = arguments.map(|path| checkout.join(path)).collect();
    let mut tests = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path).expect("a folder can be read").map(|entry| entry.expect("an entry can be read").path()),
            );
        } else if path.to_string_lossy().ends_with(".any.js") {
            tests.push(path);
        }
    }
    tests.sort();
    let (mut passed, mut failed) = (0, 0);
    for test in tests {
        let (good, bad) = report(&checkout, &test);
        passed += good;
        failed += bad;
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::SUCCESS
}

/// Runs one file and prints what failed. How many passed and failed.
fn report(checkout: &Path, test: &Path) -> (usize, usize) {
    let name = test.strip_prefix(checkout).unwrap_or(test).display().to_string();
    let script = script(checkout, test);
    let body = move || {
        host_report::interrupt_after(INTERRUPTIONS_MAX);
        let ended = Machine::new().map_err(|thrown| thrown.message).and_then(|machine| {
            machine
                .run(script)
                .map_err(|(failure, thrown)| format!("{failure:?} {}: {}\n{}", thrown.name, thrown.message, thrown.stack))
        });
        (ended, log::take())
    };
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(body).expect("a thread can be made");
    let Ok((ended, lines)) = thread.join() else {
        println!("{name}: PANIC");
        return (0, 1);
    };
    let results: Vec<String> = lines.into_iter().filter_map(|(_, line)| line.strip_prefix("wpt ").map(str::to_owned)).collect();
    let failures: Vec<&String> = results.iter().filter(|line| line.contains("\"passed\":false")).collect();
    for failure in &failures {
        println!("{name}: {failure}");
    }
    if let Err(error) = &ended {
        println!("{name}: {error}");
    }
    println!("{name}: {} passed, {} failed", results.len() - failures.len(), failures.len());
    (results.len() - failures.len(), failures.len() + usize::from(ended.is_err()))
}

/// The harness, the scripts that a file names in its head and the file itself as one body, and the JSON that it may fetch.
fn script(checkout: &Path, test: &Path) -> Script {
    let folder = test.parent().expect("a file is in a folder");
    let code = fs::read_to_string(test).expect("a test can be read");
    let mut body = String::new();
    for named in code.lines().filter_map(|line| line.strip_prefix("// META: script=")) {
        let path = named.strip_prefix('/').map_or_else(|| folder.join(named), |path| checkout.join(path));
        // What lies in these folders is the harness's own here, as far as it can be.
        if !named.starts_with("/common/") && !named.starts_with("/resources/") {
            body += &fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            body.push('\n');
        }
    }
    let module =
        |name: &str, kind, code: String| Module { name: name.to_owned(), kind, code, links: Vec::new(), exports: Vec::new() };
    let mut modules = vec![module("test.cjs", Kind::CommonJs, body + &code)];
    let mut entry = "import { report } from \"./harness.mjs\";\nconst data = {};\n".to_owned();
    let mut links =
        vec![("./harness.mjs".to_owned(), "harness.mjs".to_owned()), ("./test.cjs".to_owned(), "test.cjs".to_owned())];
    for (index, path) in json_in(&folder.join("resources")).into_iter().enumerate() {
        let name = format!("data{index}.json");
        let file = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        entry += &format!("import data{index} from \"./{name}\";\ndata[\"resources/{file}\"] = data{index};\n");
        modules.push(module(&name, Kind::Json, fs::read_to_string(&path).expect("data can be read")));
        links.push((format!("./{name}"), name));
    }
    entry += "globalThis.fetch_json = async (path) => data[path];\nglobalThis.fetch = async (path) => ({ json: async () => data[path] });\n\
              await import(\"./test.cjs\");\nawait report();\n";
    let harness = files::script(HARNESS).modules.into_iter().next().expect("the harness is a file");
    modules.push(Module { name: "harness.mjs".to_owned(), ..harness });
    modules.push(Module { links, ..module("entry.mjs", Kind::Module, entry) });
    Script { entry: "entry.mjs".to_owned(), modules, ..Script::default() }
}

fn json_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect()
}
