//! Watching an app's folder for changes that matter.

use std::{
    path::{Component, Path, PathBuf},
    time::Duration,
};

use notify::RecursiveMode;
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tokio::sync::mpsc;
use types::{Code, Problem};

/// Changes that come together are one: editors write a file in several steps.
const SETTLE_TIME: Duration = Duration::from_millis(40);

/// A watch over a folder, until it is dropped.
pub(crate) struct Watch {
    changes: mpsc::Receiver<Vec<PathBuf>>,
    _debouncer: Debouncer<notify::RecommendedWatcher, RecommendedCache>,
}

impl Watch {
    /// Watches a folder and all below it.
    ///
    /// # Errors
    /// `E0513` if the system can't watch it.
    pub(crate) fn start(folder: &Path) -> Result<Self, Problem> {
        let failed = |error: notify::Error| {
            Problem::new(Code::E0513, format!("cannot watch {}: {error}", folder.display()))
                .help("sysctl fs.inotify.max_user_watches=524288, or dayfly up --no-watch")
        };
        // One change waiting is enough: whoever takes it builds what is there then.
        let (sender, changes) = mpsc::channel(1);
        let root = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let watched = root.clone();
        let heard = move |result: DebounceEventResult| {
            let Ok(events) = result else { return };
            let changing = events.into_iter().filter(|event| !event.kind.is_access());
            let paths: Vec<PathBuf> =
                changing.flat_map(|event| event.event.paths).filter(|path| matters(&watched, path)).collect();
            if !paths.is_empty() {
                // A full channel means that a build is due anyway.
                drop(sender.try_send(paths));
            }
        };
        let mut debouncer = new_debouncer(SETTLE_TIME, None, heard).map_err(failed)?;
        debouncer.watch(&root, RecursiveMode::Recursive).map_err(failed)?;
        Ok(Self { changes, _debouncer: debouncer })
    }

    /// The next change.
    ///
    /// # Cancel safety
    /// No change is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Vec<PathBuf> {
        match self.changes.recv().await {
            Some(paths) => paths,
            None => std::future::pending().await,
        }
    }
}

/// Whether a changed path can change what is served: build output, our own data and version control can't.
fn matters(root: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let ignored = |part: &str| part == "target" || part == "node_modules" || (part.starts_with('.') && part.len() > 1);
    let parts = inside.components().filter_map(|part| if let Component::Normal(part) = part { part.to_str() } else { None });
    let backup = inside.to_str().is_none_or(|name| name.ends_with('~') || name.ends_with(".swp"));
    // Cargo writes its lock file while it builds; a dependency changes through Cargo.toml.
    let lock = inside.file_name().is_some_and(|name| name == "Cargo.lock");
    !inside.as_os_str().is_empty() && !backup && !lock && !parts.clone().any(ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_matter() {
        let root = Path::new("/app");
        for path in ["/app/dayfly.toml", "/app/api/src/lib.rs", "/app/api.wasm", "/app/api/Cargo.toml"] {
            assert!(matters(root, Path::new(path)), "{path}");
        }
        for path in
            ["/app/.dayfly/kv/x", "/app/api/target/x.wasm", "/app/.git/index", "/app/api/src/lib.rs~", "/app/Cargo.lock", "/app"]
        {
            assert!(!matters(root, Path::new(path)), "{path}");
        }
    }
}
