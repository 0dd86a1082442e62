//! What is written about the command line is true: its reference is generated, and every command in the documentation parses.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::error::ErrorKind;
use expect_test::expect_file;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_reference_is_what_the_commands_say() {
    let mut page = String::from(
        "# Commands\n\nGenerated from the command line itself. Standard output is data, standard error is the rest; how commands end is in\n\
         [exit codes](exit-codes.md).\n",
    );
    let mut all = cli::command().term_width(100);
    all.build();
    push(&mut page, "dayfly", &mut all.clone());
    for verb in all.get_subcommands().filter(|verb| verb.get_name() != "help") {
        push(&mut page, &format!("dayfly {}", verb.get_name()), &mut verb.clone());
    }
    expect_file!["../../../docs/reference/cli.md"].assert_eq(&page);
}

fn push(page: &mut String, title: &str, command: &mut clap::Command) {
    let help = command.render_help().to_string();
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    page.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", help.join("\n")));
}

#[test]
fn the_help_of_every_verb_fits_a_screen() {
    let mut all = cli::command().term_width(100);
    all.build();
    for verb in all.get_subcommands_mut() {
        let lines = verb.render_help().to_string().lines().count();
        assert!(lines <= 40, "{} has {lines} lines of help", verb.get_name());
    }
}

#[test]
fn every_command_in_the_documentation_parses() {
    let mut checked = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        for line in console_lines(&text) {
            for words in commands(line) {
                checked += 1;
                let parsed = cli::command().try_get_matches_from(&words);
                let fine = parsed
                    .as_ref()
                    .err()
                    .is_none_or(|error| matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion));
                assert!(fine, "{}: {line}\n{}", page.display(), parsed.err().map(|error| error.to_string()).unwrap_or_default());
            }
        }
    }
    assert!(checked > 20, "the README alone has more: {checked}");
}

#[test]
fn every_file_and_test_that_architecture_names_exists() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page");
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let is_path = |name: &&&str| name.contains('/') && !name.contains([' ', '<', '\n']);
    let mut checked = 0;
    for name in named.iter().filter(is_path) {
        checked += 1;
        assert!(root().join(name).exists() || root().join("crates").join(name).exists(), "{name}");
    }
    let sources = sources();
    let is_test = |name: &&&str| name.matches('_').count() >= 3 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    for name in named.iter().filter(is_test) {
        checked += 1;
        let declared = format!("fn {name}(");
        assert!(sources.iter().any(|source| source.contains(&declared)), "no test is called {name}");
    }
    assert!(checked > 60, "the page names more: {checked}");
}

/// All Rust source below crates/.
fn sources() -> Vec<String> {
    let (mut sources, mut folders) = (Vec::new(), vec![root().join("crates")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    sources
}

#[test]
fn a_verb_or_flag_that_does_not_exist_would_be_noticed() {
    for line in ["dayfly trase last", "cd hello && dayfly up --prot 1", "DAYFLY_TOKEN=x dayfly deploy --force | cat"] {
        let bad = commands(line).iter().any(|words| cli::command().try_get_matches_from(words).is_err());
        assert!(bad, "{line}");
    }
}

/// README.md, everything below docs/, and the READMEs of templates.
fn pages() -> Vec<PathBuf> {
    let templates = root().join("crates/cli/templates");
    let (mut pages, mut folders) = (vec![root().join("README.md")], vec![root().join("docs"), templates]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("md") => pages.push(path),
                _ => {}
            }
        }
    }
    pages.sort();
    pages
}

/// What is typed in blocks marked `console`.
fn console_lines(text: &str) -> Vec<&str> {
    let mut is_console = false;
    let mut typed = Vec::new();
    for line in text.lines() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            is_console = kind.starts_with("console");
        } else if is_console {
            typed.extend(line.trim_start().strip_prefix("$ "));
        }
    }
    typed
}

/// The words of each call of `dayfly` in a line of shell: enough of its grammar for what the documentation uses.
fn commands(line: &str) -> Vec<Vec<String>> {
    let line = line.split_once("  #").map_or(line, |(command, _)| command);
    // What stands between apostrophes is one word, whatever it says.
    let unspaced = |(at, piece): (usize, &str)| if at % 2 == 1 { "quoted".to_owned() } else { piece.to_owned() };
    let quoted: String = line.split('\'').enumerate().map(unspaced).collect();
    let line = if line.contains("dayfly eval") { quoted.as_str() } else { line };
    let mut calls = Vec::new();
    for part in line.split("&&").flat_map(|part| part.split(['|', ';'])) {
        let is_assignment = |word: &&str| word.contains('=') && !word.starts_with('-');
        let mut words =
            part.split_whitespace().skip_while(is_assignment).take_while(|word| !word.starts_with(['>', '#'])).peekable();
        if words.peek() == Some(&"dayfly") {
            calls.push(words.filter(|word| *word != "&").map(|word| word.trim_matches(['"', '\'']).to_owned()).collect());
        }
    }
    calls
}
