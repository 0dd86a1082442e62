//! Words that must stand in the source, and words that must not.

use super::{Broken, Workspace, files_below};

/// A file that may do what others may not.
#[derive(Debug, Clone, Copy)]
pub struct Exception {
    /// The file, from the root.
    pub file: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Time comes through `ports::Clock`: only `system` asks the machine, and the exceptions. Exceptions that are not used are named.
#[must_use]
pub fn clocks(workspace: &Workspace, exceptions: &[Exception]) -> Broken {
    const CLOCKS: [&str; 2] = ["Instant::now", "SystemTime::now"];
    let mut broken = Broken::new();
    let is_bound = |path: &String| path.starts_with("crates/") && !path.starts_with("crates/system/");
    for (path, source) in workspace.product_sources().filter(|(path, _)| is_bound(path)) {
        let found = CLOCKS.into_iter().find(|clock| source.code.contains(clock));
        let is_excepted = exceptions.iter().any(|exception| exception.file == path.as_str());
        if let Some(clock) = found.filter(|_| !is_excepted) {
            broken.push(format!("{path} calls {clock}: take the time from ports::Clock"));
        }
    }
    for Exception { file, reason } in exceptions {
        let is_used = workspace.sources.get(*file).is_some_and(|source| CLOCKS.iter().any(|clock| source.code.contains(clock)));
        if !is_used || reason.is_empty() {
            broken.push(format!("the exception for {file} is not needed, or has no reason"));
        }
    }
    broken
}

/// Each file of the product opens with what it owns and why.
#[must_use]
pub fn headers(workspace: &Workspace) -> Broken {
    let lacks = |text: &str| !text.trim_start().starts_with("//!");
    let without = workspace.product_sources().filter(|(_, source)| lacks(&source.text));
    without.map(|(path, _)| format!("{path} does not open with //! and what it owns")).collect()
}

/// No test is left out in silence.
#[must_use]
pub fn ignored_tests(workspace: &Workspace) -> Broken {
    let ignores = workspace.sources.iter().filter(|(_, source)| source.code.contains("#[ignore"));
    ignores.map(|(path, _)| format!("{path} ignores a test: what is missing fails, and says which command installs it")).collect()
}

/// No file says where it lay on the machine that wrote it.
#[must_use]
pub fn machine_paths(workspace: &Workspace) -> Broken {
    const TEXT: [&str; 18] = [
        "rs", "toml", "md", "sql", "wit", "json", "js", "ts", "css", "html", "py", "sh", "yml", "yaml", "txt", "http", "svg",
        "lock",
    ];
    const BYTES_MAX: u64 = 4 << 20;
    let root = workspace.root.to_string_lossy().into_owned();
    // A folder right below the root, such as `/tmp`, is on every machine; a deeper one is somebody's.
    let is_somebodys = |parent: &&std::path::Path| parent.components().count() > 2;
    let parent = workspace.root.parent().filter(is_somebodys).map(|parent| format!("{}/", parent.to_string_lossy()));
    let is_text = |path: &std::path::Path| path.extension().is_some_and(|e| TEXT.contains(&&*e.to_string_lossy()));
    let mut broken = Broken::new();
    for file in files_below(&workspace.root) {
        let is_readable = is_text(&file) && file.metadata().is_ok_and(|metadata| metadata.len() <= BYTES_MAX);
        let Some(text) = std::fs::read_to_string(&file).ok().filter(|_| is_readable) else { continue };
        if [Some(&root), parent.as_ref()].into_iter().flatten().any(|path| text.contains(path.as_str())) {
            broken.push(format!("{} names a folder of this machine", super::below(&workspace.root, &file)));
        }
    }
    broken
}
