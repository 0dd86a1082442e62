//! Rules that the source keeps, as functions from a workspace to what breaks them. An empty answer is a kept rule.
//!
//! They read files and know nothing of cargo, so each rule is also tried on a small workspace that breaks it.

mod docs;
mod edges;
mod sizes;
mod text;
mod words;

pub use docs::error_pages;
pub use edges::{Edge, Only, only_one_names, star};
pub use sizes::{Sinner, file_sizes, function_sizes};
pub use words::{Exception, clocks, headers, ignored_tests, machine_paths};

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// One line for each thing that breaks a rule.
pub type Broken = Vec<String>;

/// A workspace as it lies on the disk.
pub struct Workspace {
    root: PathBuf,
    /// The manifests of the crates, by name.
    crates: BTreeMap<String, toml::Table>,
    /// Every Rust file of our own code, by its path from the root with `/` between.
    sources: BTreeMap<String, Source>,
}

struct Source {
    text: String,
    /// The text without comments and literals, lines kept.
    code: String,
}

impl Workspace {
    /// Reads the manifests and sources below `crates/` and `xtask/`.
    ///
    /// # Panics
    /// If something can't be read: then no rule can be judged.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let mut crates = BTreeMap::new();
        for folder in children(&root.join("crates")) {
            let manifest = folder.join("Cargo.toml");
            if manifest.is_file() {
                let table = read(&manifest).parse().unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
                crates.insert(name_of(&folder), table);
            }
        }
        let mut sources = BTreeMap::new();
        for file in [root.join("crates"), root.join("xtask")].iter().flat_map(|folder| files_below(folder)) {
            if file.extension().is_some_and(|extension| extension == "rs") {
                let text = read(&file);
                sources.insert(below(root, &file), Source { code: text::code_of(&text), text });
            }
        }
        Self { root: root.to_path_buf(), crates, sources }
    }

    /// The workspace that this crate is part of.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    #[must_use]
    pub fn ours() -> Self {
        Self::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("this crate is in a workspace"))
    }

    /// Sources inside `src` folders: what becomes part of the product.
    fn product_sources(&self) -> impl Iterator<Item = (&String, &Source)> {
        self.sources.iter().filter(|(path, _)| path.contains("/src/") && !path.contains("/tests/"))
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn below(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/")
}

/// What a folder holds, in order; nothing if it does not exist.
fn children(folder: &Path) -> Vec<PathBuf> {
    let mut children: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    children.sort();
    children
}

/// Every file below a folder but what tools made.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    const MADE: [&str; 4] = ["target", "node_modules", ".git", "__pycache__"];
    let mut files = Vec::new();
    for path in children(folder) {
        if path.is_symlink() || MADE.contains(&name_of(&path).as_str()) {
            continue;
        }
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}
