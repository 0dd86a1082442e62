//! The model of objects against the suite, and the suite against flawed models.

use std::sync::Arc;

use testkit::{
    TestClock,
    model::{ModelObjects, ObjectFlaw},
    suite::{self, ObjectsFixture},
};

async fn model(flaw: Option<ObjectFlaw>) -> ObjectsFixture {
    let clock = Arc::new(TestClock::new());
    ObjectsFixture::new(Arc::new(ModelObjects::with_flaw(clock.clone(), flaw)), clock)
}

#[tokio::test]
async fn the_model_of_objects_passes() {
    suite::objects(|| model(None)).await;
}

/// The control: each flaw must fail the suite.
async fn must_fail(flaw: ObjectFlaw) {
    let outcome = tokio::spawn(suite::objects(move || model(Some(flaw)))).await;
    assert!(outcome.is_err_and(|error| error.is_panic()), "the suite did not notice that the store {flaw:?}");
}

macro_rules! controls {
    ($($name:ident: $flaw:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            must_fail(ObjectFlaw::$flaw).await;
        }
    )*};
}

controls! {
    notices_conditions_of_objects_that_are_not_checked: IgnoresConditions;
    notices_half_objects: KeepsBrokenBodies;
    notices_versions_that_are_forgotten: ForgetsVersions;
    notices_deleted_objects_in_listings: ListsDeleted;
    notices_groups_that_come_again: RepeatsGroups;
    notices_parts_out_of_order: IgnoresPartOrder;
    notices_objects_that_never_expire: NeverExpires;
    notices_limits_of_objects_that_are_not_checked: IgnoresLimits;
    notices_ranges_that_are_cut: CutsRanges;
}
