//! From nothing to a live function without a toolchain; saving, checking types, and very many functions at once.

use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

use super::super::support::{Finished, Folder, Node, Request, assert_has, dayfly, eventually, packages, repository, run};
use super::examples;

const MANY: usize = 1_000;

/// The one file of code that `new` wrote.
fn code(folder: &Folder, endings: &[&str]) -> PathBuf {
    let is_code = |path: &PathBuf| path.extension().is_some_and(|end| endings.iter().any(|ending| end == *ending));
    let files = fs::read_dir(folder.file("hello")).expect("it was made").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<_> = files.filter(is_code).filter(|path| !path.to_string_lossy().ends_with(".d.ts")).collect();
    assert_eq!(found.len(), 1, "one file of code: {found:?}");
    found.remove(0)
}

/// Runs the checker of types in a folder.
fn tsc(folder: &std::path::Path) -> Finished {
    let mut command = Command::new(packages::program("tsc"));
    command.arg("--noEmit").current_dir(folder);
    run(command)
}

#[test]
fn a_new_app_is_served_and_each_save_is_live_without_any_toolchain() {
    let folder = Folder::new();
    let mut command = dayfly(folder.path(), ["new", "hello"]);
    // Nothing of a toolchain is on the path.
    command.env("PATH", "/nonexistent");
    run(command).expect_done();
    let code = code(&folder, &["js"]);
    let node = Node::up(&folder.file("hello"));
    let first = node.get("/").expect(200).text();
    assert_has(&first.to_lowercase(), "hello");
    for number in 1..=3 {
        let changed = format!("export default {{ fetch: () => new Response(\"change {number}\\n\") }};\n");
        fs::write(&code, changed).expect("the folder is ours");
        // What is printed is true: the very next answer is the new one's.
        node.wait_for(&format!("revision {}", number + 1));
        assert_eq!(node.get("/").expect(200).text(), format!("change {number}\n"));
    }
    // A save that does not parse changes nothing, and the next one mends it.
    fs::write(&code, "export default {\n  fetch() { return new Response(\"half }\n").expect("the folder is ours");
    let printed = node.wait_for("error[E0312]");
    assert_has(&printed, ":2:");
    node.wait_for("the last good revision goes on serving");
    assert_eq!(node.get("/").expect(200).text(), "change 3\n");
    fs::write(&code, "export default { fetch: () => new Response(\"mended\\n\") };\n").expect("the folder is ours");
    eventually("the mended one is served", || (node.get("/").text() == "mended\n").then_some(()));
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_is_asked_in_the_moment_after_ready_is_printed() {
    let folder = Folder::script("shop", "export default { fetch: () => new Response(\"now\\n\") };\n", "");
    // Again and again: the later starts, which find the code made, are ready soonest.
    for number in 0..6 {
        let node = Node::up(folder.path());
        node.get(&format!("/now-{number}")).expect(200);
        node.wait_for(&format!("GET /now-{number} 200"));
        assert_eq!(node.stop(), 0);
    }
}

#[test]
fn an_imported_file_that_is_saved_is_live_too() {
    let folder =
        Folder::script("shop", "import { word } from \"./lib/word\";\nexport default { fetch: () => new Response(word) };\n", "");
    fs::create_dir(folder.file("lib")).expect("the folder is ours");
    folder.write("lib/word.ts", "export const word: string = \"one\";\n");
    let node = Node::up(folder.path());
    assert_eq!(node.get("/").expect(200).text(), "one");
    folder.write("lib/word.ts", "export const word: string = \"two\";\n");
    eventually("it is served", || (node.get("/").text() == "two").then_some(()));
    // An editor that writes in place, and a file that was not there before.
    fs::write(folder.file("lib/more.ts"), "export const more = \"three\";\n").expect("the folder is ours");
    fs::write(folder.file("lib/word.ts"), "export { more as word } from \"./more\";\n").expect("the folder is ours");
    eventually("it is served", || (node.get("/").text() == "three").then_some(()));
}

#[test]
fn a_new_app_in_typescript_passes_the_checker_which_finds_what_is_wrong() {
    let folder = Folder::new();
    run(dayfly(folder.path(), ["new", "hello", "--ts"])).expect_done();
    let code = code(&folder, &["ts"]);
    let hello = folder.file("hello");
    tsc(&hello).expect_done();
    // `env` is typed by the manifest, and the types follow it.
    let manifest = fs::read_to_string(hello.join("dayfly.toml")).expect("it was made");
    let with_store = manifest.replacen("route", "uses = [\"kv.things\"]\nroute", 1);
    assert_ne!(manifest, with_store, "{manifest}");
    fs::write(hello.join("dayfly.toml"), with_store).expect("the folder is ours");
    run(dayfly(&hello, ["types"])).expect_done();
    let name = manifest.lines().find_map(|line| line.strip_prefix("[fn.")?.strip_suffix(']')).expect("a function");
    let using = |store: &str| {
        format!(
            "export default {{\n  async fetch(_request, env) {{\n    return new Response(await env.kv.{store}.get(\"a\"));\n  }},\n}} satisfies \
             Dayfly.Handlers<\"{name}\">;\n"
        )
    };
    fs::write(&code, using("things")).expect("the folder is ours");
    tsc(&hello).expect_done();
    fs::write(&code, using("thing")).expect("the folder is ours");
    let wrong = tsc(&hello);
    assert_ne!(wrong.code, 0, "the control: what is not granted is found");
    assert_has(&(wrong.stdout + &wrong.stderr), "thing");
    fs::write(&code, using("things")).expect("the folder is ours");
    // Files that are imported as text and bytes, and JSX.
    let page = "/** @jsxImportSource preact */\nimport words from \"./greet.md\" with { type: \"text\" };\nimport icon from \"./icon.png\";\n\
                export const page = () => <p title={words.trim()}>{icon.byteLength}</p>;\n";
    packages::install(&folder, ["preact"].into_iter());
    fs::write(hello.join("page.tsx"), page).expect("the folder is ours");
    tsc(&hello).expect_done();
    fs::write(hello.join("page.tsx"), page.replace("words.trim()", "icon.trim()")).expect("the folder is ours");
    assert_ne!(tsc(&hello).code, 0, "the control: bytes are no text");
}

#[test]
fn the_examples_pass_the_checker_of_types() {
    let examples = repository().join("examples");
    let mut checked = 0;
    for entry in fs::read_dir(examples).expect("it is there") {
        let example = entry.expect("an entry").path();
        if !example.join("tsconfig.json").is_file() {
            continue;
        }
        // In a copy: the types are written beside the manifest.
        let folder = Folder::new();
        examples::copy(&example, folder.path());
        run(dayfly(folder.path(), ["types"])).expect_done();
        tsc(folder.path()).expect_done();
        checked += 1;
    }
    assert!(checked > 0, "no example has a tsconfig.json");
}

#[test]
fn a_script_above_its_limit_is_refused_by_name_and_one_at_the_limit_is_not() {
    const ALLOWED: usize = 4 << 20;
    let (start, end) = ("export default { fetch: () => new Response(`${text.length}`) };\nconst text = \"", "\";\n");
    let sized = |bytes: usize| format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()));
    let folder = Folder::script("shop", &sized(ALLOWED + 1), "");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    let refused = node.cli_in(folder.path(), &["deploy", "--yes"]).expect_code(1);
    for part in ["error[E0317]", "api.ts", "4 MiB"] {
        assert_has(&refused.stderr, part);
    }
    folder.write("api.ts", sized(ALLOWED));
    node.deploy(folder.path());
    assert_eq!(node.get("/").expect(200).text(), format!("{}", ALLOWED - start.len() - end.len()));
}

#[test]
fn very_many_functions_share_one_engine_on_disk_and_in_memory() {
    let folder = Folder::new();
    let mut manifest = String::from("app = \"many\"\n");
    for number in 0..MANY {
        let code = format!(
            "const mine = {{ number: {number} }};\nexport default {{ fetch: () => new Response(`function ${{mine.number}}`) }};\n"
        );
        folder.write(&format!("f{number}.js"), code);
        writeln!(manifest, "[fn.f{number}]\npath = \"f{number}.js\"\nroute = \"/f{number}\"").expect("a string grows");
    }
    folder.write("dayfly.toml", manifest);
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    assert_eq!(node.stop(), 0);
    // 10,000 of them may have 1 GiB.
    let on_disk = kibibytes_under(data.path());
    assert!(on_disk < MANY as u64 * 100, "{on_disk} KiB on disk for {MANY} functions");
    let node = Node::server(data.path(), &[]);
    let before = node.resident_kib();
    for number in 0..MANY {
        assert_eq!(node.get(&format!("/f{number}")).expect(200).text(), format!("function {number}"));
    }
    // However many there are: the images that are kept ready have a bound of their own (`script images a node`).
    let grown = node.resident_kib().saturating_sub(before);
    assert!(grown < 384 << 10, "{grown} KiB more are resident after a request to each of {MANY}");
    assert_eq!(node.stop(), 0);
}

fn kibibytes_under(folder: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let entries = fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("an entry"));
    let size = |entry: &fs::DirEntry| {
        let about = entry.metadata().expect("it is there");
        about.blocks() / 2 + if about.is_dir() { kibibytes_under(&entry.path()) } else { 0 }
    };
    entries.map(|entry| size(&entry)).sum()
}

#[test]
fn one_memory_serves_many_requests_and_none_sees_another() {
    let folder = Folder::script(
        "shop",
        "let served = 0;\nconst seen = [];\nexport default { async fetch(request) { seen.push(await request.text()); \
         globalThis.left = seen; return Response.json({ served: ++served, seen, left: globalThis.left.length }); } };\n",
        "",
    );
    let node = Node::up(folder.path());
    for body in ["first", "second", "third"] {
        let told = node.send(&Request::post("/", body)).expect(200).json();
        assert_eq!(told, serde_json::json!({"served": 1, "seen": [body], "left": 1}));
    }
}
