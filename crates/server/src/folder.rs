//! The data folder is its owner's alone: what functions logged and stored is in it, and the keys that seal journals.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};

use types::{Code, Problem};

const OWNER_ONLY: u32 = 0o700;

/// Makes the folder, or takes it back from everybody else. Files in it need no care of their own then.
///
/// # Errors
/// `E0601` if it can't be made, or belongs to another user.
pub(crate) fn keep_private(folder: &Path) -> Result<(), Problem> {
    let made = DirBuilder::new().recursive(true).mode(OWNER_ONLY).create(folder);
    let private = made.and_then(|()| fs::set_permissions(folder, Permissions::from_mode(OWNER_ONLY)));
    private.map_err(|error: io::Error| {
        Problem::new(Code::E0601, format!("the data folder {} can't be made private: {error}", folder.display()))
            .help("dayfly server --data <folder>, with a folder of your own")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_gets_in_whether_it_was_there_or_not() {
        let parent = tempfile::tempdir().expect("a folder");
        let (new, open) = (parent.path().join("new/data"), parent.path().join("open"));
        fs::create_dir(&open).expect("a folder");
        fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("it is ours");
        for folder in [new, open] {
            keep_private(&folder).expect("it is ours");
            let mode = fs::metadata(&folder).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, OWNER_ONLY, "{}", folder.display());
        }
    }
}
