//! The files around a manifest, behind a trait so that tests and the pure [`parse`](crate::parse) need no disk.

use std::{
    fs,
    io::{self, Read as _},
    path::PathBuf,
};

use types::limits;

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Nothing.
    Nothing,
}

/// The files around a manifest. Paths are relative to its folder, with `/`.
pub trait Files {
    /// What lies at the path.
    fn found(&self, path: &str) -> Found;
    /// The names in a folder, sorted, at most a few: they are shown to a person.
    fn names(&self, folder: &str) -> Vec<String>;
    /// The text of a file; no more than one byte above [`limits::MANIFEST`] is read.
    ///
    /// # Errors
    /// If it can't be read or is not UTF-8.
    fn read(&self, path: &str) -> io::Result<String>;
}

/// The files of a folder on disk.
#[derive(Debug, Clone)]
pub struct Disk(pub PathBuf);

impl Files for Disk {
    fn found(&self, path: &str) -> Found {
        match fs::metadata(self.0.join(path)) {
            Ok(data) if data.is_dir() => Found::Folder,
            Ok(_) => Found::File,
            Err(_) => Found::Nothing,
        }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        const SHOWN: usize = 200;
        let entries = fs::read_dir(self.0.join(folder)).into_iter().flatten().flatten().take(SHOWN);
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn read(&self, path: &str) -> io::Result<String> {
        let mut text = String::new();
        fs::File::open(self.0.join(path))?.take(limits::MANIFEST.0 + 1).read_to_string(&mut text)?;
        Ok(text)
    }
}
