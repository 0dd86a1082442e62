//! Making scripts of JavaScript and TypeScript, with what was read remembered for the next time.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use script::Collector;
use types::{App, Code, Function, Problem};

/// Makes scripts. Copies share what was read.
#[derive(Clone, Default)]
pub(crate) struct Scripts(Arc<Mutex<Collector>>);

/// An artifact, how it was made, and of which files.
type Made = (Bytes, &'static str, BTreeSet<PathBuf>);

impl Scripts {
    /// Makes the script of a function.
    ///
    /// # Errors
    /// Every problem of its files.
    pub(crate) async fn build(&self, folder: &Path, path: &Path, app: &App, function: &Function) -> Result<Made, Vec<Problem>> {
        let (folder, path, app, function) = (folder.to_owned(), path.to_owned(), app.clone(), function.clone());
        let collector = self.0.clone();
        // Reading files and parsing keeps a thread busy for as long as it takes.
        let made = tokio::task::spawn_blocking(move || make(&collector, &folder, &path, &app, &function)).await;
        made.map_err(|error| vec![Problem::new(Code::E0513, format!("making the script broke off: {error}"))])?
    }
}

/// The script of a file alone, without anything in its environment. Its modules are named as those of the app in whose folder it lies.
///
/// # Errors
/// Every problem of its files.
pub(crate) fn alone(file: &Path) -> Result<Bytes, Vec<Problem>> {
    let found = |error: std::io::Error| vec![Problem::new(Code::E0301, format!("{} can't be read: {error}", file.display()))];
    let file = file.canonicalize().map_err(found)?;
    let folder = file.parent().unwrap_or(&file);
    let folder = folder.ancestors().find(|folder| folder.join(manifest::FILE_NAME).is_file()).unwrap_or(folder);
    // Neither names nor grants go into what is made here.
    let name = |error: types::id::InvalidId| vec![Problem::new(Code::E0111, error.to_string())];
    let app = App::empty("replay".parse().map_err(name)?, "dev".parse().map_err(name)?);
    let function = Function::empty("replay".parse().map_err(name)?, file.display().to_string(), types::Build::Script);
    Ok(script::collect(&file, folder, &app, &function)?.artifact().into())
}

/// Whether the file's name is that of a script.
pub(crate) fn is_script(file: &Path) -> bool {
    const ENDINGS: [&str; 8] = ["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];
    file.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

fn make(collector: &Mutex<Collector>, folder: &Path, path: &Path, app: &App, function: &Function) -> Result<Made, Vec<Problem>> {
    let gone = || vec![Problem::new(Code::E0301, format!("the code of {} is gone: {}", function.name, path.display()))];
    let entry = script::entry(path).ok_or_else(gone)?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // What a collector remembers is right after each file, so a panic in another thread leaves nothing half done.
    let mut collector = collector.lock().unwrap_or_else(PoisonError::into_inner);
    let collected = collector.collect(&entry, folder, app, function)?;
    let is_typescript = entry.extension().is_some_and(|extension| extension.to_string_lossy().contains("ts"));
    let how = if is_typescript { "typescript" } else { "javascript" };
    Ok((collected.artifact().into(), how, collected.files))
}
