//! `dayfly eval`: one expression, several from a pipe, several at a terminal.

use std::{fs::File, process::Command};

use super::super::support::{Finished, Folder, Node, assert_has, repository, run};

/// A node with a function that keeps something.
fn node() -> (Folder, Node) {
    let folder = Folder::script(
        "shop",
        "export default { async fetch(r, env) { await env.kv.things.put(\"a\", \"seven\"); return new Response(\"kept\\n\"); } };\n",
        "uses = [\"kv.things\"]\nenv = { GREETING = \"hello\" }",
    );
    let node = Node::up(folder.path());
    node.get("/").expect(200);
    (folder, node)
}

#[test]
fn an_expression_runs_in_the_environment_of_a_function() {
    let (_folder, node) = node();
    let eval = |code: &str| node.cli(&["eval", code]);
    assert_has(&eval("await env.kv.things.get(\"a\")").expect_done().stdout, "seven");
    assert_has(&eval("env.GREETING.length + 2").expect_done().stdout, "7");
    assert_has(&eval("[1, 2, 3].map((n) => n * 2)").expect_done().stdout, "2");
    let thrown = eval("null.nothing").expect_code(1);
    assert_has(&(thrown.stdout + &thrown.stderr), "TypeError");
    let refused = eval("this is no expression").expect_code(1);
    assert_has(&(refused.stdout + &refused.stderr), "SyntaxError");
}

#[test]
fn what_an_expression_logs_is_shown_beside_its_value() {
    let (_folder, node) = node();
    let logged = node.cli(&["eval", "console.log(\"a\\nb\"); console.warn(\"careful\"); 40 + 2"]).expect_done();
    assert_eq!(logged.stdout, "42\n", "a value is data, and nothing else is");
    assert_has(&logged.stderr, "   | info     a\n   |          b\n   | warn     careful\n");
    let thrown = node.cli(&["eval", "console.error(\"before\"); throw new Error(\"after\")"]).expect_code(1);
    let (before, after) = thrown.stderr.split_once("error[E0519]: Error: after").expect("the exception is told");
    assert_has(before, "   | error    before\n");
    assert_eq!(after.matches("Error: after").count(), 0, "once: {after}");
    // More lines than a record has room for are asked for.
    let many = node.cli(&["eval", "for (let n = 0; n < 100; n++) console.log(`line ${n}.`)"]).expect_done().stderr;
    assert!((0..100).all(|n| many.contains(&format!("line {n}."))), "{many}");
    let json = node.cli(&["eval", "--json", "console.log(1); 2"]).expect_done();
    assert_eq!((json.json()["value"].as_str(), json.stderr.as_str()), (Some("2"), ""));
}

/// `dayfly eval` with these expressions on standard input.
fn piped(node: &Node, folder: &Folder, text: &str) -> Finished {
    folder.write("expressions.js", text);
    let mut command = node.command(["eval"]);
    command.stdin(File::open(folder.file("expressions.js")).expect("it was just written"));
    run(command)
}

#[test]
fn expressions_from_a_pipe_are_evaluated_one_after_the_other() {
    let (folder, node) = node();
    let told = piped(
        &node,
        &folder,
        "1 + 1\n\nlet kept = 7; kept\n[\n  1,\n\n  2,\n].length\nconsole.log(`a\nb`)\ntypeof kept\n\"last\"",
    );
    let told = told.expect_done();
    assert_eq!(told.stdout, "2\n7\n2\nundefined\n'undefined'\n'last'\n");
    assert_has(&told.stderr, "   | info     a\n   |          b\n");
    // One that fails does not end the others, and is not forgotten.
    let failed = piped(&node, &folder, "1\nnull.nothing\n)(\n2\n(3").expect_code(1);
    assert_eq!(failed.stdout, "1\n2\n");
    assert_eq!(failed.stderr.matches("error[E0519]").count(), 3, "{}", failed.stderr);
    assert_has(&piped(&node, &folder, "\n").expect_code(2).stderr, "error[E0707]");
}

#[test]
fn expressions_at_a_terminal_are_asked_for_until_the_person_ends() {
    let (_folder, node) = node();
    let python = repository().join("target/clients/bin/python");
    assert!(python.exists(), "{} is missing: run `cargo xtask clients`", python.display());
    let mut command = Command::new(python);
    command.arg("-B").arg(repository().join("tests/clients/eval_terminal.py"));
    let eval = node.command(["eval"]);
    command.arg(eval.get_program()).args(eval.get_args()).current_dir(eval.get_current_dir().expect("it has one"));
    for (name, value) in eval.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // Where tests run by themselves nobody is there to ask; here somebody is.
    command.env_remove("CI").env("TERM", "xterm");
    assert_has(&run(command).expect_done().stdout, "as it should be");
}
