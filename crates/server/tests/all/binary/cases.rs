//! `tests/cases`: folders of a manifest, requests and what comes of them. Its README says what each file is.

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use super::support::{Folder, Node, Request, Response, dayfly, eventually, program, repository, run, text::fits};

#[test]
fn every_case_comes_out_as_written() {
    let mut cases: Vec<_> = entries(&repository().join("tests/cases")).into_iter().filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 9, "only {} cases", cases.len());
    let failed: Vec<_> = cases.iter().filter(|case| catch_unwind(|| check(case)).is_err()).collect();
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

fn check(case: &Path) {
    let read = |name: &str| fs::read_to_string(case.join(name));
    let programs = program("hello").parent().expect("a folder").display().to_string();
    let manifest = read("dayfly.toml").expect("each case has a manifest").replace("PROGRAMS", &programs);
    let folder = Folder::with_manifest(&manifest);
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

/// What the node printed, once it is as expected or will not be.
fn eventually_fits(node: &Node, expected: &str) -> String {
    let mut tries = 0;
    eventually("the node prints", || {
        tries += 1;
        let printed = node.stdout();
        (fits(&printed, expected) || tries > 200).then_some(printed)
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
