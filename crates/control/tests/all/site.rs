//! Static sites: what a deployment makes of their files.

use std::collections::BTreeMap;

use bytes::Bytes;
use types::{
    App, Code, Problem,
    settings::SiteSettings,
    site::{Site, SiteEncoding},
    wire::api::{Artifact, Deployed, Rollback, RolledBack},
};

use crate::world::{World, app};

fn with_site(fallback: Option<&str>) -> App {
    App { site: Some(SiteSettings { dir: "web".into(), fallback: fallback.map(str::to_owned) }), ..app("shop", "dev", &[]) }
}

async fn deploy(world: &World, app: &App, files: &[(&str, &'static [u8])]) -> Result<Deployed, Problem> {
    let mut site: BTreeMap<String, Artifact> = BTreeMap::new();
    for (path, bytes) in files {
        site.insert((*path).to_owned(), world.upload(bytes).await);
    }
    let mut deploy = types::wire::api::Deploy::of(app.clone(), BTreeMap::new());
    deploy.site = site;
    world.deploy_all(deploy).await
}

fn served(world: &World) -> Option<std::sync::Arc<Site>> {
    let snapshot = world.plane.installed().last().cloned().expect("there is one");
    snapshot.apps[0].pick(0).site.clone()
}

static PAGE: &[u8] = &[b'a'; 4_000];

#[tokio::test]
async fn a_site_switches_and_rolls_back_with_its_revision() {
    let world = World::new().await;
    let app = with_site(Some("index.html"));
    let first = deploy(&world, &app, &[("index.html", PAGE), ("a/pixel.png", b"\x89PNG")]).await.expect("it is good");
    assert_eq!(first.plan.site.expect("it is new").added, 2);
    let site = served(&world).expect("it is served");
    let page = &site.files["index.html"];
    assert_eq!((page.bytes, page.content_type.as_str(), page.variants.len()), (4_000, "text/html; charset=utf-8", 3));
    assert!(page.variants.iter().all(|variant| variant.bytes < 200 && variant.etag() != page.etag()));
    assert!(site.files["a/pixel.png"].variants.is_empty());
    let variant = page.variants.iter().find(|variant| variant.encoding == SiteEncoding::Gzip).expect("it gets smaller");
    let stored = world.blob.get(&variant.digest).await.expect("readable").expect("it is stored");
    assert!(stored.len() as u64 == variant.bytes && stored.starts_with(&[0x1f, 0x8b]));

    let same = deploy(&world, &app, &[("index.html", PAGE), ("a/pixel.png", b"\x89PNG")]).await.expect("it is good");
    assert!(same.plan.unchanged);
    deploy(&world, &app, &[("index.html", b"new")]).await.expect("it is good");
    assert_eq!(served(&world).expect("it is served").files.len(), 1);
    world.post::<RolledBack>("/v1/apps/shop/dev/rollback", &Rollback { to: None }).await.expect("there is one");
    assert_eq!(served(&world).expect("it is served"), site);
    let restarted = world.restarted().await;
    assert_eq!(served(&restarted).expect("it is served"), site);
}

#[tokio::test]
async fn what_a_site_can_not_hold_is_refused() {
    let world = World::new().await;
    let app = with_site(Some("index.html"));
    for (files, code) in [
        (&[("a.html", PAGE)] as &[(&str, &'static [u8])], Code::E0116),
        (&[("index.html", PAGE), ("../x", PAGE)], Code::E0116),
        (&[("index.html", PAGE), ("/x", PAGE)], Code::E0116),
    ] {
        assert_eq!(deploy(&world, &app, files).await.expect_err("refused").code, code, "{files:?}");
    }
    let none = crate::world::app("shop", "dev", &[("api", &["/"])]);
    let mut stray = world.deployment(&none, b"code").await;
    stray.site.insert("x".into(), world.upload(b"x").await);
    assert_eq!(world.deploy_all(stray).await.expect_err("no site").code, Code::E0709);
    let mut missing = types::wire::api::Deploy::of(with_site(None), BTreeMap::new());
    missing.site.insert("x".into(), Artifact { digest: types::Digest::from_bytes([1; 32]), bytes: 1 });
    let problem = world.deploy_all(missing).await.expect_err("not uploaded");
    assert!(problem.code == Code::E0301 && problem.message.contains("\"x\""), "{problem}");
    let mut large = types::wire::api::Deploy::of(with_site(None), BTreeMap::new());
    let bytes = types::limits::SITE_FILE.0 + 1;
    large.site.insert("x".into(), Artifact { digest: types::Digest::from_bytes([1; 32]), bytes });
    assert_eq!(world.deploy_all(large).await.expect_err("too large").code, Code::E0116);
    assert_eq!(Bytes::from_static(PAGE).len(), 4_000);
}
