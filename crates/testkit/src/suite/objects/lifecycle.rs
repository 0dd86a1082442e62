//! The rules for the end of objects.

use std::time::Duration;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn rule(prefix: &str) -> LifecycleRule {
    LifecycleRule { id: prefix.into(), enabled: true, prefix: prefix.into(), ..LifecycleRule::default() }
}

async fn sweep(store: &ObjectsFixture) -> u64 {
    store.objects.sweep().await.expect("it can be swept")
}

pub(super) async fn objects_expire(store: &ObjectsFixture) {
    let rules = vec![
        LifecycleRule { expire: Some(DAY), ..rule("tmp/") },
        LifecycleRule { expire: Some(DAY), enabled: false, ..rule("keep/") },
    ];
    store.configure(Versioning::Off, rules).await;
    for key in ["keep/1", "tmp/1", "tmp/2"] {
        store.put(key, pattern(100_000, 1)).await;
    }
    store.clock.advance(DAY - Duration::from_secs(1));
    assert_eq!(sweep(store).await, 0);
    store.put("tmp/2", "again").await;
    store.clock.advance(Duration::from_secs(1));
    assert_eq!(sweep(store).await, 1);
    assert_eq!(store.keys().await, ["keep/1", "tmp/2"], "what was written again lives anew");
    store.clock.advance(DAY);
    assert_eq!(sweep(store).await, 1);
    assert_eq!(sweep(store).await, 0);
}

pub(super) async fn old_versions_and_lone_markers_go(store: &ObjectsFixture) {
    let rules = vec![LifecycleRule { expire: Some(10 * DAY), expire_old: Some(DAY), ..rule("") }];
    store.configure(Versioning::On, rules).await;
    let versions = async |key: &str| {
        let page = store.objects.list_versions(store.bucket(), query(key, None, 100), None).await.expect("readable");
        page.objects.iter().map(|info| info.is_delete_marker).collect::<Vec<_>>()
    };
    for text in ["1", "2", "3"] {
        store.put("a", text).await;
    }
    store.clock.advance(5 * DAY);
    assert_eq!(sweep(store).await, 2, "the two old ones");
    store.put("a", "4").await;
    store.clock.advance(DAY / 2);
    assert_eq!(sweep(store).await, 0, "an old one lives on from when it became old, not from when it was written");
    store.clock.advance(DAY / 2);
    assert_eq!(sweep(store).await, 1);
    store.clock.advance(9 * DAY);
    assert_eq!(sweep(store).await, 1, "the newest expires");
    assert_eq!(versions("a").await, [true, false], "by a delete marker");
    store.clock.advance(DAY);
    assert_eq!(sweep(store).await, 1, "then it is an old one");
    assert_eq!(versions("a").await, [true]);
    store.clock.advance(9 * DAY);
    assert_eq!(sweep(store).await, 0, "delete markers don't count");
    assert_eq!(versions("a").await, Vec::<bool>::new());
}

pub(super) async fn uploads_are_aborted(store: &ObjectsFixture) {
    store.configure(Versioning::Off, vec![LifecycleRule { abort_uploads: Some(DAY), ..rule("tmp/") }]).await;
    for key in ["keep", "tmp/1"] {
        let upload = store.objects.begin_upload(store.bucket(), key, ObjectAttributes::default()).await.expect("it begins");
        store.part(&upload.id, 1, pattern(100_000, 1)).await;
    }
    store.clock.advance(DAY);
    assert_eq!(sweep(store).await, 0, "uploads don't count");
    let left = store.objects.uploads(store.bucket(), "", None, 10).await.expect("readable");
    assert_eq!(left.into_iter().map(|upload| upload.key).collect::<Vec<_>>(), ["keep"]);
}
