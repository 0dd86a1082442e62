//! What every catalog must do.

use std::{any::Any, collections::BTreeMap, sync::Arc};

use ports::{Catalog, StoreError};
use types::{
    App, Digest, Timestamp,
    revision::{AppKey, Parts, RevisionNumber, Share},
};

use crate::{
    model::ModelCatalog,
    rng::{SeededRng, seeds},
};

/// A fresh catalog.
pub struct CatalogFixture {
    /// The catalog.
    pub catalog: Arc<dyn Catalog>,
    /// What must live as long: a temporary folder, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Runs every case on a fresh catalog.
///
/// # Panics
/// If the catalog fails a case.
pub async fn catalog<F: Future<Output = CatalogFixture>>(make: impl Fn() -> F) {
    numbers_revisions_from_one(&*make().await.catalog).await;
    refuses_who_did_not_know_the_newest(&*make().await.catalog).await;
    one_of_many_deployers_wins(make().await.catalog).await;
    serves_only_what_exists(&*make().await.catalog).await;
    forgets_what_is_not_served(&*make().await.catalog).await;
    for seed in seeds(2) {
        agrees_with_the_model(&*make().await.catalog, &SeededRng::new(seed)).await;
    }
}

fn named(app: &str) -> AppKey {
    AppKey { app: app.parse().expect("a name"), env: "dev".parse().expect("a name") }
}

fn app(key: &AppKey, domain: &str) -> App {
    let (name, env) = (key.app.clone(), key.env.clone());
    App { since: Some("2026-01-01".into()), domain: Some(domain.into()), ..App::empty(name, env) }
}

fn artifacts(byte: u8) -> BTreeMap<types::FunctionName, Digest> {
    BTreeMap::from([("api".parse().expect("a name"), Digest::from_bytes([byte; 32]))])
}

fn parts() -> Parts {
    let step = types::sql::Migration { name: "1.sql".into(), sql: "CREATE TABLE \"é\" (x)".into() };
    Parts { site: Some(Digest::from_bytes([9; 32])), migrations: BTreeMap::from([("shop".into(), vec![step])]) }
}

const NOW: Timestamp = Timestamp::from_unix_ms(1_767_225_600_000);

async fn numbers_revisions_from_one(catalog: &dyn Catalog) {
    let key = named("shop");
    let first = catalog.add(&key, None, app(&key, "one"), artifacts(1), Parts::default(), NOW).await.expect("nobody was there");
    let second = catalog.add(&key, Some(first.number), app(&key, "two"), artifacts(2), parts(), NOW).await.expect("it is known");
    assert_eq!((first.number.0, second.number.0), (1, 2));
    assert_eq!((second.app.domain.as_deref(), &second.parts), (Some("two"), &parts()));
    assert_eq!(catalog.revision(&key, first.number).await.expect("readable"), Some(first.clone()));
    assert_eq!(catalog.revision(&key, RevisionNumber(3)).await.expect("readable"), None);
    assert_eq!(catalog.revisions(&key).await.expect("readable"), [second, first], "newest first, whole");
    assert_eq!(catalog.revisions(&named("other")).await.expect("readable"), []);
}

async fn refuses_who_did_not_know_the_newest(catalog: &dyn Catalog) {
    let key = named("shop");
    let first =
        catalog.add(&key, None, app(&key, "one"), artifacts(1), Parts::default(), NOW).await.expect("nobody was there").number;
    for stale in [None, Some(RevisionNumber(2))] {
        let refused = catalog.add(&key, stale, app(&key, "two"), artifacts(2), Parts::default(), NOW).await;
        assert!(matches!(refused, Err(StoreError::Changed(_))), "{refused:?}");
    }
    let refused = catalog.add(&named("new"), Some(first), app(&key, "two"), artifacts(2), Parts::default(), NOW).await;
    assert!(matches!(refused, Err(StoreError::Changed(_))), "{refused:?}");
    assert_eq!(catalog.revisions(&key).await.expect("readable").len(), 1, "nothing was written");
    assert_eq!(catalog.apps().await.expect("readable").len(), 1, "nothing was written");
}

async fn one_of_many_deployers_wins(catalog: Arc<dyn Catalog>) {
    let key = named("shop");
    let deploy = |byte: u8| {
        let (catalog, key) = (catalog.clone(), key.clone());
        tokio::spawn(
            async move { catalog.add(&key, None, app(&key, "race"), artifacts(byte), Parts::default(), NOW).await.is_ok() },
        )
    };
    let mut won = 0;
    for task in (0..8).map(deploy).collect::<Vec<_>>() {
        won += u32::from(task.await.expect("it does not panic"));
    }
    assert_eq!(won, 1);
}

async fn serves_only_what_exists(catalog: &dyn Catalog) {
    let key = named("shop");
    let share = |revision, weight| Share { revision: RevisionNumber(revision), weight };
    assert!(matches!(catalog.serve(&key, vec![]).await, Err(StoreError::Missing(_))), "there is no such app");
    for after in [None, Some(RevisionNumber(1))] {
        catalog.add(&key, after, app(&key, "x"), artifacts(1), Parts::default(), NOW).await.expect("it is the newest");
    }
    let both = vec![share(2, 90), share(1, 10)];
    catalog.serve(&key, both.clone()).await.expect("both exist");
    let refused = catalog.serve(&key, vec![share(1, 1), share(3, 1)]).await;
    assert!(matches!(refused, Err(StoreError::Missing(_))), "{refused:?}");
    let apps = catalog.apps().await.expect("readable");
    assert_eq!((apps[0].latest, &apps[0].shares), (RevisionNumber(2), &both), "a refusal changes nothing");
    catalog.serve(&key, vec![]).await.expect("nothing may be served");
    assert_eq!(catalog.apps().await.expect("readable")[0].shares, []);
}

async fn forgets_what_is_not_served(catalog: &dyn Catalog) {
    let (key, other) = (named("shop"), named("other"));
    catalog.add(&other, None, app(&other, "x"), artifacts(1), Parts::default(), NOW).await.expect("it is the first");
    for after in 0..5 {
        let after = Some(RevisionNumber(after)).filter(|after| after.0 > 0);
        catalog.add(&key, after, app(&key, "x"), artifacts(1), Parts::default(), NOW).await.expect("it is the newest");
    }
    catalog.serve(&key, vec![Share { revision: RevisionNumber(2), weight: 1 }]).await.expect("it exists");
    assert_eq!(catalog.forget(&key, RevisionNumber(4)).await.expect("writable"), 2);
    assert_eq!(catalog.forget(&named("nobody"), RevisionNumber(9)).await.expect("nothing is no error"), 0);
    let left: Vec<u32> = catalog.revisions(&key).await.expect("readable").iter().map(|revision| revision.number.0).collect();
    assert_eq!(left, [5, 4, 2], "what is served stays");
    assert_eq!(catalog.revision(&key, RevisionNumber(3)).await.expect("readable"), None);
    assert_eq!(catalog.forget(&key, RevisionNumber(9)).await.expect("writable"), 1, "the newest stays");
    assert_eq!(catalog.revisions(&other).await.expect("readable").len(), 1, "another app's stay");
    let refused = catalog.serve(&key, vec![Share { revision: RevisionNumber(1), weight: 1 }]).await;
    assert!(matches!(refused, Err(StoreError::Missing(_))), "{refused:?}");
    let next = catalog.add(&key, Some(RevisionNumber(5)), app(&key, "x"), artifacts(1), Parts::default(), NOW).await;
    assert_eq!(next.expect("it is the newest").number.0, 6, "a number is never given twice");
}

async fn agrees_with_the_model(catalog: &dyn Catalog, rng: &SeededRng) {
    let model = ModelCatalog::default();
    let keys = [named("a"), named("b"), named("a-b")];
    for step in 0..120_u8 {
        let key = rng.pick(&keys);
        let number = RevisionNumber(u32::try_from(rng.below(5)).expect("small"));
        match rng.below(5) {
            0 => {
                let after = Some(number).filter(|number| number.0 > 0);
                let ours = catalog.add(key, after, app(key, "x"), artifacts(step), Parts::default(), NOW).await;
                assert_eq!(ours.ok(), model.add(key, after, app(key, "x"), artifacts(step), Parts::default(), NOW).await.ok());
            }
            1 => {
                let shares = vec![Share { revision: number, weight: 1 + u32::from(step) }];
                assert_eq!(catalog.serve(key, shares.clone()).await.is_ok(), model.serve(key, shares).await.is_ok());
            }
            2 => {
                assert_eq!(catalog.forget(key, number).await.ok(), model.forget(key, number).await.ok());
            }
            3 => assert_eq!(catalog.revision(key, number).await.ok(), model.revision(key, number).await.ok()),
            _ => assert_eq!(catalog.revisions(key).await.ok(), model.revisions(key).await.ok()),
        }
        assert_eq!(catalog.apps().await.ok(), model.apps().await.ok());
    }
}
