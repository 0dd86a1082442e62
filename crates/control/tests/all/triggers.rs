//! What a deployment does beside switching code: secrets, migrations, settings, feeds.

use std::time::Duration;

use ports::{Queue as _, Secrets as _, secrets::SecretValue};
use types::{
    App, Code, Function,
    event::FeedSource,
    kv::Namespace,
    queue::QueueName,
    sql::{DatabaseName, Migration},
    trigger::{ChangeKind, Missed, On, Overlap, Rules, Source},
    wire::api::{Change, Deploy, Plan, Rollback, RolledBack},
};

use crate::world::{World, app, key};

pub(crate) fn on(source: Source, dead: &str) -> On {
    On { source, rules: Rules { batch: 1, wait: Duration::ZERO, retries: 2, dead: dead.into() } }
}

pub(crate) fn change(app: &mut App, name: &str, change: impl FnOnce(&mut Function)) {
    change(app.functions.get_mut(&name.parse::<types::FunctionName>().expect("a name")).expect("it is there"));
}

fn migration(name: &str, sql: &str) -> Migration {
    Migration { name: name.into(), sql: sql.into() }
}

async fn with_migrations(world: &World, app: &App, steps: &[(&str, &str)]) -> Deploy {
    let mut deploy = world.deployment(app, b"code").await;
    deploy.migrations.insert("shop".into(), steps.iter().map(|(name, sql)| migration(name, sql)).collect());
    deploy
}

#[tokio::test]
async fn a_secret_that_is_not_set_is_named_before_anything_happens() {
    let world = World::new().await;
    let mut app = app("shop", "dev", &[("api", &["/"])]);
    change(&mut app, "api", |function| function.uses.push("secret.STRIPE".parse().expect("a grant")));
    let problem = world.deploy(&app, b"code").await.expect_err("it is not set");
    assert_eq!(problem.code, Code::E0712);
    assert!(problem.help.as_deref().is_some_and(|help| help.starts_with("dayfly secret set STRIPE")), "{problem:?}");
    assert!(world.catalog.apps().await.expect("readable").is_empty(), "nothing was stored");
    world.stores.secrets.set(&key("shop", "dev"), "STRIPE", SecretValue(b"x".to_vec())).await.expect("set");
    world.deploy(&app, b"code").await.expect("it is set");
}

#[tokio::test]
async fn changes_are_fed_to_the_functions_that_wait_for_them() {
    let world = World::new().await;
    let mut app = app("shop", "dev", &[("seen", &[]), ("thumbs", &[])]);
    let kv = Source::Kv { store: "s".into(), change: ChangeKind::Deleted, matching: Some("a*".into()) };
    change(&mut app, "seen", |function| function.on = Some(on(kv, "seen-dead")));
    let bucket = Source::Bucket { bucket: "b".into(), change: ChangeKind::Any, matching: None };
    change(&mut app, "thumbs", |function| function.on = Some(on(bucket, "thumbs-dead")));
    world.deploy(&app, b"code").await.expect("it is good");
    let key = key("shop", "dev");
    let fed = || world.stores.noted.feeds.lock().iter().map(|feed| feed.queue.0.clone()).collect::<Vec<_>>();
    assert_eq!(fed(), ["shop/dev/~seen", "shop/dev/~thumbs"]);
    let first = world.stores.noted.feeds.lock()[0].clone();
    assert_eq!(first.source, FeedSource::Kv(Namespace::of(&key.app, &key.env, "s")));
    assert_eq!((first.change, first.matching.as_deref()), (ChangeKind::Deleted, Some("a*")));
    // Another app's deployment leaves them, a new revision without them ends them, and going back brings them again.
    world.deploy(&crate::world::app("other", "dev", &[("api", &["/"])]), b"code").await.expect("it is good");
    assert_eq!(fed().len(), 2);
    change(&mut app, "thumbs", |function| function.on = None);
    let deployed = world.deploy(&app, b"code").await.expect("it is good");
    assert_eq!(fed(), ["shop/dev/~seen"]);
    let gone = deployed.plan.triggers.iter().map(|trigger| (trigger.function.as_str(), trigger.change)).collect::<Vec<_>>();
    assert_eq!(gone, [("thumbs", Change::Removed)]);
    world.post::<RolledBack>("/v1/apps/shop/dev/rollback", &Rollback { to: None }).await.expect("there is one");
    assert_eq!(fed().len(), 2);
    world.stores.noted.feeds.lock().clear();
    drop(world.restarted().await);
    assert_eq!(fed().len(), 2, "a start says it again");
}

#[tokio::test]
async fn migrations_are_applied_once_and_before_traffic() {
    let world = World::new().await;
    let mut app = app("shop", "dev", &[("api", &["/"])]);
    app.resources.sql.entry("shop".into()).or_default().migrations = Some("migrations".into());
    let first =
        world.deploy_all(with_migrations(&world, &app, &[("1.sql", "A"), ("2.sql", "B")]).await).await.expect("it is good");
    assert_eq!(first.migrated[0].names, ["1.sql", "2.sql"]);
    let again =
        world.deploy_all(with_migrations(&world, &app, &[("1.sql", "A"), ("2.sql", "B")]).await).await.expect("it is good");
    assert!(again.plan.unchanged && again.migrated.is_empty());
    let third = world.deploy_all(with_migrations(&world, &app, &[("1.sql", "A"), ("2.sql", "B"), ("3.sql", "C")]).await).await;
    assert_eq!(third.expect("it is good").plan.migrations[0].names, ["3.sql"]);
    assert_eq!(world.stores.noted.migrated.lock()[&DatabaseName("shop/dev/shop".into())].len(), 3);
}

#[tokio::test]
async fn migrations_that_do_not_fit_or_fail_leave_what_is_served() {
    let world = World::new().await;
    let mut app = app("shop", "dev", &[("api", &["/"])]);
    app.resources.sql.entry("shop".into()).or_default().migrations = Some("migrations".into());
    world.deploy_all(with_migrations(&world, &app, &[("1.sql", "A"), ("3.sql", "B")]).await).await.expect("it is good");
    let bad: [(&[(&str, &str)], Code); 6] = [
        (&[("1.sql", "other"), ("3.sql", "B")], Code::E0612),
        (&[("1.sql", "A")], Code::E0612),
        (&[("1.sql", "A"), ("2.sql", "new"), ("3.sql", "B")], Code::E0612),
        (&[("1.sql", "A"), ("3.sql", "B"), ("4.sql", "BROKEN")], Code::E0117),
        (&[("3.sql", "B"), ("1.sql", "A")], Code::E0117),
        (&[("1.sql", "A"), ("1.sql", "A")], Code::E0117),
    ];
    for (steps, code) in bad {
        let problem = world.deploy_all(with_migrations(&world, &app, steps).await).await.expect_err("it is refused");
        assert_eq!(problem.code, code, "{steps:?}: {problem}");
    }
    let mut unnamed = app.clone();
    unnamed.resources.sql.clear();
    let problem = world.deploy_all(with_migrations(&world, &unnamed, &[("1.sql", "A")]).await).await.expect_err("no folder");
    assert_eq!(problem.code, Code::E0117);
    assert_eq!(world.plane.serves(), ["shop/dev r1 shop.localhost,dev.shop.localhost default"]);
}

#[tokio::test]
async fn resources_get_their_settings_and_lose_them_again() {
    let world = World::new().await;
    let mut app = app("shop", "dev", &[("api", &["/"])]);
    for grant in ["queue.mail", "stream.clicks", "bucket.up"] {
        change(&mut app, "api", |function| function.uses.push(grant.parse().expect("a grant")));
    }
    let day = Duration::from_secs(24 * 60 * 60);
    app.resources.stream.entry("clicks".into()).or_default().partitions = Some(4);
    app.resources.queue.entry("mail".into()).or_default().retention = Some(day);
    app.resources.bucket.entry("up".into()).or_default().expire = Some(day);
    let rows = Source::Sql { database: "main".into(), tables: vec!["b".into(), "a".into()], change: None };
    change(&mut app, "api", |function| function.on = Some(on(rows, "api-dead")));
    world.deploy(&app, b"code").await.expect("it is good");
    let bucket = types::object::BucketName("shop/dev/up".into());
    let lifecycle =
        async || ports::Objects::config(&*world.stores.objects, &bucket).await.expect("readable").expect("it is made").lifecycle;
    let streams = || world.stores.noted.streams.lock()[&types::stream::StreamName("shop/dev/clicks".into())];
    let captured = || world.stores.noted.captured.lock()[&DatabaseName("shop/dev/main".into())].clone();
    assert_eq!((lifecycle().await.len(), streams(), captured()), (1, (4, day * 14), vec!["a".to_owned(), "b".to_owned()]));
    app.resources = types::settings::Resources::default();
    change(&mut app, "api", |function| function.on = None);
    let plan = world.deploy(&app, b"code").await.expect("it is good").plan;
    assert_eq!((lifecycle().await.len(), streams(), captured()), (0, (1, day * 14), Vec::<String>::new()));
    let names: Vec<&str> = plan.settings.iter().map(|setting| setting.name.as_str()).collect();
    assert_eq!(names, ["bucket.up.expire", "queue.mail.retention", "stream.clicks.partitions"]);
}

#[tokio::test]
async fn rows_that_start_what_is_served_are_noted_until_something_else_is() {
    let world = World::new().await;
    let mut app = app("shop", "dev", &[("api", &["/"])]);
    let rows = |tables: &[&str]| {
        let tables = tables.iter().map(|table| (*table).to_owned()).collect();
        Some(on(Source::Sql { database: "main".into(), tables, change: None }, "api-dead"))
    };
    let mut deploy = async |tables: &[&str]| {
        change(&mut app, "api", |function| function.on = rows(tables));
        world.deploy(&app, b"code").await.expect("it is good");
        std::mem::take(&mut *world.stores.noted.captures.lock())
    };
    assert_eq!(deploy(&["a", "b"]).await, ["a b"]);
    assert_eq!(deploy(&["b", "c"]).await, ["a b c", "b c"]);
    assert_eq!(deploy(&["b", "c", "gone"]).await, ["b c gone"], "nothing is to be narrowed");
    world.stores.noted.migrated.lock().insert(DatabaseName("shop/dev/main".into()), Vec::new());
    assert_eq!(deploy(&["c"]).await, ["c", "c"], "a table that a migration took away stops no deployment");
}

#[tokio::test]
async fn a_plan_shows_what_starts_functions_and_what_that_lets_them_see() {
    let world = World::new().await;
    let mut app = app("shop", "dev", &[("mailer", &[]), ("report", &[])]);
    change(&mut app, "mailer", |function| function.on = Some(on(Source::Queue { queue: "mail".into() }, "mail-dead")));
    let schedule = ("0 6 * * *".to_owned(), "Europe/Berlin".to_owned());
    let cron = Source::Cron { schedule: schedule.0, zone: schedule.1, overlap: Overlap::Skip, missed: Missed::Once };
    change(&mut app, "report", |function| function.on = Some(on(cron, "report-dead")));
    let deploy = world.deployment(&app, b"code").await;
    let plan: Plan = world.post("/v1/apps/shop/dev/plan", &deploy).await.expect("it is good");
    let triggers: Vec<String> = plan.triggers.into_iter().filter_map(|trigger| trigger.after).collect();
    assert_eq!(
        triggers,
        [
            "queue mail; batch 1, retries 2, dead letters to mail-dead",
            "cron 0 6 * * * in Europe/Berlin; batch 1, retries 2, dead letters to report-dead"
        ]
    );
    let gained: Vec<String> =
        plan.gained.iter().map(|gained| format!("{} {:?} {}", gained.function, gained.kind, gained.what)).collect();
    assert_eq!(gained, ["mailer Start queue.mail"]);
    let resources: Vec<String> = plan.resources.iter().map(|resource| resource.resource.to_string()).collect();
    assert_eq!(resources, ["queue.mail", "queue.mail-dead", "queue.report-dead"]);
}

#[tokio::test]
async fn a_queue_that_nobody_filled_is_there_with_nothing_in_it() {
    let world = World::new().await;
    let stats = world.stores.queue.stats(&QueueName("shop/dev/mail".into())).await.expect("readable");
    assert_eq!(stats.ready, 0);
}
