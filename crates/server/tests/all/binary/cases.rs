//! `tests/cases`: folders of a manifest, requests and what comes of them. Its README says what each file is.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use super::support::{Folder, Node, Request, Response, dayfly, eventually, packages, program, repository, run, text::fits};

/// What the names of cases begin with whose functions are JavaScript, and of those among them that can't be deployed.
const JAVASCRIPT: &str = "js-";
const REFUSED: &str = "refused-";
/// Files of a case that are about it. All others are the app's.
const ABOUT: [&str; 2] = ["http", "txt"];

#[test]
fn every_case_comes_out_as_written() {
    check_all(9, |name| !name.starts_with(JAVASCRIPT) && !name.starts_with(REFUSED), check);
}

#[test]
fn every_case_in_javascript_comes_out_as_written() {
    check_all(19, |name| name.starts_with(JAVASCRIPT), check);
}

#[test]
fn what_cannot_be_deployed_of_javascript_is_refused_by_file_and_line_and_the_neighbour_goes_on() {
    let neighbour = Folder::script("well", "export default { fetch: () => new Response(\"well\\n\") };\n", "");
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(neighbour.path());
    check_all(
        25,
        |name| name.starts_with(REFUSED),
        |case| {
            let folder = prepare(case);
            let ended = node.cli_in(folder.path(), &["deploy", "--yes"]);
            let expected = fs::read_to_string(case.join("refused.txt")).expect("each case says how it is refused");
            compare(case, "refused.txt", &format!("exit {}\n{}", ended.code, ended.stderr), &expected);
            assert_eq!(node.get("/").expect(200).text(), "well\n", "the neighbour answers");
        },
    );
    assert_eq!(node.api("/v1/apps").as_array().map(Vec::len), Some(1), "nothing of it is deployed");
    let resident = node.resident_kib();
    assert!(resident < 512 << 10, "{resident} KiB are resident");
    assert_eq!(node.stop(), 0);
}

/// Checks all cases that are meant, and tells of all that fail.
fn check_all(least: usize, is_meant: impl Fn(&str) -> bool, check: impl Fn(&Path)) {
    let mut cases: Vec<_> = entries(&repository().join("tests/cases")).into_iter().filter(|path| path.is_dir()).collect();
    cases.retain(|case| case.file_name().is_some_and(|name| is_meant(&name.to_string_lossy())));
    cases.sort();
    assert!(cases.len() >= least, "only {} cases", cases.len());
    let failed: Vec<_> = cases.iter().filter(|case| catch_unwind(AssertUnwindSafe(|| check(case))).is_err()).collect();
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

/// A folder with the app of a case.
fn prepare(case: &Path) -> Folder {
    let manifest = fs::read_to_string(case.join("dayfly.toml")).expect("each case has a manifest");
    let programs = program("hello").parent().expect("a folder").display().to_string();
    let folder = Folder::with_manifest(&manifest.replace("PROGRAMS", &programs));
    copy_app(case, &folder);
    if let Ok(names) = fs::read_to_string(case.join("packages.txt")) {
        packages::install(&folder, names.lines());
    }
    folder
}

fn check(case: &Path) {
    let folder = prepare(case);
    let read = |name: &str| fs::read_to_string(case.join(name));
    if let Ok(expected) = read("config.txt") {
        let finished = run(dayfly(folder.path(), ["config"]));
        return compare(
            case,
            "config.txt",
            &format!("exit {}\n{}{}", finished.code, finished.stdout, finished.stderr),
            &expected,
        );
    }
    let node = Node::up(folder.path());
    let mut requests: Vec<_> =
        entries(case).into_iter().filter(|path| path.extension().is_some_and(|end| end == "http")).collect();
    requests.sort();
    assert!(!requests.is_empty(), "{} asks nothing", case.display());
    for file in requests {
        let answer = node.send(&parse(&fs::read_to_string(&file).expect("readable")));
        let expected = file.with_extension("txt");
        let name = expected.file_name().expect("a name").to_string_lossy().into_owned();
        compare_answer(case, &name, &answer, &fs::read_to_string(&expected).expect("each request has its answer"));
        // So that requests are printed in the order in which they were sent. What no function answered is not printed.
        if answer.header("x-request-id").is_some() {
            node.record_of(&answer);
        }
    }
    if let Ok(expected) = read("printed.txt") {
        let printed = eventually_fits(&node, &expected);
        compare(case, "printed.txt", &printed, &expected);
    }
}

/// The app's own files, in the folder of the case and one below.
fn copy_app(case: &Path, folder: &Folder) {
    for path in entries(case) {
        let about = path.extension().is_some_and(|end| ABOUT.iter().any(|about| end == *about)) || path.ends_with("dayfly.toml");
        if path.is_dir() {
            let name = path.file_name().expect("a name");
            fs::create_dir_all(folder.path().join(name)).expect("the folder is ours");
            for file in entries(&path) {
                fs::copy(&file, folder.path().join(name).join(file.file_name().expect("a name"))).expect("the folder is ours");
            }
        } else if !about {
            fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("the folder is ours");
        }
    }
}

/// What the node printed, once it is as expected or will not be.
fn eventually_fits(node: &Node, expected: &str) -> String {
    let mut tries = 0;
    eventually("the node prints", || {
        tries += 1;
        let printed = node.stdout();
        (fits(&printed, expected) || tries > 1_200).then_some(printed)
    })
}

fn parse(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").map_or((text.trim_end(), None), |(head, body)| (head, Some(body)));
    let mut lines = head.lines();
    let (method, target) =
        lines.next().and_then(|line| line.split_once(' ')).expect("a request begins with its method and target");
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    let method = methods.into_iter().find(|known| *known == method).expect("a known method");
    let request = lines
        .filter_map(|line| line.split_once(": "))
        .fold(Request::get(target), |request, (name, value)| request.header(name, value));
    Request { body: body.map(|body| body.as_bytes().to_vec()), ..request.method(method) }
}

fn compare_answer(case: &Path, name: &str, answer: &Response, expected: &str) {
    let (head, body) = expected.split_once("\n\n").expect("an answer is a head, an empty line and a body");
    let mut lines = head.lines();
    let status = lines.next().expect("an answer begins with its status");
    compare(case, name, &answer.status.to_string(), status);
    for line in lines {
        let found = answer.headers.iter().any(|(name, value)| fits(&format!("{name}: {value}"), line));
        assert!(found, "{}/{name}: no field {line} in {:?}", case.display(), answer.headers);
    }
    compare(case, name, &answer.text(), body);
}

fn compare(case: &Path, name: &str, got: &str, expected: &str) {
    assert!(fits(got, expected), "{}/{name} expects:\n{expected}\ngot:\n{got}", case.display());
}
