//! Resources that cease to be used: what they hold, and the end of what they hold when a deployment says so by name.

use std::collections::BTreeSet;

use bytes::Bytes;
use ports::{
    StoreError,
    log::StreamName,
    objects::{BucketName, ObjectQuery},
    queue::QueueName,
    sql::{DatabaseName, SqlAccess, Statement},
};
use types::{
    App, Code, Problem, Resource,
    app::ResourceKind,
    kv::{Namespace, Transaction, Write},
    limits,
    revision::AppKey,
};

use crate::{core::Control, data::Data, resources};

/// Resources that the served model names and the new one does not. Secrets and buses hold nothing that a deployment made.
pub(crate) fn removed(base: Option<&App>, app: &App) -> Vec<Resource> {
    let Some(base) = base else { return Vec::new() };
    let kept = resources::of(app);
    let holds = |resource: &Resource| !matches!(resource.kind, ResourceKind::Secret | ResourceKind::Event);
    resources::of(base).into_iter().filter(|resource| holds(resource) && !kept.contains(resource)).collect()
}

/// Refuses what may not be dropped, and what would be left behind without a word.
///
/// # Errors
/// `E0709` for dropping what the app still names or what is no store of data, `E0713` for removed resources that hold something.
pub(crate) fn check(app: &App, drop: &[Resource], keep: &[Resource], held: &[(Resource, Option<String>)]) -> Result<(), Problem> {
    let named = resources::of(app);
    if let Some(resource) = drop.iter().find(|resource| named.contains(resource)) {
        let message = format!("{resource} can't be dropped: the app that is to be deployed still names it");
        return Err(Problem::new(Code::E0709, message).help("take it out of the manifest, or out of --drop"));
    }
    if let Some(resource) = drop.iter().find(|resource| matches!(resource.kind, ResourceKind::Secret | ResourceKind::Event)) {
        let problem = Problem::new(Code::E0709, format!("{resource} can't be dropped: it holds no data of a deployment"));
        return Err(problem.help(format!("dayfly secret rm {}", resource.name)));
    }
    let decided = |resource: &Resource| drop.contains(resource) || keep.contains(resource);
    let open: Vec<(&Resource, &String)> = held
        .iter()
        .filter(|(resource, _)| !decided(resource))
        .filter_map(|(resource, holds)| Some((resource, holds.as_ref()?)))
        .collect();
    let Some((first, _)) = open.first() else { return Ok(()) };
    let names: Vec<String> = open.iter().map(|(resource, _)| resource.to_string()).collect();
    let message = format!(
        "{} would not be used any more, and still {} data",
        names.join(", "),
        if open.len() == 1 { "holds" } else { "hold" }
    );
    let problem = Problem::new(Code::E0713, message);
    let problem = open.iter().fold(problem, |problem, (resource, holds)| problem.note(format!("{resource} holds {holds}")));
    let flag = |flag: &str| names.iter().map(|name| format!("--{flag} {name}")).collect::<Vec<_>>().join(" ");
    let problem = problem.note(format!(
        "to leave it where it is, for a later deployment that names {first} again:  dayfly deploy {}",
        flag("keep")
    ));
    Err(problem.help(format!("to delete it for good:  dayfly deploy {}", flag("drop"))))
}

impl Control {
    /// What each of the resources holds, in a few words; `None` if it is empty.
    pub(crate) async fn holdings(
        &self,
        key: &AppKey,
        removed: Vec<Resource>,
    ) -> Result<Vec<(Resource, Option<String>)>, Problem> {
        let mut held = Vec::new();
        for resource in removed {
            let holds = holds(&self.data, key, &resource).await?;
            held.push((resource, holds));
        }
        Ok(held)
    }

    /// Deletes what the resources hold. What is gone already is no error, so that a repetition finishes what broke off.
    ///
    /// # Errors
    /// What the store says, with a word on what is served by then.
    pub(crate) async fn drop_data(&self, key: &AppKey, drop: &[Resource]) -> Result<Vec<Resource>, Problem> {
        let distinct: BTreeSet<&Resource> = drop.iter().collect();
        for resource in &distinct {
            let unfinished = |error: StoreError| {
                Problem::from(error)
                    .note(format!("the revision is served; the data of {resource} is not wholly deleted"))
                    .help(format!("dayfly deploy --drop {resource}"))
            };
            empty(&self.data, key, resource).await.map_err(unfinished)?;
            tracing::info!(app = %key, %resource, "data dropped");
        }
        Ok(distinct.into_iter().cloned().collect())
    }
}

async fn holds(data: &Data, key: &AppKey, resource: &Resource) -> Result<Option<String>, StoreError> {
    let name = &resource.name;
    Ok(match resource.kind {
        ResourceKind::Kv => {
            let namespace = Namespace::of(&key.app, &key.env, name);
            let some = data.kv.list(&namespace, &Bytes::new(), None, 1).await?;
            (!some.is_empty()).then(|| "entries".to_owned())
        }
        ResourceKind::Sql => {
            let database = DatabaseName::of(&key.app, &key.env, name);
            let tables =
                if data.sql.databases(&database.0).await?.contains(&database) { tables(data, &database).await? } else { 0 };
            (tables > 0).then(|| counted(tables, "table"))
        }
        ResourceKind::Bucket => {
            let bucket = BucketName::of(&key.app, &key.env, name);
            let there = data.objects.config(&bucket).await?.is_some();
            let query = ObjectQuery { limit: 1, ..ObjectQuery::default() };
            let objects = there && !data.objects.list_versions(&bucket, query, None).await?.objects.is_empty();
            let uploads = there && !data.objects.uploads(&bucket, "", None, 1).await?.is_empty();
            (objects || uploads).then(|| if objects { "objects" } else { "unfinished uploads" }.to_owned())
        }
        ResourceKind::Queue => {
            let stats = data.queue.stats(&QueueName::of(&key.app, &key.env, name)).await?;
            let messages = stats.ready + stats.delayed + stats.claimed;
            (messages > 0).then(|| counted(messages, "message"))
        }
        ResourceKind::Stream => {
            let partitions = data.log.stats(&StreamName::of(&key.app, &key.env, name)).await?;
            let records = partitions.iter().map(|partition| partition.next.0.saturating_sub(partition.oldest.0)).sum();
            (records > 0).then(|| counted(records, "record"))
        }
        ResourceKind::Secret | ResourceKind::Event => None,
    })
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The app's own tables in a database; the platform's begin with `_dayfly_`, the engine's with `sqlite_`.
async fn tables(data: &Data, database: &DatabaseName) -> Result<u64, StoreError> {
    let connection = data.sql.connect(database, SqlAccess::Read).await?;
    let text = "SELECT name FROM sqlite_schema WHERE type = 'table'".to_owned();
    let rows = connection.run(Statement { text, parameters: Vec::new() }, None).await?;
    let ours = |row: &&Vec<types::sql::SqlValue>| match row.first() {
        Some(types::sql::SqlValue::Text(name)) => !name.starts_with("_dayfly_") && !name.starts_with("sqlite_"),
        _ => false,
    };
    Ok(rows.rows.iter().filter(ours).count() as u64)
}

async fn empty(data: &Data, key: &AppKey, resource: &Resource) -> Result<(), StoreError> {
    let name = &resource.name;
    match resource.kind {
        ResourceKind::Kv => empty_store(data, &Namespace::of(&key.app, &key.env, name)).await,
        ResourceKind::Sql => data.sql.remove(&DatabaseName::of(&key.app, &key.env, name)).await,
        ResourceKind::Bucket => empty_bucket(data, &BucketName::of(&key.app, &key.env, name)).await,
        ResourceKind::Queue => data.queue.purge(&QueueName::of(&key.app, &key.env, name)).await.map(drop),
        ResourceKind::Stream => data.log.purge(&StreamName::of(&key.app, &key.env, name)).await,
        ResourceKind::Secret | ResourceKind::Event => Ok(()),
    }
}

async fn empty_store(data: &Data, namespace: &Namespace) -> Result<(), StoreError> {
    loop {
        let entries = data.kv.list(namespace, &Bytes::new(), None, limits::KV_TRANSACTION).await?;
        if entries.is_empty() {
            return Ok(());
        }
        let writes = entries.into_iter().map(|entry| Write::Delete { key: entry.key }).collect();
        data.kv.commit(namespace, Transaction { writes, ..Transaction::default() }).await?;
    }
}

async fn empty_bucket(data: &Data, bucket: &BucketName) -> Result<(), StoreError> {
    if data.objects.config(bucket).await?.is_none() {
        return Ok(());
    }
    loop {
        let uploads = data.objects.uploads(bucket, "", None, limits::BUCKET_PAGE).await?;
        for upload in &uploads {
            data.objects.abort_upload(bucket, &upload.id).await?;
        }
        let query = ObjectQuery { limit: limits::BUCKET_PAGE, ..ObjectQuery::default() };
        let page = data.objects.list_versions(bucket, query, None).await?;
        for object in &page.objects {
            data.objects.delete(bucket, &object.key, Some(&object.version), None).await?;
        }
        if uploads.is_empty() && page.objects.is_empty() {
            break;
        }
    }
    data.objects.delete_bucket(bucket).await
}
