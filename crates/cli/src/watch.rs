//! Watching an app's folder for changes that matter, and the files elsewhere that its scripts are made from.
//!
//! A file that is being written can't be told from one that was written, but where the system says when a writer closes it. Where it does, a
//! save is heard of within a few milliseconds; everything else waits until nothing came for a while.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind},
};
use tokio::sync::Notify;
use types::{Code, Problem};

use crate::stopwatch::Stopwatch;

/// Changes that come together are one: editors write a file in several steps.
const SETTLE_TIME: Duration = Duration::from_millis(40);
/// The same once every file that was written to is closed: what is left is the next file of several.
const CLOSED_SETTLE_TIME: Duration = Duration::from_millis(4);
/// Where something is written all the time, what came so far is a change all the same.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// The most paths that are kept of one change; who hears of so many looks at everything anyway.
const PATHS: usize = 1_000;

/// A watch over a folder, until it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    watcher: RecommendedWatcher,
    /// Folders outside of the app's that are watched too.
    beside: HashSet<PathBuf>,
}

struct Shared {
    root: PathBuf,
    heard: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Files that matter wherever they lie.
    followed: BTreeSet<PathBuf>,
    changed: BTreeSet<PathBuf>,
    /// Files that were written to and not yet closed.
    open: HashSet<PathBuf>,
    /// Runs since the first change that nobody took.
    since: Option<Stopwatch>,
    /// Counts what was heard, so that quiet can be told.
    heard: u64,
}

/// Something that changed.
pub(crate) struct Change {
    pub(crate) paths: Vec<PathBuf>,
    /// Runs since the first of it was heard of.
    pub(crate) since: Stopwatch,
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
        let root = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let shared = Arc::new(Shared { root: root.clone(), heard: Notify::new(), state: Mutex::default() });
        let hears = shared.clone();
        let heard = move |event: notify::Result<Event>| {
            if let Ok(event) = event {
                hears.hear(event);
            }
        };
        let mut watcher = notify::recommended_watcher(heard).map_err(failed)?;
        watcher.watch(&root, RecursiveMode::Recursive).map_err(failed)?;
        Ok(Self { shared, watcher, beside: HashSet::new() })
    }

    /// Has these files matter too, wherever they lie: what scripts were made from. They are without symbolic links.
    pub(crate) fn follow(&mut self, files: &BTreeSet<PathBuf>) {
        let outside = files.iter().filter(|file| !file.starts_with(&self.shared.root)).filter_map(|file| file.parent());
        for folder in outside {
            // Who can't watch a folder elsewhere still serves what is in this one.
            if !self.beside.contains(folder) && self.watcher.watch(folder, RecursiveMode::NonRecursive).is_ok() {
                self.beside.insert(folder.to_owned());
            }
        }
        self.shared.state().followed.clone_from(files);
    }

    /// The next change.
    ///
    /// # Cancel safety
    /// No change is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Change {
        loop {
            let Some((heard, since, pause)) = self.shared.pending() else {
                self.shared.heard.notified().await;
                continue;
            };
            let is_quiet = tokio::time::timeout(pause, self.shared.heard.notified()).await.is_err();
            let is_same = self.shared.pending().is_some_and(|(now, ..)| now == heard);
            if !(is_quiet && is_same) && since.elapsed() < WAIT_MAX {
                continue;
            }
            let mut state = self.shared.state();
            state.open.clear();
            let (changed, since) = (std::mem::take(&mut state.changed), state.since.take());
            if let Some(since) = since {
                return Change { paths: changed.into_iter().collect(), since };
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits to be taken: the count of what was heard, since when, and how long it has to stay quiet.
    fn pending(&self) -> Option<(u64, Stopwatch, Duration)> {
        let state = self.state();
        let pause = if state.open.is_empty() { CLOSED_SETTLE_TIME } else { SETTLE_TIME };
        Some((state.heard, state.since?, pause))
    }

    fn hear(&self, Event { kind, paths, .. }: Event) {
        let is_closed = match kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
            // Who may read a file, and when it was written, is no change of it.
            EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => return,
            // A file that was moved here, or away, is as it will be.
            EventKind::Modify(ModifyKind::Name(_)) | EventKind::Remove(_) => true,
            _ => false,
        };
        let mut state = self.state();
        let mut is_heard = false;
        for path in paths {
            if !(state.followed.contains(&path) || matters(&self.root, &path)) {
                continue;
            }
            is_heard = true;
            if is_closed {
                state.open.remove(&path);
            } else if state.open.len() < PATHS {
                state.open.insert(path.clone());
            }
            if state.changed.len() < PATHS {
                state.changed.insert(path);
            }
        }
        if is_heard {
            state.heard += 1;
            state.since.get_or_insert_with(Stopwatch::start);
            drop(state);
            self.heard.notify_one();
        }
    }
}

/// Whether a changed path can change what is served: build output, installed packages, our own data and version control can't. What
/// scripts were made from is followed by name.
fn matters(root: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(root) else { return false };
    let ignored = |part: &str| part == "target" || part == "node_modules" || (part.starts_with('.') && part.len() > 1);
    let parts = inside.components().filter_map(|part| if let Component::Normal(part) = part { part.to_str() } else { None });
    let backup = inside.to_str().is_none_or(|name| name.ends_with('~') || name.ends_with(".swp"));
    // Cargo writes its lock file while it builds; a dependency changes through Cargo.toml. The declarations are written here.
    let ours = ["Cargo.lock", crate::declare::FILE, crate::declare::ENV_FILE];
    let written = inside.file_name().is_some_and(|name| ours.iter().any(|ours| name == *ours));
    !inside.as_os_str().is_empty() && !backup && !written && !parts.clone().any(ignored)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_sources_matter() {
        let root = Path::new("/app");
        for path in ["/app/dayfly.toml", "/app/api/src/lib.rs", "/app/api.wasm", "/app/api/Cargo.toml", "/app/package.json"] {
            assert!(matters(root, Path::new(path)), "{path}");
        }
        for path in [
            "/app/.dayfly/kv/x",
            "/app/api/target/x.wasm",
            "/app/.git/index",
            "/app/api/src/lib.rs~",
            "/app/Cargo.lock",
            "/app/dayfly-env.d.ts",
            "/app/node_modules/a/index.js",
            "/app",
            "/elsewhere/a.js",
        ] {
            assert!(!matters(root, Path::new(path)), "{path}");
        }
    }

    #[tokio::test]
    async fn saves_are_heard_together_and_followed_files_wherever_they_lie() {
        let whole = tempfile::tempdir().expect("a folder");
        let whole = whole.path().canonicalize().expect("its path");
        let (root, package, shared) = (whole.join("app"), whole.join("app/node_modules/a.js"), whole.join("shared/s.js"));
        for file in [&package, &shared] {
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(file, "1").expect("a file");
        }
        let mut watch = Watch::start(&root).expect("a watch");
        fs::write(&package, "2").expect("written");
        fs::write(root.join("a.js"), "1").expect("written");
        fs::write(root.join("b.js"), "1").expect("written");
        assert_eq!(watch.next().await.paths, [root.join("a.js"), root.join("b.js")]);

        watch.follow(&BTreeSet::from([package.clone(), shared.clone()]));
        fs::write(&package, "3").expect("written");
        assert_eq!(watch.next().await.paths, [package]);
        fs::write(&shared, "2").expect("written");
        assert_eq!(watch.next().await.paths, [shared]);
        // As editors do it: a new file that takes the old one's place.
        fs::write(root.join("a.js~"), "2").expect("written");
        fs::rename(root.join("a.js~"), root.join("a.js")).expect("moved");
        assert_eq!(watch.next().await.paths, [root.join("a.js")]);
    }
}
