//! Migrations of databases: the `*.sql` files of the folders that the manifest names.

use std::{collections::BTreeMap, fs, path::Path};

use types::{App, ByteCount, Code, Problem, limits, sql::Migration};

/// The migrations of each database by its name, in the order of their names.
///
/// # Errors
/// `E0117` if a folder or file can't be read, or is over the limits.
pub(crate) fn of(folder: &Path, app: &App) -> Result<BTreeMap<String, Vec<Migration>>, Problem> {
    let named = app.resources.sql.iter().filter_map(|(name, settings)| Some((name, settings.migrations.as_ref()?)));
    named.map(|(name, migrations)| Ok((name.clone(), read(&folder.join(migrations))?))).collect()
}

fn read(folder: &Path) -> Result<Vec<Migration>, Problem> {
    let unreadable =
        |path: &Path, error: std::io::Error| Problem::new(Code::E0117, format!("{} can't be read: {error}", path.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            paths.push(path);
        }
        if paths.len() > limits::MIGRATIONS {
            let (what, measured) = (folder.display().to_string(), format!("over {} files", limits::MIGRATIONS));
            return Err(Problem::limit(Code::E0117, &what, measured, limits::MIGRATIONS));
        }
    }
    let mut migrations = Vec::new();
    for path in paths {
        let bytes = ByteCount(fs::metadata(&path).map_err(|error| unreadable(&path, error))?.len());
        if bytes > limits::MIGRATION {
            return Err(Problem::limit(Code::E0117, &path.display().to_string(), bytes, limits::MIGRATION));
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let sql = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        migrations.push(Migration { name, sql });
    }
    migrations.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(migrations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_their_names_and_others_are_left() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["002-b.sql", "001-a.sql", "010-c.sql", "README.md", "003.sql~"] {
            fs::write(dir.path().join(name), name).expect("a file");
        }
        let names: Vec<String> = read(dir.path()).expect("readable").into_iter().map(|migration| migration.name).collect();
        assert_eq!(names, ["001-a.sql", "002-b.sql", "010-c.sql"]);
        fs::write(dir.path().join("4.sql"), vec![b' '; (1 << 20) + 1]).expect("a file");
        assert_eq!(read(dir.path()).expect_err("too large").code, Code::E0117);
    }
}
