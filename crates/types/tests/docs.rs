//! The documentation is whole: every code has its page and its row, and no link leads nowhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use types::Code;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn every_code_has_a_page_and_a_row() {
    let index = read(&docs().join("errors/README.md"));
    for code in Code::ALL {
        let page = read(&docs().join(format!("errors/{code}.md")));
        assert!(page.starts_with(&format!("# {code}: {}\n", code.title())), "the page of {code} begins with its title");
        for part in ["**Measured:** ", "```text\n", "**Mend it:** ", "$ "] {
            assert!(page.contains(part), "the page of {code} has {part:?}");
        }
        let lines = page.lines().count();
        assert!((10..=27).contains(&lines), "the page of {code} has {lines} lines");
        let row = format!("| [{code}]({code}.md) | {} | {} |", code.title(), code.status());
        assert!(index.contains(&row), "the index has {row}");
    }
}

#[test]
fn no_page_is_about_a_code_that_does_not_exist() {
    for entry in fs::read_dir(docs().join("errors")).expect("the folder of pages") {
        let name = entry.expect("a page").file_name().to_string_lossy().into_owned();
        let stem = name.trim_end_matches(".md");
        assert!(stem == "README" || stem.parse::<Code>().is_ok(), "{name}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut folders = vec![docs()];
    let mut links = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of documentation") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                links += check_links(&path);
            }
        }
    }
    assert!(links > Code::ALL.len(), "the index alone has more: {links}");
}

/// Checks the relative links of one page and counts them.
fn check_links(page: &Path) -> usize {
    let text = read(page);
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let relative = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    relative
        .map(|target| {
            let file = page.with_file_name(target.split('#').next().unwrap_or(target));
            assert!(file.exists(), "{} links to {target}", page.display());
        })
        .count()
}
