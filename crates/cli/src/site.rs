//! The files of a static site: walked, hashed, and sent if the node lacks them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use types::{App, ByteCount, Code, Digest, Problem, limits, wire::api::Artifact};

/// The files of an app's site by their path in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SiteFiles(BTreeMap<String, Local>);

/// A file as it was when it was looked at.
#[derive(Debug, Clone)]
struct Local {
    path: PathBuf,
    artifact: Artifact,
}

impl SiteFiles {
    /// Walks the folder that the manifest names, if it names one.
    ///
    /// # Errors
    /// `E0116` if a file or link can't be taken, or there are too many or too large ones.
    pub(crate) async fn of(folder: &Path, app: &App) -> Result<Self, Problem> {
        let Some(site) = &app.site else { return Ok(Self::default()) };
        let root = folder.join(&site.dir);
        let walked = tokio::task::spawn_blocking(move || walk(&root)).await;
        walked.unwrap_or_else(|error| Err(Problem::new(Code::E0513, format!("reading the site broke off: {error}"))))
    }

    /// Digest and size of each file.
    pub(crate) fn artifacts(&self) -> BTreeMap<String, Artifact> {
        self.0.iter().map(|(path, file)| (path.clone(), file.artifact)).collect()
    }

    /// The bytes of this digest, if a file has it.
    ///
    /// # Errors
    /// `E0116` if the file can't be read or was changed since it was looked at.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Option<Bytes>, Problem> {
        let Some(file) = self.0.values().find(|file| file.artifact.digest == *digest) else { return Ok(None) };
        let bytes = fs::read(&file.path).map_err(|error| unreadable(&file.path, &error))?;
        if Digest::from_bytes(*blake3::hash(&bytes).as_bytes()) != *digest {
            let problem = Problem::new(Code::E0116, format!("{} was changed while it was deployed", file.path.display()));
            return Err(problem.help("deploy again once the site is built"));
        }
        Ok(Some(bytes.into()))
    }
}

fn walk(root: &Path) -> Result<SiteFiles, Problem> {
    let inside = root.canonicalize().map_err(|error| unreadable(root, &error))?;
    let (mut files, mut folders, mut bytes) = (BTreeMap::new(), vec![(root.to_owned(), String::new())], 0_u64);
    let mut seen = std::collections::BTreeSet::from([inside.clone()]);
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            let target = within(&inside, &path)?;
            let name = name_of(&path)?;
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if target.is_dir() {
                // Links inside may lead in circles; each folder is taken once.
                if seen.insert(target) {
                    folders.push((path, name));
                }
                continue;
            }
            let artifact = hash(&path)?;
            bytes += artifact.bytes;
            if bytes > limits::SITE_BYTES.0 {
                return Err(Problem::limit(
                    Code::E0116,
                    "site bytes",
                    format!("over {}", limits::SITE_BYTES),
                    limits::SITE_BYTES,
                ));
            }
            files.insert(name, Local { path, artifact });
            if files.len() > limits::SITE_FILES {
                let problem =
                    Problem::limit(Code::E0116, "site files", format!("over {}", limits::SITE_FILES), limits::SITE_FILES);
                return Err(problem.note(format!("counted in {}", root.display())));
            }
        }
    }
    Ok(SiteFiles(files))
}

/// Where a path leads; a link that leads out of the site would publish what nobody meant to.
fn within(inside: &Path, path: &Path) -> Result<PathBuf, Problem> {
    let target = path.canonicalize().map_err(|error| unreadable(path, &error))?;
    if target.starts_with(inside) {
        return Ok(target);
    }
    let problem = Problem::new(Code::E0116, format!("{} is a link that leads out of the site", path.display()));
    Err(problem.note(format!("it leads to {}", target.display())).help("put a copy of the file in its place"))
}

fn name_of(path: &Path) -> Result<String, Problem> {
    let name = path.file_name().and_then(|name| name.to_str());
    let fits = |name: &&str| !name.contains(|c: char| c.is_control() || c == '\\');
    let unfit = || Problem::new(Code::E0116, format!("{} has a name that no address can hold", path.display()));
    name.filter(fits).map(str::to_owned).ok_or_else(unfit)
}

fn hash(path: &Path) -> Result<Artifact, Problem> {
    let data = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !data.is_file() {
        return Err(Problem::new(Code::E0116, format!("{} is neither a file nor a folder", path.display())));
    }
    if data.len() > limits::SITE_FILE.0 {
        return Err(Problem::limit(Code::E0116, &path.display().to_string(), ByteCount(data.len()), limits::SITE_FILE));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(Artifact { digest: Digest::from_bytes(*blake3::hash(&bytes).as_bytes()), bytes: bytes.len() as u64 })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Code::E0116, format!("{} can't be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_file_is_found_and_read_again() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("a/b")).expect("a folder");
        for (path, text) in [("index.html", "<p>"), ("a/b/c.js", "1"), ("a/.well-known", "x")] {
            fs::write(dir.path().join(path), text).expect("a file");
        }
        symlink("../index.html", dir.path().join("a/link.html")).expect("a link");
        symlink("..", dir.path().join("a/circle")).expect("a link");
        let files = walk(dir.path()).expect("a site");
        let artifacts = files.artifacts();
        assert_eq!(artifacts.keys().collect::<Vec<_>>(), ["a/.well-known", "a/b/c.js", "a/link.html", "index.html"]);
        assert_eq!(files.read(&artifacts["a/b/c.js"].digest).expect("readable"), Some(Bytes::from("1")));
        fs::write(dir.path().join("index.html"), "<b>").expect("a file");
        assert_eq!(files.read(&artifacts["index.html"].digest).expect_err("it changed").code, Code::E0116);
    }

    #[test]
    fn no_link_leads_out() {
        let (dir, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        fs::write(outside.path().join("secret"), "x").expect("a file");
        for (name, target) in [("file", outside.path().join("secret")), ("folder", outside.path().to_owned())] {
            let link = dir.path().join(name);
            symlink(target, &link).expect("a link");
            assert_eq!(walk(dir.path()).expect_err(name).code, Code::E0116);
            fs::remove_file(link).expect("it is there");
        }
        symlink("nothing", dir.path().join("dangling")).expect("a link");
        assert_eq!(walk(dir.path()).expect_err("nothing is there").code, Code::E0116);
    }
}
