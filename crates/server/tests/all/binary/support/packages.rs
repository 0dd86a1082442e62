//! Packages from npm in an app's folder, as `npm install` would leave them there. `cargo xtask clients` brings them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Folder, repository};

/// Where they lie.
fn installed() -> PathBuf {
    let path = repository().join("target/npm/node_modules");
    assert!(path.is_dir(), "{} is missing: run `cargo xtask clients`", path.display());
    path
}

/// Puts packages into the app's `node_modules`. What they depend on has to be named as well; `@scope` names all packages of a scope.
pub(crate) fn install<'a>(folder: &Folder, names: impl Iterator<Item = &'a str>) {
    for name in names {
        copy(&installed().join(name), &folder.path().join("node_modules").join(name));
    }
}

/// A program that one of them brings.
pub(crate) fn program(name: &str) -> PathBuf {
    installed().join(".bin").join(name)
}

/// Only what the program reads: modules, manifests, types. Hard links where the folders share a disk, since packages have thousands of files.
fn copy(from: &Path, into: &Path) {
    fs::create_dir_all(into).expect("the folder is ours");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask clients`", from.display())) {
        let path = entry.expect("an entry").path();
        let target = into.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else if path
            .extension()
            .is_some_and(|end| ["js", "mjs", "cjs", "json", "ts", "mts", "cts"].iter().any(|kind| end == *kind))
            && fs::hard_link(&path, &target).is_err()
        {
            fs::copy(&path, &target).expect("the folder is ours");
        }
    }
}
