//! What a statement may do: the engine asks here, while it prepares a statement and while it runs one.
//!
//! An app may do anything to its own tables and nothing to what lies outside its file, to the settings of the connection, and to the
//! platform's tables inside the file, whose names begin with `_dayfly_`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};

use parking_lot::Mutex;
use ports::Clock;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

/// Names that begin so are the platform's.
pub(super) const OURS: &str = "_dayfly_";

/// The engine asks whether to go on each time it has done so much, a few microseconds of work.
pub(super) const STEPS_BETWEEN_LOOKS: i32 = 1_000;

/// For whom statements run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mode {
    /// The platform.
    Own,
    /// An app that reads only.
    Reads,
    /// An app.
    Writes,
    /// An app, inside a transaction that is not its own to end.
    Within,
    /// The same for one that reads only.
    ReadsWithin,
}

const MODES: [Mode; 5] = [Mode::Own, Mode::Reads, Mode::Writes, Mode::Within, Mode::ReadsWithin];

impl Mode {
    /// Whether it refuses all writing.
    pub(super) fn is_reading(self) -> bool {
        matches!(self, Self::Reads | Self::ReadsWithin)
    }
    /// The same inside a transaction that is not the app's to end.
    pub(super) fn within(self) -> Self {
        if self.is_reading() { Self::ReadsWithin } else { Self::Within }
    }
}

/// What the platform and the engine's callbacks of one connection tell one another.
pub(super) struct Guard {
    mode: AtomicU8,
    clock: Arc<dyn Clock>,
    /// By the monotonic clock.
    deadline_ns: AtomicU64,
    /// Set when nobody waits any more.
    abandoned: Mutex<Arc<AtomicBool>>,
    refused: Mutex<Option<String>>,
    /// What is noted with changes: the encoded cause.
    cause: Mutex<Option<Vec<u8>>>,
    seen: Seen,
}

/// What was seen since it was last asked.
#[derive(Default)]
struct Seen {
    /// A statement that removes or reshapes a table was prepared: triggers of ours on it would be in its way.
    reshapes: AtomicBool,
    /// Something was undone: what was known of the schema may be wrong.
    undoes: AtomicBool,
    /// A temporary table or the like was made: it lives as long as the connection.
    temporary: AtomicBool,
    /// A change was noted.
    noted: AtomicBool,
}

impl Guard {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            mode: AtomicU8::new(Mode::Own as u8),
            clock,
            deadline_ns: AtomicU64::new(u64::MAX),
            abandoned: Mutex::default(),
            refused: Mutex::default(),
            cause: Mutex::default(),
            seen: Seen::default(),
        })
    }

    pub(super) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }

    pub(super) fn mode(&self) -> Mode {
        MODES[usize::from(self.mode.load(Ordering::SeqCst))]
    }

    /// Statements from now on may run this long together.
    pub(super) fn allow(&self, time: std::time::Duration) {
        let end = self.clock.monotonic_ns().saturating_add(types::Elapsed::from(time).ns());
        self.deadline_ns.store(end, Ordering::SeqCst);
        *self.refused.lock() = None;
    }

    /// Statements stop once this is set.
    pub(super) fn stop_with(&self, abandoned: Arc<AtomicBool>) {
        *self.abandoned.lock() = abandoned;
    }

    /// Whether what runs must stop.
    pub(super) fn is_over(&self) -> bool {
        self.abandoned.lock().load(Ordering::SeqCst) || self.clock.monotonic_ns() > self.deadline_ns.load(Ordering::SeqCst)
    }

    pub(super) fn set_cause(&self, cause: Option<Vec<u8>>) {
        *self.cause.lock() = cause;
    }
    pub(super) fn cause(&self) -> Option<Vec<u8>> {
        self.cause.lock().clone()
    }
    pub(super) fn note(&self) {
        self.seen.noted.store(true, Ordering::SeqCst);
    }
    pub(super) fn take_noted(&self) -> bool {
        self.seen.noted.swap(false, Ordering::SeqCst)
    }
    pub(super) fn take_reshapes(&self) -> bool {
        self.seen.reshapes.swap(false, Ordering::SeqCst)
    }
    pub(super) fn take_undoes(&self) -> bool {
        self.seen.undoes.swap(false, Ordering::SeqCst)
    }
    pub(super) fn has_temporary(&self) -> bool {
        self.seen.temporary.load(Ordering::SeqCst)
    }
    /// Why the last statement was not allowed.
    pub(super) fn refusal(&self) -> Option<String> {
        self.refused.lock().take()
    }

    /// The engine's question, for each thing that a statement would do.
    pub(super) fn authorize(&self, context: &AuthContext<'_>) -> Authorization {
        let mode = self.mode();
        if mode == Mode::Own {
            return Authorization::Allow;
        }
        self.look_at(&context.action);
        if context.accessor.is_some_and(is_ours) && is_noting(&context.action) {
            return Authorization::Allow;
        }
        match judge(&context.action, mode) {
            None => Authorization::Allow,
            Some(why) => {
                self.refused.lock().get_or_insert(why);
                Authorization::Deny
            }
        }
    }

    fn look_at(&self, action: &AuthAction<'_>) {
        let seen = match action {
            AuthAction::AlterTable { .. } | AuthAction::DropTable { .. } | AuthAction::DropVtable { .. } => &self.seen.reshapes,
            AuthAction::Transaction { operation: TransactionOperation::Rollback }
            | AuthAction::Savepoint { operation: TransactionOperation::Rollback, .. } => &self.seen.undoes,
            AuthAction::CreateTempTable { .. }
            | AuthAction::CreateTempView { .. }
            | AuthAction::CreateTempTrigger { .. }
            | AuthAction::CreateTempIndex { .. } => &self.seen.temporary,
            _ => return,
        };
        seen.store(true, Ordering::SeqCst);
    }
}

/// What triggers of ours do that an app may not. The engine names the trigger, but also a query that an app gave a name of ours: so no
/// more is let through here than what no query can do, and two functions that harm nobody.
fn is_noting(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Insert { table_name } => table_name.eq_ignore_ascii_case("_dayfly_change"),
        AuthAction::Function { function_name } => is_ours(function_name),
        _ => false,
    }
}

pub(super) fn is_ours(name: &str) -> bool {
    name.get(..OURS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(OURS))
}

/// Why this may not be done; `None` if it may.
fn judge(action: &AuthAction<'_>, mode: Mode) -> Option<String> {
    if let Some(name) = names(action).into_iter().find(|name| is_ours(name)) {
        return Some(format!("{name} is the platform's"));
    }
    match action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Some("ATTACH, DETACH and VACUUM are not allowed".into()),
        AuthAction::Function { function_name } if is_dangerous(function_name) => {
            Some(format!("the function {function_name} is not allowed"))
        }
        AuthAction::Pragma { pragma_name, pragma_value } => judge_pragma(pragma_name, *pragma_value, mode),
        AuthAction::CreateVtable { module_name, .. } if !is_module(module_name) => {
            Some(format!("virtual tables of {module_name} are not allowed"))
        }
        AuthAction::Transaction { .. } if matches!(mode, Mode::Within | Mode::ReadsWithin) => {
            Some("BEGIN, COMMIT and ROLLBACK are not allowed here: this runs as one transaction already".into())
        }
        AuthAction::Unknown { .. } => Some("the statement is not known".into()),
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. } => None,
        _ if mode.is_reading() => Some("this grant reads only".into()),
        _ => None,
    }
}

/// What the action names that must not be the platform's.
fn names<'a>(action: &AuthAction<'a>) -> Vec<&'a str> {
    match *action {
        AuthAction::CreateTable { table_name }
        | AuthAction::CreateTempTable { table_name }
        | AuthAction::Delete { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::DropTempTable { table_name }
        | AuthAction::Insert { table_name }
        | AuthAction::Read { table_name, .. }
        | AuthAction::Update { table_name, .. }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateVtable { table_name, .. }
        | AuthAction::DropVtable { table_name, .. } => vec![table_name],
        AuthAction::CreateIndex { index_name, table_name }
        | AuthAction::CreateTempIndex { index_name, table_name }
        | AuthAction::DropIndex { index_name, table_name }
        | AuthAction::DropTempIndex { index_name, table_name } => vec![index_name, table_name],
        AuthAction::CreateTrigger { trigger_name, table_name }
        | AuthAction::CreateTempTrigger { trigger_name, table_name }
        | AuthAction::DropTrigger { trigger_name, table_name }
        | AuthAction::DropTempTrigger { trigger_name, table_name } => vec![trigger_name, table_name],
        AuthAction::CreateView { view_name }
        | AuthAction::CreateTempView { view_name }
        | AuthAction::DropView { view_name }
        | AuthAction::DropTempView { view_name } => vec![view_name],
        AuthAction::Function { function_name } => vec![function_name],
        AuthAction::Savepoint { savepoint_name, .. } => vec![savepoint_name],
        _ => vec![],
    }
}

fn is_dangerous(function: &str) -> bool {
    ["load_extension", "fts3_tokenizer"].iter().any(|name| name.eq_ignore_ascii_case(function))
}

fn is_module(module: &str) -> bool {
    const MODULES: [&str; 7] = ["fts5", "fts5vocab", "fts4", "fts4aux", "fts3", "rtree", "rtree_i32"];
    MODULES.iter().any(|name| name.eq_ignore_ascii_case(module))
}

/// Those that tell of the schema or of the file. All others set something, or say where the file lies.
fn judge_pragma(name: &str, value: Option<&str>, mode: Mode) -> Option<String> {
    const OF_TABLES: [&str; 10] = [
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "foreign_key_check",
        "integrity_check",
        "quick_check",
    ];
    const OF_THE_FILE: [&str; 15] = [
        "user_version",
        "schema_version",
        "application_id",
        "page_count",
        "page_size",
        "freelist_count",
        "encoding",
        "collation_list",
        "compile_options",
        "function_list",
        "module_list",
        "pragma_list",
        "foreign_keys",
        "data_version",
        "journal_mode",
    ];
    let is_of = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let is_allowed = is_of(&OF_TABLES)
        || (is_of(&OF_THE_FILE) && value.is_none())
        || (!mode.is_reading() && is_of(&["defer_foreign_keys", "optimize"]));
    (!is_allowed).then(|| format!("PRAGMA {name} is not allowed{}", if value.is_some() { " to set anything" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ours_are_found_in_any_case() {
        for (name, ours) in
            [("_dayfly_change", true), ("_DayFly_x", true), ("_dayfly", false), ("dayfly_x", false), ("é_dayfly_", false)]
        {
            assert_eq!(is_ours(name), ours, "{name}");
        }
    }

    #[test]
    fn pragmas_read_and_do_not_set() {
        assert_eq!(judge_pragma("table_info", Some("t"), Mode::Reads), None);
        assert_eq!(judge_pragma("USER_VERSION", None, Mode::Reads), None);
        for (name, value) in [
            ("user_version", Some("3")),
            ("writable_schema", Some("on")),
            ("database_list", None),
            ("journal_mode", Some("delete")),
        ] {
            assert!(judge_pragma(name, value, Mode::Writes).is_some(), "{name}");
        }
    }
}
