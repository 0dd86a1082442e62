//! Where a database lies: its name as a path, and the names of those that exist. A name never leaves its folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ports::{StoreError, sql::DatabaseName};

/// Bytes of one part of a name.
const PART_MAX: usize = 64;
/// App, environment and database.
const PARTS: usize = 3;
const ENDING: &str = ".sqlite";

/// The database's file below the folder.
///
/// # Errors
/// `Rejected` if the name is not three parts of letters, digits, `-` and `_`.
pub(super) fn path_of(root: &Path, name: &DatabaseName) -> Result<PathBuf, StoreError> {
    let parts: Vec<&str> = name.0.split('/').collect();
    let [app, env, database] = parts[..] else { return Err(unfit(name)) };
    if parts.iter().all(|part| is_safe(part)) {
        Ok(root.join(app).join(env).join(format!("{database}{ENDING}")))
    } else {
        Err(unfit(name))
    }
}

fn is_safe(part: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=PART_MAX).contains(&part.len()) && part.bytes().all(is_fit)
}

fn unfit(name: &DatabaseName) -> StoreError {
    StoreError::Rejected(format!("{:?} is no database's name: letters, digits, - and _, as app/env/name", name.0))
}

/// The databases that exist and begin with the prefix, by name.
pub(super) fn all(root: &Path, prefix: &str) -> io::Result<Vec<DatabaseName>> {
    let mut found = Vec::new();
    descend(root, &mut Vec::new(), &mut found)?;
    found.retain(|name: &DatabaseName| name.0.starts_with(prefix));
    found.sort();
    Ok(found)
}

fn descend(folder: &Path, above: &mut Vec<String>, found: &mut Vec<DatabaseName>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if above.len() + 1 < PARTS {
            if is_safe(&name) && entry.file_type()?.is_dir() {
                above.push(name);
                descend(&entry.path(), above, found)?;
                above.pop();
            }
        } else if let Some(database) = name.strip_suffix(ENDING).filter(|database| is_safe(database)) {
            found.push(DatabaseName(format!("{}/{database}", above.join("/"))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_the_folder() {
        let path = |name: &str| path_of(Path::new("/data"), &DatabaseName(name.into())).ok();
        assert_eq!(path("shop/dev/main"), Some(PathBuf::from("/data/shop/dev/main.sqlite")));
        for bad in ["", "a", "a/b", "a/b/c/d", "../b/c", "a/../c", "a/b/..", "a//c", "a/b/c.d", "a/b/c\0", "/a/b", "a/b/é"] {
            assert_eq!(path(bad), None, "{bad:?}");
        }
        assert_eq!(path(&format!("a/b/{}", "x".repeat(65))), None);
    }
}
