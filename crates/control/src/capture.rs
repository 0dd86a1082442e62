//! Which tables' rows are noted because they start functions: before a deployment those of what is served too, and after it only its own.
//!
//! A row that is changed while a deployment breaks off, or before traffic goes to it, starts what is served then. So nothing is narrowed before
//! the new revision is served. A table that is noted for nobody costs its rows' changes being forwarded to no one.

use std::collections::{BTreeMap, BTreeSet};

use ports::sql::DatabaseName;
use types::{App, Problem, revision::AppKey, trigger::Source};

use crate::core::Control;

/// Tables by the database that they lie in.
type Tables = BTreeMap<String, BTreeSet<String>>;

impl Control {
    /// Notes what either revision asks for.
    ///
    /// # Errors
    /// What the store says of a table that the new revision names.
    pub(crate) async fn capture_both(&self, key: &AppKey, base: Option<&App>, app: &App) -> Result<(), Problem> {
        let (old, new) = (base.map(tables).unwrap_or_default(), tables(app));
        let none = BTreeSet::new();
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let database = DatabaseName::of(&key.app, &key.env, name);
            let wanted: Vec<String> = new.get(name).unwrap_or(&none).iter().cloned().collect();
            let both: Vec<String> = old.get(name).unwrap_or(&none).union(new.get(name).unwrap_or(&none)).cloned().collect();
            // A migration of this deployment may have taken a table away that only what is served asks for.
            if self.data.sql.capture(&database, &both).await.is_err() {
                self.data.sql.capture(&database, &wanted).await.map_err(|error| {
                    Problem::from(error).note(format!("rows of {} in sql.{name} start a function", wanted.join(", ")))
                })?;
            }
        }
        Ok(())
    }

    /// Notes what the revision that is served now asks for, and no more of what was asked for before it.
    pub(crate) async fn capture_served(&self, key: &AppKey, left: Option<&App>, served: &App) {
        let (old, new) = (left.map(tables).unwrap_or_default(), tables(served));
        for (name, tables) in &old {
            let wanted: Vec<String> = new.get(name).into_iter().flatten().cloned().collect();
            if tables.iter().all(|table| wanted.contains(table)) {
                continue;
            }
            let database = DatabaseName::of(&key.app, &key.env, name);
            if let Err(error) = self.data.sql.capture(&database, &wanted).await {
                tracing::warn!(app = %key, database = name, %error, "rows go on being noted that start nothing any more");
            }
        }
    }
}

fn tables(app: &App) -> Tables {
    let mut tables = Tables::new();
    for on in app.functions.values().filter_map(|function| function.on.as_ref()) {
        if let Source::Sql { database, tables: named, .. } = &on.source {
            tables.entry(database.clone()).or_default().extend(named.iter().cloned());
        }
    }
    tables
}
