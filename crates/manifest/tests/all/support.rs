//! A folder in memory, and the two checks that all cases use.

use std::{collections::BTreeMap, io};

use expect_test::Expect;
use manifest::{Files, Found, Loaded, parse};
use types::{EnvName, Problem};

/// Files by path; folders are what files lie in.
#[derive(Debug, Default, Clone)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, String>);

impl Memory {
    /// What the cases use: a Cargo package `api`, a component `done.wasm`, and a folder with neither.
    pub(crate) fn usual() -> Self {
        Self::of(&[
            ("api/Cargo.toml", ""),
            ("api/src/lib.rs", ""),
            ("done.wasm", ""),
            ("site/index.js", ""),
            ("site/package.json", ""),
        ])
    }
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
    pub(crate) fn with(mut self, path: &str, text: &str) -> Self {
        self.0.insert(path.into(), text.into());
        self
    }
}

impl Files for Memory {
    fn found(&self, path: &str) -> Found {
        let folder = format!("{path}/");
        match self.0.contains_key(path) {
            true => Found::File,
            false if self.0.keys().any(|name| name.starts_with(&folder)) => Found::Folder,
            false => Found::Nothing,
        }
    }
    fn names(&self, folder: &str) -> Vec<String> {
        let folder = format!("{folder}/");
        self.0
            .keys()
            .filter_map(|name| name.strip_prefix(&folder))
            .map(|rest| rest.split('/').next().unwrap_or(rest).to_owned())
            .collect()
    }
    fn read(&self, path: &str) -> io::Result<String> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

pub(crate) fn env(name: &str) -> EnvName {
    name.parse().expect("a name")
}

pub(crate) fn load(source: &str, env_name: &str) -> Result<Loaded, Vec<Problem>> {
    parse(source, "dayfly.toml", &env(env_name), &Memory::usual())
}

/// Compares all problems of a manifest, as a person sees them, without the line that is the same for all.
pub(crate) fn check(source: &str, expected: Expect) {
    check_in(source, "dev", &Memory::usual(), expected);
}

pub(crate) fn check_in(source: &str, env_name: &str, files: &dyn Files, expected: Expect) {
    let problems = parse(source, "dayfly.toml", &env(env_name), files).expect_err("a refused manifest");
    expected.assert_eq(&render(&problems));
}

pub(crate) fn render(problems: &[Problem]) -> String {
    let shown: String = problems.iter().map(Problem::render).collect();
    shown.lines().filter(|line| !line.starts_with("  = why:")).map(|line| format!("{line}\n")).collect()
}
