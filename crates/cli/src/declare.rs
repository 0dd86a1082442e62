//! TypeScript declarations beside a manifest, for editors: written when they are asked for, and kept as the manifest says from then on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use script::declarations;
use types::{App, Code, Problem};

/// The file with what all apps share.
pub(crate) const FILE: &str = "dayfly.d.ts";
/// The file with what the app's manifest says.
pub(crate) const ENV_FILE: &str = "dayfly-env.d.ts";

/// Writes both files beside the manifest, and gives those that changed.
///
/// # Errors
/// `E0601` if a file can't be written.
pub(crate) fn write(folder: &Path, app: &App) -> Result<Vec<PathBuf>, Problem> {
    let files = [(FILE, declarations::DAYFLY.to_owned()), (ENV_FILE, declarations::env(app))];
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|before| before == text) {
            continue;
        }
        let failed = |error| Problem::new(Code::E0601, format!("cannot write {}: {error}", path.display()));
        fs::write(&path, text).map_err(failed)?;
        written.push(path);
    }
    Ok(written)
}

/// Writes them again if the folder has them.
///
/// # Errors
/// As [`write`].
pub(crate) fn refresh(folder: &Path, app: &App) -> Result<Vec<PathBuf>, Problem> {
    if folder.join(ENV_FILE).is_file() { write(folder, app) } else { Ok(Vec::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_only_written_when_it_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = App::empty("shop".parse().expect("a name"), "dev".parse().expect("a name"));
        assert_eq!(refresh(folder.path(), &app), Ok(Vec::new()));
        assert_eq!(write(folder.path(), &app).map(|written| written.len()), Ok(2));
        assert_eq!(refresh(folder.path(), &app), Ok(Vec::new()));
        fs::write(folder.path().join(ENV_FILE), "old").expect("written");
        assert_eq!(refresh(folder.path(), &app), Ok(vec![folder.path().join(ENV_FILE)]));
    }
}
