//! An app's folder, and the components that `cargo xtask programs` builds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// The root of the checkout.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the crate lies in the repository")
}

/// A component of `target/programs`, by its name without the ending.
///
/// # Panics
/// If it is not there; the message names the command that builds it.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = repository().join("target/programs").join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing; build it with: cargo xtask programs", path.display());
    path
}

/// A folder of a test's own, gone with its handle.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("dayfly-e2e-").tempdir().expect("a temporary folder"))
    }
    /// A folder with a manifest.
    pub(crate) fn with_manifest(manifest: &str) -> Self {
        let folder = Self::new();
        folder.write("dayfly.toml", manifest);
        folder
    }
    /// An app of one function `api` that answers everything with a test program; `more` are further lines of its table.
    pub(crate) fn app(app: &str, name: &str, more: &str) -> Self {
        Self::with_manifest(&manifest(app, &program(name), more))
    }
    /// An app of one function `api` that answers everything with code of `api.ts`; `more` are further lines of its table.
    pub(crate) fn script(app: &str, code: &str, more: &str) -> Self {
        let folder = Self::with_manifest(&manifest(app, "api.ts".as_ref(), more));
        folder.write("api.ts", code);
        folder
    }
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
    /// Writes a file beside and moves it into place, as careful editors do.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let beside = self.file(".beside");
        fs::write(&beside, contents).expect("the folder is ours");
        fs::rename(beside, self.file(name)).expect("the folder is ours");
    }
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).expect("the file is there")
    }
}

/// A manifest with one function `api` that answers everything.
pub(crate) fn manifest(app: &str, component: &Path, more: &str) -> String {
    format!("app = \"{app}\"\n\n[fn.api]\npath = \"{}\"\nroute = [\"/\", \"/{{*rest}}\"]\n{more}\n", component.display())
}
