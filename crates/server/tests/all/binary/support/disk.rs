//! A disk so small that a test can fill it.

use std::{fs, io::Write as _, path::PathBuf, process::Command};

use super::Folder;

/// A small disk that is unmounted with its handle.
pub(crate) struct SmallDisk(Folder);

impl SmallDisk {
    pub(crate) fn mount(mebibytes: u32) -> Self {
        let folder = Folder::new();
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "dayfly-e2e"]).arg(folder.path()).output();
        let mounted = mounted.expect("mount is installed");
        let why = String::from_utf8_lossy(&mounted.stderr);
        assert!(
            mounted.status.success(),
            "this test mounts a small tmpfs, which takes root (sudo -E cargo test -p server): {why}"
        );
        Self(folder)
    }
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.file(name)
    }
    /// Takes all the room there is, by the file that it answers with.
    pub(crate) fn fill(&self) -> PathBuf {
        let filler = self.file("filler");
        let mut file = fs::File::create(&filler).expect("the disk is ours");
        for size in [1 << 20, 64 << 10, 4096, 1] {
            while file.write_all(&vec![0xee; size]).is_ok() {}
        }
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}
