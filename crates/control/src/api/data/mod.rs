//! An app's data, for people: what its resources hold, and the few things that a person does to them by hand.
//!
//! Every route names a resource that the served revision knows; anything else is refused with the nearest name, so that a slip of the
//! finger makes no second store.

pub(super) mod buckets;
pub(super) mod events;
pub(super) mod keys;
pub(super) mod kv;
pub(super) mod queues;
mod room;
pub(super) mod schedules;
pub(super) mod secrets;
pub(super) mod sql;
pub(super) mod streams;

use std::{collections::BTreeSet, time::Duration};

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use types::{
    App, AppName, Code, EnvName, Problem,
    app::{Resource, ResourceKind},
    revision::AppKey,
    wire::data::{Page, ResourceRow},
};

use super::reply::Refusal;
use crate::{
    core::{Control, no_app},
    resources, snapshot,
};

/// Rows of a page unless the caller says otherwise.
const PAGE_DEFAULT: usize = 100;
/// The most rows of a page.
const PAGE_MAX: usize = 1_000;
/// The longest that a reader may wait for something new.
const WAIT_MAX: Duration = Duration::from_secs(30);

fn page(limit: Option<usize>) -> usize {
    limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX)
}

fn wait(wait_ms: Option<u64>) -> Duration {
    Duration::from_millis(wait_ms.unwrap_or(0)).min(WAIT_MAX)
}

/// `{app}/{env}/…/{name}` of the path: an app and one of its resources.
pub(crate) struct Named {
    pub(crate) key: AppKey,
    pub(crate) name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<(AppName, EnvName, String)>::from_request_parts(parts, state).await;
        let invalid = |error: &str| Problem::new(Code::E0709, format!("the address is not valid: {error}"));
        let Path((app, env, name)) = path.map_err(|error| invalid(&error.body_text()))?;
        Ok(Self { key: AppKey { app, env }, name })
    }
}

impl Control {
    /// The app as it is served.
    pub(super) async fn served(&self, key: &AppKey) -> Result<App, Problem> {
        let deployed = self.catalog.app(key).await?.ok_or_else(|| no_app(key))?;
        let newest = types::revision::Share { revision: deployed.latest, weight: 1 };
        let share = snapshot::largest(&deployed.shares).unwrap_or(newest);
        let revision = self.catalog.revision(key, share.revision).await?.ok_or_else(|| no_app(key))?;
        Ok(revision.app)
    }

    /// The app, if it knows this resource.
    ///
    /// # Errors
    /// `E0714` with the names that it knows.
    pub(super) async fn knowing(&self, kind: ResourceKind, Named { key, name }: &Named) -> Result<App, Problem> {
        let app = self.served(key).await?;
        let known: Vec<String> = names(&app, kind).into_iter().collect();
        if known.contains(name) {
            return Ok(app);
        }
        let problem = Problem::new(Code::E0714, format!("{key} has no {}.{name}", kind.as_str()));
        Err(match &known[..] {
            [] => problem.note(format!("no function of it uses a {}", kind.as_str())),
            known => problem.note(format!("it has {}", known.join(", "))),
        })
    }
}

/// The names of an app's resources of one kind.
fn names(app: &App, kind: ResourceKind) -> BTreeSet<String> {
    resources::of(app).into_iter().filter(|resource| resource.kind == kind).map(|resource| resource.name).collect()
}

/// The functions that use a resource or are started by it.
fn used_by(app: &App, resource: &Resource) -> Vec<String> {
    let uses = |function: &&types::Function| {
        function.uses.iter().any(|grant| grant.resource == *resource) || resources::of_trigger(function).contains(resource)
    };
    app.functions.values().filter(uses).map(|function| function.name.to_string()).collect()
}

/// A page of an app's resources of one kind.
fn rows(app: &App, kind: ResourceKind, asked: &Page) -> Vec<ResourceRow> {
    let wanted = |name: &String| {
        asked.prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
            && asked.after.as_ref().is_none_or(|after| name > after)
    };
    let names = names(app, kind).into_iter().filter(wanted).take(page(asked.limit));
    let row = |name: String| {
        let resource = Resource { kind, name };
        ResourceRow { used_by: used_by(app, &resource), name: resource.name }
    };
    names.map(row).collect()
}
