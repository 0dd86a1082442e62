//! The models against the suites, and the suites against flawed models.

use std::sync::Arc;

use testkit::{
    TestClock,
    model::{Flaw, ModelBlob, ModelCatalog, ModelKv},
    suite::{self, BlobFixture, CatalogFixture, KvFixture},
};

async fn model(flaw: Option<Flaw>) -> KvFixture {
    let clock = Arc::new(TestClock::new());
    KvFixture::new(Arc::new(ModelKv::with_flaw(clock.clone(), flaw)), clock)
}

#[tokio::test]
async fn the_model_of_kv_passes() {
    suite::kv(|| model(None)).await;
}

#[tokio::test]
async fn the_model_of_blobs_passes() {
    suite::blob(|| async { BlobFixture { blob: Arc::new(ModelBlob::default()), keep: Box::new(()) } }).await;
}

#[tokio::test]
async fn the_model_of_the_catalog_passes() {
    suite::catalog(|| async { CatalogFixture { catalog: Arc::new(ModelCatalog::default()), keep: Box::new(()) } }).await;
}

/// The control: each flaw must fail the suite.
async fn must_fail(flaw: Flaw) {
    let outcome = tokio::spawn(suite::kv(move || model(Some(flaw)))).await;
    assert!(outcome.is_err_and(|error| error.is_panic()), "the suite did not notice that the store {flaw:?}");
}

macro_rules! controls {
    ($($name:ident: $flaw:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            must_fail(Flaw::$flaw).await;
        }
    )*};
}

controls! {
    notices_conditions_that_are_not_checked: IgnoresConditions;
    notices_replies_that_are_forgotten: ForgetsReplies;
    notices_revisions_from_a_sequence: RevsBeforeCommit;
    notices_transactions_that_are_split: SplitsTransactions;
    notices_expiry_that_watchers_miss: ExpiresInSilence;
    notices_entries_that_never_expire: NeverExpires;
    notices_compaction_that_is_hidden: HidesCompaction;
    notices_prefixes_that_miss_high_keys: MissesHighKeys;
    notices_limits_that_are_not_checked: IgnoresLimits;
}

#[tokio::test]
async fn the_model_of_secrets_passes() {
    suite::secrets(|| async {
        let clock = Arc::new(TestClock::new());
        let model = Arc::new(testkit::model::ModelSecrets::new(clock.clone()));
        suite::SecretsFixture { secrets: model.clone(), keys: model, clock, keep: Box::new(()) }
    })
    .await;
}

async fn model_of_streams(flaw: Option<testkit::model::LogFlaw>) -> suite::LogFixture {
    let clock = Arc::new(TestClock::new());
    suite::LogFixture::new(Arc::new(testkit::model::ModelLog::with_flaw(clock.clone(), flaw)), clock)
}

#[tokio::test]
async fn the_model_of_streams_passes() {
    suite::log(|| model_of_streams(None)).await;
}

/// The controls: each flaw must fail the suite.
#[tokio::test]
async fn flawed_streams_are_noticed() {
    use testkit::model::LogFlaw;
    for flaw in [
        LogFlaw::IgnoresEpochs,
        LogFlaw::GoesBack,
        LogFlaw::ForgetsKeys,
        LogFlaw::IgnoresExpectations,
        LogFlaw::SpreadsKeys,
        LogFlaw::HidesCompaction,
        LogFlaw::SleepsThrough,
    ] {
        let outcome = tokio::spawn(suite::log(move || model_of_streams(Some(flaw)))).await;
        assert!(outcome.is_err_and(|error| error.is_panic()), "the suite did not notice that the store {flaw:?}");
    }
}
