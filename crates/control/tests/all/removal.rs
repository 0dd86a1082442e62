//! Resources that a new revision names no more.

use bytes::Bytes;
use ports::{Body, Kv as _, Log as _, Objects as _, Queue as _, queue::Message};
use types::{
    App, Code, Problem, Resource,
    kv::{Namespace, Transaction, Write},
    object::{BucketName, ObjectQuery, PutOptions},
    queue::QueueName,
    stream::{Record, StreamName},
    wire::api::Deployed,
};

use crate::{
    triggers::change,
    world::{World, app},
};

const ALL: [&str; 5] = ["kv.s", "bucket.b", "queue.q", "stream.t", "sql.d"];

/// An app that uses one resource of each kind, and the same app without any.
async fn deployed(world: &World) -> (App, App) {
    let without = app("shop", "dev", &[("api", &["/"])]);
    let mut with = without.clone();
    for grant in ALL {
        change(&mut with, "api", |function| function.uses.push(grant.parse().expect("a grant")));
    }
    world.deploy(&with, b"code").await.expect("it is good");
    (with, without)
}

async fn fill(world: &World) {
    let stores = &world.stores;
    let writes =
        (0..2_500_u32).map(|i| Write::Put { key: i.to_be_bytes().to_vec().into(), value: Bytes::from("v"), expires: None });
    let writes: Vec<Write> = writes.collect();
    for writes in writes.chunks(1_000) {
        let transaction = Transaction { writes: writes.to_vec(), ..Transaction::default() };
        stores.kv.commit(&Namespace("shop/dev/s".into()), transaction).await.expect("there is room");
    }
    let bucket = BucketName("shop/dev/b".into());
    stores.objects.put(&bucket, "k", Body::from("x"), PutOptions::default()).await.expect("there is room");
    stores.queue.enqueue(&QueueName("shop/dev/q".into()), vec![Message::default()], None).await.expect("there is room");
    stores.noted.append(&StreamName("shop/dev/t".into()), vec![Record::default()], None).await.expect("there is room");
    let step = types::sql::Migration { name: "orders".into(), sql: String::new() };
    stores.noted.migrated.lock().insert(types::sql::DatabaseName("shop/dev/d".into()), vec![step]);
}

async fn without(world: &World, app: &App, drop: &[&str], keep: &[&str]) -> Result<Deployed, Problem> {
    let mut deploy = world.deployment(app, b"code").await;
    let named = |names: &[&str]| names.iter().map(|name| name.parse::<Resource>().expect("a name")).collect();
    (deploy.drop, deploy.keep) = (named(drop), named(keep));
    world.deploy_all(deploy).await
}

#[tokio::test]
async fn what_is_empty_may_go_without_a_word() {
    let world = World::new().await;
    let (_, app) = deployed(&world).await;
    without(&world, &app, &[], &[]).await.expect("nothing is lost");
}

#[tokio::test]
async fn what_holds_data_is_refused_with_the_command_that_says_so() {
    let world = World::new().await;
    let (_, app) = deployed(&world).await;
    fill(&world).await;
    let problem = without(&world, &app, &[], &[]).await.expect_err("there is data");
    assert_eq!(problem.code, Code::E0713);
    let help = problem.help.clone().expect("a command");
    assert!(ALL.iter().all(|name| help.contains(&format!("--drop {name}"))), "{help}");
    assert!(problem.notes.iter().any(|note| note == "queue.q holds 1 message"), "{problem:?}");
    assert_eq!(world.plane.serves(), ["shop/dev r1 shop.localhost,dev.shop.localhost default"]);
    let problem = without(&world, &app, &["kv.s", "bucket.b"], &["queue.q"]).await.expect_err("two are left");
    assert!(problem.message.contains("sql.d, stream.t") && !problem.message.contains("kv.s"), "{problem}");
}

#[tokio::test]
async fn what_is_kept_is_there_when_it_is_named_again() {
    let world = World::new().await;
    let (with, app) = deployed(&world).await;
    fill(&world).await;
    let deployed = without(&world, &app, &[], &ALL).await.expect("it is kept");
    assert!(deployed.dropped.is_empty());
    world.deploy(&with, b"code").await.expect("it is named again");
    let entries = world.stores.kv.list(&Namespace("shop/dev/s".into()), &Bytes::new(), None, 10_000).await.expect("readable");
    assert_eq!(entries.len(), 2_500);
}

#[tokio::test]
async fn what_is_dropped_is_gone_once_the_revision_is_served() {
    let world = World::new().await;
    let (_, app) = deployed(&world).await;
    fill(&world).await;
    let deployed = without(&world, &app, &ALL, &[]).await.expect("it says so");
    assert_eq!(
        (deployed.dropped.len(), world.plane.serves()),
        (5, vec!["shop/dev r2 shop.localhost,dev.shop.localhost default".to_owned()])
    );
    let stores = &world.stores;
    assert!(stores.kv.list(&Namespace("shop/dev/s".into()), &Bytes::new(), None, 1).await.expect("readable").is_empty());
    assert_eq!(stores.queue.stats(&QueueName("shop/dev/q".into())).await.expect("readable").ready, 0);
    assert_eq!(stores.objects.config(&BucketName("shop/dev/b".into())).await.expect("readable"), None);
    assert!(stores.noted.records.lock().is_empty() && stores.noted.migrated.lock().is_empty());
    let query = ObjectQuery { limit: 1, ..ObjectQuery::default() };
    assert!(stores.objects.list(&BucketName("shop/dev/b".into()), query).await.is_err(), "the bucket itself is gone");
    // What is gone may be dropped again: so that a deployment which broke off can be finished.
    let again = without(&world, &app, &["kv.s", "bucket.b"], &[]).await.expect("it is gone already");
    assert!(again.plan.unchanged && again.dropped.len() == 2);
}

#[tokio::test]
async fn what_is_used_can_not_be_dropped() {
    let world = World::new().await;
    let (with, _) = deployed(&world).await;
    assert_eq!(without(&world, &with, &["kv.s"], &[]).await.expect_err("it is used").code, Code::E0709);
    assert_eq!(without(&world, &with, &["secret.KEY"], &[]).await.expect_err("it is no data").code, Code::E0709);
}
