//! Which resources an app has: those that its functions are granted, those that start them, and those that it sets something of.

use std::collections::BTreeSet;

use types::{
    App, Function,
    app::{Resource, ResourceKind},
    trigger::Source,
};

/// Every resource of the app. Queues of dead letters are among them, the platform's own are not.
pub(crate) fn of(app: &App) -> BTreeSet<Resource> {
    let granted = app.functions.values().flat_map(|function| &function.uses).map(|grant| grant.resource.clone());
    let mut all: BTreeSet<Resource> = granted.collect();
    all.extend(app.functions.values().flat_map(of_trigger));
    let webhooks = app.functions.values().filter_map(|function| function.webhook.as_ref());
    all.extend(webhooks.map(|webhook| named(ResourceKind::Secret, &webhook.secret)));
    if let Some(events) = &app.events {
        all.insert(named(ResourceKind::Secret, &events.key));
        all.insert(named(ResourceKind::Event, &events.bus));
    }
    let types::settings::Resources { kv, sql, bucket, queue, stream } = &app.resources;
    all.extend(kv.keys().map(|name| named(ResourceKind::Kv, name)));
    all.extend(sql.keys().map(|name| named(ResourceKind::Sql, name)));
    all.extend(bucket.keys().map(|name| named(ResourceKind::Bucket, name)));
    all.extend(queue.keys().map(|name| named(ResourceKind::Queue, name)));
    all.extend(stream.keys().map(|name| named(ResourceKind::Stream, name)));
    all
}

/// What starts the function beside requests, and where its dead letters go.
pub(crate) fn of_trigger(function: &Function) -> Vec<Resource> {
    let Some(on) = &function.on else { return Vec::new() };
    let source = match &on.source {
        Source::Queue { queue } => Some(named(ResourceKind::Queue, queue)),
        Source::Stream { stream, .. } => Some(named(ResourceKind::Stream, stream)),
        Source::Bucket { bucket, .. } => Some(named(ResourceKind::Bucket, bucket)),
        Source::Kv { store, .. } => Some(named(ResourceKind::Kv, store)),
        Source::Sql { database, .. } => Some(named(ResourceKind::Sql, database)),
        Source::Event { bus, .. } => Some(named(ResourceKind::Event, bus)),
        Source::Cron { .. } => None,
    };
    source.into_iter().chain([named(ResourceKind::Queue, &on.rules.dead)]).collect()
}

fn named(kind: ResourceKind, name: &str) -> Resource {
    Resource { kind, name: name.to_owned() }
}
