//! What no revision needs any more is removed, and nothing else ever is.

use std::collections::BTreeSet;

use types::{
    App, Code, Digest, Problem, RevisionNumber, limits,
    settings::SiteSettings,
    wire::api::{RevisionStatus, Rollback, RolledBack},
};

use crate::world::{World, app};

fn hello() -> App {
    app("hello", "dev", &[("api", &["/"])])
}

/// Code that differs from that of every other number.
fn code(number: usize) -> &'static [u8] {
    format!("code {number}").leak().as_bytes()
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(*blake3::hash(bytes).as_bytes())
}

async fn blobs(world: &World) -> BTreeSet<Digest> {
    world.blob.list().await.expect("readable").into_iter().collect()
}

async fn numbers(world: &World) -> Vec<u32> {
    let revisions: Vec<RevisionStatus> = world.get("/v1/apps/hello/dev/revisions").await.expect("a list");
    revisions.into_iter().map(|revision| revision.number.0).collect()
}

async fn roll_back(world: &World, to: u32) -> Result<RolledBack, Problem> {
    let rollback = Rollback { to: Some(RevisionNumber(to)) };
    world.post("/v1/apps/hello/dev/rollback", &rollback).await
}

#[tokio::test]
async fn the_newest_revisions_and_the_served_one_stay_with_all_they_need() {
    let world = World::new().await;
    let all = limits::REVISIONS + 5;
    for number in 1..=all {
        world.deploy(&hello(), code(number)).await.expect("deployed");
    }
    roll_back(&world, 2).await.expect("it is there");
    // The next process: nobody asked it about anything yet.
    let world = world.restarted().await;
    let pruned = world.control.prune().await.expect("pruned");
    assert_eq!((pruned.revisions, pruned.blobs), (4, 4), "1, 3, 4 and 5");
    let kept: Vec<usize> = [2].into_iter().chain(6..=all).collect();
    assert_eq!(numbers(&world).await, kept.iter().rev().map(|number| *number as u32).collect::<Vec<_>>());
    let needed: BTreeSet<Digest> = kept.iter().map(|number| digest(code(*number))).collect();
    assert_eq!(blobs(&world).await, needed);
    assert_eq!(world.runtime.retained.lock().as_ref(), Some(&needed), "code that was made of the others is of no use");
    let problem = roll_back(&world, 3).await.expect_err("it is gone");
    assert_eq!(problem.code, Code::E0704);
    assert!(problem.notes.iter().any(|note| note.contains("newest 100")), "{problem:?}");
    roll_back(&world, 6).await.expect("the oldest that is kept");
}

#[tokio::test]
async fn what_somebody_asked_about_stays_until_there_was_time_to_deploy_it() {
    let world = World::new().await;
    world.deploy(&hello(), b"v1").await.expect("deployed");
    let (uploaded, planned) = (world.upload(b"uploaded").await.digest, world.upload(b"planned").await.digest);
    for round in 0..2 {
        world.control.prune().await.expect("pruned");
        let deploy = world.deployment(&hello(), b"planned").await;
        let _: serde_json::Value = world.post("/v1/apps/hello/dev/plan", &deploy).await.expect("a plan");
        let left = blobs(&world).await;
        assert!(left.contains(&planned));
        assert_eq!(left.contains(&uploaded), round == 0, "in the time of a whole round nobody came for it");
    }
    world.deploy(&hello(), b"planned").await.expect("what is in the plan is there");
    for _ in 0..3 {
        world.control.prune().await.expect("pruned");
    }
    assert_eq!(
        blobs(&world).await,
        [b"v1".as_slice(), b"planned"].map(digest).into(),
        "what revisions name stays without being asked for"
    );
}

#[tokio::test]
async fn files_of_a_site_stay_with_it() {
    let world = World::new().await;
    let shop = App { site: Some(SiteSettings { dir: "web".into(), fallback: None }), ..app("shop", "dev", &[]) };
    let page: &'static [u8] = "a line of a page\n".repeat(100).leak().as_bytes();
    let mut deploy = types::wire::api::Deploy::of(shop, std::collections::BTreeMap::new());
    deploy.site.insert("index.html".into(), world.upload(page).await);
    world.deploy_all(deploy).await.expect("deployed");
    let stray = world.upload(b"of nobody").await.digest;
    let before = blobs(&world).await;
    assert!(before.len() > 3, "the page, the same compressed, the index, and a stray file: {before:?}");
    let world = world.restarted().await;
    world.control.prune().await.expect("pruned");
    assert_eq!(blobs(&world).await, before.into_iter().filter(|digest| *digest != stray).collect());
}

#[tokio::test]
async fn nothing_is_removed_if_a_revision_can_not_be_read() {
    let world = World::new().await;
    let shop = App { site: Some(SiteSettings { dir: "web".into(), fallback: None }), ..app("shop", "dev", &[]) };
    let mut deploy = types::wire::api::Deploy::of(shop, std::collections::BTreeMap::new());
    deploy.site.insert("index.html".into(), world.upload(b"a page").await);
    world.deploy_all(deploy).await.expect("deployed");
    world.deploy(&hello(), b"v1").await.expect("deployed");
    world.upload(b"of nobody").await;
    let revisions = world.catalog.revisions(&crate::world::key("shop", "dev")).await.expect("readable");
    world.blob.remove(&revisions[0].parts.site.expect("it has a site")).await.expect("removed");
    let before = blobs(&world).await;
    let world = world.restarted().await;
    assert!(world.control.prune().await.is_err());
    assert_eq!(blobs(&world).await, before);
}
