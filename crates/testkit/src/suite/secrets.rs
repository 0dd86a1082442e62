//! What every store of secrets and access keys must do.

use std::{any::Any, sync::Arc, time::Duration};

use ports::{
    AccessKeys, Clock as _, Secrets, StoreError,
    secrets::{SecretInfo, SecretValue},
};
use types::{limits, revision::AppKey};

use crate::{
    TestClock,
    model::ModelSecrets,
    rng::{SeededRng, seeds},
};

/// A fresh store of secrets with the clock that it was given.
pub struct SecretsFixture {
    /// The secrets.
    pub secrets: Arc<dyn Secrets>,
    /// The access keys.
    pub keys: Arc<dyn AccessKeys>,
    /// Their clock.
    pub clock: Arc<TestClock>,
    /// What must live as long: a temporary folder, say.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Runs every case on a fresh store.
///
/// # Panics
/// If the store fails a case.
pub async fn secrets<F: Future<Output = SecretsFixture>>(make: impl Fn() -> F) {
    gives_the_newest_version(&make().await).await;
    apps_share_nothing(&make().await).await;
    versions_go_on_after_a_removal(&make().await).await;
    refuses_what_is_too_large(&make().await).await;
    a_new_key_of_the_platform_changes_no_value(&make().await).await;
    issues_keys_that_are_found_until_they_are_revoked(&make().await).await;
    for seed in seeds(2) {
        agrees_with_the_model(&make().await, &SeededRng::new(seed)).await;
    }
}

fn named(app: &str) -> AppKey {
    AppKey { app: app.parse().expect("a name"), env: "dev".parse().expect("a name") }
}

fn value(text: &str) -> SecretValue {
    SecretValue(text.as_bytes().to_vec())
}

async fn gives_the_newest_version(fixture: &SecretsFixture) {
    let (secrets, app) = (&fixture.secrets, named("shop"));
    assert_eq!(secrets.get(&app, "token").await.expect("readable"), None);
    for version in 1..=limits::SECRET_VERSIONS + 3 {
        let text = format!("text {version}");
        assert_eq!(secrets.set(&app, "token", value(&text)).await.expect("there is room"), version);
        assert_eq!(secrets.get(&app, "token").await.expect("readable"), Some((version, value(&text))));
    }
    fixture.clock.advance(Duration::from_secs(1));
    secrets.set(&app, "another", value("")).await.expect("it may be empty");
    let listed = secrets.list(&app).await.expect("readable");
    let later = fixture.clock.now();
    assert_eq!(listed[0], SecretInfo { name: "another".into(), version: 1, set: later });
    assert_eq!((listed[1].name.as_str(), listed[1].version, listed[1].set < later), ("token", limits::SECRET_VERSIONS + 3, true));
    assert_eq!(listed.len(), 2);
}

async fn apps_share_nothing(fixture: &SecretsFixture) {
    let secrets = &fixture.secrets;
    let (one, other) = (named("shop"), AppKey { env: "prod".parse().expect("a name"), ..named("shop") });
    secrets.set(&one, "token", value("one")).await.expect("there is room");
    assert_eq!(secrets.get(&other, "token").await.expect("readable"), None);
    secrets.set(&other, "token", value("two")).await.expect("there is room");
    secrets.remove(&other, "token").await.expect("removable");
    assert_eq!(secrets.get(&one, "token").await.expect("readable"), Some((1, value("one"))));
    assert_eq!(secrets.list(&other).await.expect("readable"), []);
}

async fn versions_go_on_after_a_removal(fixture: &SecretsFixture) {
    let (secrets, app) = (&fixture.secrets, named("shop"));
    for _ in 0..2 {
        secrets.remove(&app, "token").await.expect("removing nothing is no error");
    }
    secrets.set(&app, "token", value("one")).await.expect("there is room");
    secrets.remove(&app, "token").await.expect("removable");
    assert_eq!(secrets.get(&app, "token").await.expect("readable"), None);
    assert_eq!(secrets.set(&app, "token", value("two")).await.expect("there is room"), 2, "a version names one value for ever");
}

async fn refuses_what_is_too_large(fixture: &SecretsFixture) {
    let (secrets, app) = (&fixture.secrets, named("shop"));
    let largest = usize::try_from(limits::SECRET.0).expect("small");
    secrets.set(&app, "token", SecretValue(vec![1; largest])).await.expect("it is at the limit");
    let refused = secrets.set(&app, "token", SecretValue(vec![1; largest + 1])).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { what: "secret", .. })), "{refused:?}");
    let (version, kept) = secrets.get(&app, "token").await.expect("readable").expect("it is set");
    assert_eq!((version, kept.0.len()), (1, largest));
}

async fn a_new_key_of_the_platform_changes_no_value(fixture: &SecretsFixture) {
    let (secrets, keys) = (&fixture.secrets, &fixture.keys);
    let apps = [named("shop"), named("mail")];
    let mut pairs = Vec::new();
    for app in &apps {
        secrets.set(app, "token", value("first")).await.expect("there is room");
        secrets.set(app, "token", value(&app.to_string())).await.expect("there is room");
        pairs.push(keys.issue(app, false).await.expect("there is room"));
    }
    assert_eq!(secrets.rewrap().await.expect("it can be done"), 6);
    for (app, pair) in apps.iter().zip(pairs) {
        assert_eq!(secrets.get(app, "token").await.expect("readable"), Some((2, value(&app.to_string()))));
        assert_eq!(keys.list(app).await.expect("readable"), [pair]);
    }
    assert_eq!(secrets.set(&apps[0], "token", value("third")).await.expect("there is room"), 3);
}

async fn issues_keys_that_are_found_until_they_are_revoked(fixture: &SecretsFixture) {
    let (keys, app) = (&fixture.keys, named("shop"));
    let first = keys.issue(&app, false).await.expect("there is room");
    let second = keys.issue(&app, true).await.expect("there is room");
    keys.issue(&named("other"), true).await.expect("there is room");
    let is_upper = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    assert!(first.id.len() == 20 && first.id.starts_with("DFLY") && is_upper(&first.id), "{}", first.id);
    assert!(first.secret.0.len() == 40 && first.secret != second.secret && first.id != second.id);
    assert_eq!(keys.find(&second.id).await.expect("readable"), Some(second.clone()));
    assert_eq!(keys.list(&app).await.expect("readable"), [first.clone(), second.clone()]);
    assert!(keys.revoke(&first.id).await.expect("writable"));
    assert!(!keys.revoke(&first.id).await.expect("writable"), "it is gone");
    assert_eq!(keys.find(&first.id).await.expect("readable"), None);
    assert_eq!(keys.list(&app).await.expect("readable"), [second]);
}

async fn agrees_with_the_model(fixture: &SecretsFixture, rng: &SeededRng) {
    let (secrets, model) = (&fixture.secrets, ModelSecrets::new(fixture.clock.clone()));
    let apps = [named("a"), named("b"), named("a-b")];
    for step in 0..150 {
        let (app, name) = (rng.pick(&apps), *rng.pick(&["x", "y", "a/x"]));
        fixture.clock.advance(Duration::from_secs(1));
        match rng.below(12) {
            0..6 => {
                let value = value(&format!("{step}"));
                assert_eq!(secrets.set(app, name, value.clone()).await.ok(), model.set(app, name, value).await.ok());
            }
            6..8 => assert_eq!(secrets.remove(app, name).await.ok(), model.remove(app, name).await.ok()),
            8 => assert_eq!(secrets.rewrap().await.ok(), model.rewrap().await.ok()),
            _ => assert_eq!(secrets.list(app).await.ok(), Secrets::list(&model, app).await.ok()),
        }
        assert_eq!(secrets.get(app, name).await.ok(), model.get(app, name).await.ok());
    }
}
