//! A folder of files that a test writes, and its script as text.

use std::{
    fs,
    path::{Path, PathBuf},
};

use script::{Collected, Collector};
use types::{App, Build, Function, Problem};

/// A folder with an app.
pub(crate) struct Folder {
    /// Removed with the test. The app lies one level below, so that there is something above it.
    whole: tempfile::TempDir,
}

impl Folder {
    /// Writes the files. Paths are relative to the app's folder.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self { whole: tempfile::tempdir().expect("a folder") };
        fs::create_dir(folder.root()).expect("the app's folder");
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    /// The app's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.whole.path().join("app")
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
        fs::write(path, text).expect("the file");
    }

    /// Collects a file with nothing remembered.
    pub(crate) fn collect(&self, entry: &str) -> Result<Collected, Vec<Problem>> {
        self.collect_with(&mut Collector::new(), entry)
    }

    /// Collects a file with what is remembered.
    pub(crate) fn collect_with(&self, collector: &mut Collector, entry: &str) -> Result<Collected, Vec<Problem>> {
        let app = app();
        let function = app.functions.values().next().expect("a function");
        collector.collect(&self.root().join(entry), &self.root(), &app, function)
    }

    /// The problems of a file, as people read them.
    pub(crate) fn refused(&self, entry: &str) -> String {
        let problems = self.collect(entry).expect_err("it is refused");
        problems.iter().map(Problem::render).collect::<String>().replace("\u{1b}", "")
    }
}

/// An app with one function and nothing else.
pub(crate) fn app() -> App {
    let mut app = App::empty("app".parse().expect("a name"), "dev".parse().expect("a name"));
    let function = Function::empty("api".parse().expect("a name"), "api.js".into(), Build::Script);
    app.functions.insert(function.name.clone(), function);
    app
}

/// Each module with its kind, its links and its exports, one a line.
pub(crate) fn outline(collected: &Collected) -> String {
    let lines = collected.modules.iter().map(|module| {
        let links = module.links.iter().map(|(specifier, name)| format!(" {specifier}={name}")).collect::<String>();
        let exports = if module.exports.is_empty() { String::new() } else { format!(" [{}]", module.exports.join(" ")) };
        format!("{} {:?}{links}{exports}", module.name, module.kind)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The code of a module.
pub(crate) fn code<'a>(collected: &'a Collected, name: &str) -> &'a str {
    let found = collected.modules.iter().find(|module| module.name == name);
    &found.unwrap_or_else(|| panic!("no module {name} in\n{}", outline(collected))).code
}

/// Makes a symbolic link.
pub(crate) fn link(to: &Path, at: &Path) {
    fs::create_dir_all(at.parent().expect("a parent")).expect("its folder");
    std::os::unix::fs::symlink(to, at).expect("a link");
}
