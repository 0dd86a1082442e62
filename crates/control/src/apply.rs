//! What a deployment does to the stores before traffic goes to it: migrations, settings of resources, and who waits for which changes.
//!
//! Each step may be repeated: a deployment that breaks off in between is deployed again.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use ports::{
    StoreError,
    feeds::{Feed, FeedSource},
    log::StreamName,
    objects::{BucketConfig, BucketName},
    queue::QueueName,
    sql::{DatabaseName, Migration},
};
use types::{
    App, ByteCount, Code, Function, Problem,
    app::ResourceKind,
    kv::Namespace,
    limits,
    object::{CorsRule, LifecycleRule, Versioning},
    revision::AppKey,
    settings::BucketSettings,
    trigger::{ChangeKind, Source},
    wire::api::MigrationPlan,
};

use crate::{core::Control, resources};

/// The name of the rule that a manifest's `expire` becomes; rules of other names are whoever's made them.
const EXPIRE_RULE: &str = "dayfly.toml";

/// Judges the migrations of a deployment.
///
/// # Errors
/// `E0117` for a database that the manifest gives no folder, names out of order, and texts or numbers over the limits.
pub(crate) fn check_migrations(app: &App, migrations: &BTreeMap<String, Vec<Migration>>) -> Result<(), Problem> {
    for (database, steps) in migrations {
        let settings = app.resources.sql.get(database);
        if settings.is_none_or(|settings| settings.migrations.is_none()) {
            let message = format!("there are migrations for sql.{database}, and the manifest names no folder of it");
            return Err(Problem::new(Code::E0117, message).help(format!("[sql.{database}]  migrations = \"migrations\"")));
        }
        if steps.len() > limits::MIGRATIONS {
            return Err(Problem::limit(Code::E0117, &format!("migrations of sql.{database}"), steps.len(), limits::MIGRATIONS));
        }
        if let Some(pair) = steps.windows(2).find(|pair| pair[0].name >= pair[1].name) {
            let message = format!(
                "migrations of sql.{database} are not in the order of their names: {} before {}",
                pair[0].name, pair[1].name
            );
            return Err(Problem::new(Code::E0117, message));
        }
        if let Some(step) = steps.iter().find(|step| step.sql.len() as u64 > limits::MIGRATION.0) {
            let size = ByteCount(step.sql.len() as u64);
            return Err(Problem::limit(
                Code::E0117,
                &format!("migration {} of sql.{database}", step.name),
                size,
                limits::MIGRATION,
            ));
        }
    }
    Ok(())
}

impl Control {
    /// Which migrations are not applied yet, and whether those that are fit what is to be deployed.
    ///
    /// # Errors
    /// `E0612` if one that was applied is missing or another now, or a new one would come before one that was applied.
    pub(crate) async fn pending(
        &self,
        key: &AppKey,
        migrations: &BTreeMap<String, Vec<Migration>>,
    ) -> Result<Vec<MigrationPlan>, Problem> {
        let mut pending = Vec::new();
        for (database, steps) in migrations {
            let applied = self.data.sql.migrated(&DatabaseName::of(&key.app, &key.env, database)).await?;
            for (place, old) in applied.iter().enumerate() {
                match steps.get(place) {
                    Some(new) if new == old => {}
                    new => return Err(misfit(database, old, new)),
                }
            }
            let names: Vec<String> = steps[applied.len().min(steps.len())..].iter().map(|step| step.name.clone()).collect();
            if !names.is_empty() {
                pending.push(MigrationPlan { database: database.clone(), names });
            }
        }
        Ok(pending)
    }

    /// Applies what is pending.
    ///
    /// # Errors
    /// `E0117` for a migration that the engine refuses: those before it stay applied, and nothing is deployed.
    pub(crate) async fn migrate(
        &self,
        key: &AppKey,
        migrations: &BTreeMap<String, Vec<Migration>>,
    ) -> Result<Vec<MigrationPlan>, Problem> {
        let mut migrated = Vec::new();
        for (database, steps) in migrations {
            let name = DatabaseName::of(&key.app, &key.env, database);
            let names = self.data.sql.migrate(&name, steps).await.map_err(|error| refused(database, error))?;
            if !names.is_empty() {
                tracing::info!(app = %key, database, migrations = names.len(), "database migrated");
                migrated.push(MigrationPlan { database: database.clone(), names });
            }
        }
        Ok(migrated)
    }

    /// Makes buckets and gives resources their settings. `base` is the model that is served: what it set and the new one does not
    /// goes back to its default; what nobody's manifest ever set stays as it is.
    ///
    /// # Errors
    /// What the stores say.
    pub(crate) async fn configure(&self, key: &AppKey, base: Option<&App>, app: &App) -> Result<(), Problem> {
        let none = types::settings::Resources::default();
        let (old, new) = (base.map_or(&none, |base| &base.resources), &app.resources);
        for name in old.queue.keys().chain(new.queue.keys()).collect::<BTreeSet<_>>() {
            let of = |settings: &types::settings::Resources| settings.queue.get(name).and_then(|queue| queue.retention);
            let retention = of(new).unwrap_or(limits::RETENTION_TIME);
            self.data.queue.retain(&QueueName::of(&key.app, &key.env, name), retention).await?;
        }
        for name in old.stream.keys().chain(new.stream.keys()).collect::<BTreeSet<_>>() {
            let settings = new.stream.get(name).cloned().unwrap_or_default();
            let (partitions, retention) =
                (settings.partitions.unwrap_or(1), settings.retention.unwrap_or(limits::RETENTION_TIME));
            self.data.log.configure(&StreamName::of(&key.app, &key.env, name), partitions, retention).await?;
        }
        for bucket in resources::of(app).into_iter().filter(|resource| resource.kind == ResourceKind::Bucket) {
            let settings = (old.bucket.get(&bucket.name), new.bucket.get(&bucket.name));
            self.configure_bucket(&BucketName::of(&key.app, &key.env, &bucket.name), settings).await?;
        }
        self.capture_both(key, base, app).await
    }

    async fn configure_bucket(
        &self,
        bucket: &BucketName,
        (old, new): (Option<&BucketSettings>, Option<&BucketSettings>),
    ) -> Result<(), Problem> {
        self.data.objects.create_bucket(bucket).await?;
        let config = self.data.objects.config(bucket).await?.unwrap_or_default();
        let wanted = bucket_config(config.clone(), old, new);
        if wanted != config {
            self.data.objects.configure(bucket, wanted).await?;
        }
        Ok(())
    }
}

fn misfit(database: &str, old: &Migration, new: Option<&Migration>) -> Problem {
    let message = match new {
        None => format!("migration {} was applied to sql.{database}, and the folder has it no more", old.name),
        Some(new) if new.name == old.name => {
            format!("migration {} was applied to sql.{database}, and has another text now", old.name)
        }
        Some(new) if new.name < old.name => {
            format!("migration {} would come before {}, which was applied to sql.{database}", new.name, old.name)
        }
        Some(_) => format!("migration {} was applied to sql.{database}, and the folder has it no more", old.name),
    };
    Problem::new(Code::E0612, message)
        .note("what was applied stays as it is: a change of it is a new file, whose name comes after all others")
        .help(format!("dayfly sql exec {database} \"…\" mends data by hand"))
}

fn refused(database: &str, error: StoreError) -> Problem {
    match error {
        StoreError::Rejected(said) => Problem::new(Code::E0117, format!("a migration of sql.{database} failed: {said}"))
            .note("migrations before it stay applied; nothing was deployed")
            .help("mend the file and deploy again"),
        StoreError::Conflict(said) | StoreError::Changed(said) => {
            Problem::new(Code::E0612, format!("the migrations of sql.{database} do not fit what was applied: {said}"))
        }
        other => other.into(),
    }
}

/// The bucket's settings with what the manifest says put over them, and what it said before and says no more taken out.
fn bucket_config(config: BucketConfig, old: Option<&BucketSettings>, new: Option<&BucketSettings>) -> BucketConfig {
    let none = BucketSettings::default();
    let (old, new) = (old.unwrap_or(&none), new.unwrap_or(&none));
    let BucketConfig { mut versioning, mut cors, mut lifecycle, tags } = config;
    match (old.versioning, new.versioning) {
        (_, true) => versioning = Versioning::On,
        (true, false) if versioning == Versioning::On => versioning = Versioning::Suspended,
        (_, false) => {}
    }
    if old.cors != new.cors || !new.cors.is_empty() {
        cors = if new.cors.is_empty() { Vec::new() } else { vec![cors_rule(&new.cors)] };
    }
    lifecycle.retain(|rule| rule.id != EXPIRE_RULE);
    if let Some(expire) = new.expire {
        let (id, expire) = (EXPIRE_RULE.to_owned(), Some(expire));
        lifecycle.push(LifecycleRule {
            id,
            enabled: true,
            expire,
            expire_old: expire,
            abort_uploads: expire,
            ..LifecycleRule::default()
        });
    }
    BucketConfig { versioning, cors, lifecycle, tags }
}

fn cors_rule(origins: &[String]) -> CorsRule {
    CorsRule {
        origins: origins.to_vec(),
        methods: ["GET", "HEAD", "PUT", "POST", "DELETE"].map(str::to_owned).to_vec(),
        headers: vec!["*".to_owned()],
        expose: ["etag", "x-amz-version-id"].map(str::to_owned).to_vec(),
        max_age: Some(3_600),
    }
}

/// The feeds of these functions: each change of a store goes to the queue of each function that waits for it. A function has one queue,
/// whatever revision works it off, so where its revisions ask for different changes the feed is for all changes that any of them may
/// want. The revision that gets a change leaves out what it didn't ask for.
pub(crate) fn feeds<'a>(functions: impl Iterator<Item = (&'a AppKey, &'a Function)>) -> Vec<Feed> {
    let mut feeds: BTreeMap<(QueueName, FeedSource), Feed> = BTreeMap::new();
    for (key, function) in functions {
        let AppKey { app, env } = key;
        let (source, change, matching) = match function.on.as_ref().map(|on| &on.source) {
            Some(Source::Kv { store, change, matching }) => (FeedSource::Kv(Namespace::of(app, env, store)), change, matching),
            Some(Source::Bucket { bucket, change, matching }) => {
                (FeedSource::Bucket(BucketName::of(app, env, bucket)), change, matching)
            }
            _ => continue,
        };
        let queue = QueueName::of_trigger(key, &function.name);
        let feed = Feed { source: source.clone(), change: *change, matching: matching.clone(), queue: queue.clone() };
        match feeds.entry((queue, source)) {
            Entry::Vacant(first) => drop(first.insert(feed)),
            Entry::Occupied(mut known) => widen(known.get_mut(), feed),
        }
    }
    feeds.into_values().collect()
}

fn widen(feed: &mut Feed, other: Feed) {
    if feed.change != other.change {
        feed.change = ChangeKind::Any;
    }
    if feed.matching != other.matching {
        feed.matching = None;
    }
}

#[cfg(test)]
mod tests {
    use types::trigger::{On, Rules};

    use super::*;

    #[test]
    fn what_a_manifest_never_set_of_a_bucket_stays() {
        let theirs = LifecycleRule { id: "theirs".into(), enabled: true, ..LifecycleRule::default() };
        let made = BucketConfig { lifecycle: vec![theirs.clone()], cors: vec![CorsRule::default()], ..BucketConfig::default() };
        assert_eq!(bucket_config(made.clone(), None, None), made);
        let settings =
            BucketSettings { versioning: true, expire: Some(std::time::Duration::from_secs(60)), cors: vec!["*".into()] };
        let set = bucket_config(made, None, Some(&settings));
        assert_eq!((set.versioning, set.lifecycle.len(), set.cors[0].origins.len()), (Versioning::On, 2, 1));
        let unset = bucket_config(set, Some(&settings), None);
        assert_eq!((unset.versioning, unset.lifecycle, unset.cors.len()), (Versioning::Suspended, vec![theirs], 0));
    }

    fn watching(change: ChangeKind, matching: Option<&str>) -> Function {
        let name: types::FunctionName = "w".parse().expect("a good name");
        let source = Source::Kv { store: "carts".into(), change, matching: matching.map(str::to_owned) };
        let rules = Rules { batch: 10, wait: std::time::Duration::ZERO, retries: 2, dead: "w-dead".into() };
        let on = On { source, rules };
        Function { on: Some(on), ..Function::empty(name, "w".into(), types::app::Build::Component) }
    }

    #[test]
    fn revisions_that_want_different_changes_get_all_that_either_wants_and_each_once() {
        let key = AppKey { app: "shop".parse().expect("a good name"), env: "dev".parse().expect("a good name") };
        let of = |functions: &[Function]| {
            let feeds = feeds(functions.iter().map(|function| (&key, function)));
            let [feed] = &feeds[..] else { panic!("{feeds:?}: a change is told to one queue once") };
            (feed.change, feed.matching.clone())
        };
        let (written, deleted, any) = (ChangeKind::Written, ChangeKind::Deleted, ChangeKind::Any);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&[watching(written, Some("a*")), watching(written, Some("a*"))]), (written, some("a*")));
        assert_eq!(of(&[watching(written, Some("a*")), watching(written, Some("b*"))]), (written, None));
        assert_eq!(of(&[watching(written, Some("a*")), watching(deleted, Some("a*"))]), (any, some("a*")));
        assert_eq!(of(&[watching(any, None), watching(written, Some("a*"))]), (any, None));
    }
}
