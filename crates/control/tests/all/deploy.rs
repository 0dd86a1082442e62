//! Deployments, rollbacks and restarts: what the planes are told, and what they are never told.

use std::sync::{Arc, atomic::Ordering};

use types::{
    Code, RevisionNumber,
    wire::api::{AppStatus, Change, Deployed, Plan, RevisionStatus, Rollback, RolledBack},
};

use crate::world::{World, app, key};

#[tokio::test]
async fn a_deployment_is_planned_stored_and_served() {
    let world = World::new().await;
    let hello = app("hello", "dev", &[("api", &["GET /{name}"])]);
    let plan: Plan = world.post("/v1/apps/hello/dev/plan", &world.deployment(&hello, b"v1").await).await.expect("a plan");
    assert_eq!((plan.revision, plan.base, plan.functions[0].change), (RevisionNumber(1), None, Change::Added));
    assert!(plan.missing.is_empty() && !plan.unchanged);

    let deployed = world.deploy(&hello, b"v1").await.expect("deployed");
    assert_eq!(deployed.urls[0], "http://localhost:4000/");
    assert_eq!(deployed.prepared.len(), 1);
    assert_eq!(world.plane.serves(), ["hello/dev r1 hello.localhost,dev.hello.localhost default"]);

    let status: AppStatus = world.get("/v1/apps/hello/dev").await.expect("it is there");
    assert_eq!((status.latest, status.functions[0].routes[0].to_string()), (RevisionNumber(1), "GET /{name}".to_owned()));
}

#[tokio::test]
async fn deploying_the_same_again_makes_no_revision() {
    let world = World::new().await;
    let hello = app("hello", "dev", &[("api", &["/"])]);
    world.deploy(&hello, b"v1").await.expect("deployed");
    let snapshots = world.plane.installed().len();
    let again = world.deploy(&hello, b"v1").await.expect("nothing to do");
    assert!(again.plan.unchanged && again.plan.revision == RevisionNumber(1));
    assert_eq!(world.plane.installed().len(), snapshots);
}

#[tokio::test]
async fn code_that_cannot_run_leaves_everything_as_it_was() {
    let world = World::new().await;
    let hello = app("hello", "dev", &[("api", &["/"])]);
    world.deploy(&hello, b"v1").await.expect("deployed");
    let before = world.plane.serves();
    let problem = world.deploy(&hello, b"bad").await.expect_err("it can't run");
    assert_eq!(problem.code, Code::E0305);
    assert_eq!(world.plane.serves(), before);
    let revisions: Vec<RevisionStatus> = world.get("/v1/apps/hello/dev/revisions").await.expect("a list");
    assert_eq!(revisions.len(), 1);
    assert!(problem.notes.is_empty(), "there is no doubt which function it is: {problem:?}");
    let pair = app("pair", "dev", &[("api", &["/"]), ("mail", &[])]);
    let mut deploy = world.deployment(&pair, b"fine").await;
    deploy.artifacts.insert("mail".parse().expect("a name"), world.upload(b"bad").await);
    let problem = world.post::<serde_json::Value>("/v1/apps/pair/dev/deploy", &deploy).await.expect_err("it can't run");
    assert_eq!(problem.notes, ["the code of fn.mail"]);
}

#[tokio::test]
async fn what_top_level_code_logs_is_told_with_the_deployment() {
    let world = World::new().await;
    let deployed = world.deploy(&app("hello", "dev", &[("api", &["/"])]), b"says hello").await.expect("deployed");
    assert_eq!(deployed.prepared.values().next().expect("a function").logs, ["hello"]);
}

#[tokio::test]
async fn served_scripts_are_made_anew_in_the_background_and_nothing_else_is() {
    let world = World::new().await;
    let mut hello = app("hello", "dev", &[("api", &["/"])]);
    world.deploy(&hello, b"component").await.expect("deployed");
    world.control.refresh().await;
    assert!(world.runtime.refreshed.lock().is_empty(), "there is no script");
    hello.functions.values_mut().for_each(|function| function.build = types::Build::Script);
    world.deploy(&hello, b"earlier").await.expect("deployed");
    world.deploy(&hello, b"script").await.expect("deployed");
    let restarted = world.restarted().await;
    restarted.control.refresh().await;
    assert_eq!(*restarted.runtime.refreshed.lock(), ["script"], "what is not served waits until it is");
}

#[tokio::test]
async fn a_rollback_moves_the_pointer_and_a_plan_compares_with_what_is_served() {
    let world = World::new().await;
    let mut hello = app("hello", "dev", &[("api", &["/"])]);
    world.deploy(&hello, b"v1").await.expect("deployed");
    let api = hello.functions.values_mut().next().expect("a function");
    api.uses.push("kv.cache".parse().expect("a grant"));
    world.deploy(&hello, b"v2").await.expect("deployed");

    let back: RolledBack =
        world.post("/v1/apps/hello/dev/rollback", &Rollback::default()).await.expect("there is a revision before");
    assert_eq!((back.revision, back.before[0].revision), (RevisionNumber(1), RevisionNumber(2)));
    assert!(world.plane.serves()[0].starts_with("hello/dev r1 "));
    let problem =
        world.post::<RolledBack>("/v1/apps/hello/dev/rollback", &Rollback::default()).await.expect_err("it is the first");
    assert_eq!(problem.code, Code::E0704);

    // The newest revision has the permission, but what is served has not: the plan must say that it is gained.
    let plan: Plan = world.post("/v1/apps/hello/dev/plan", &world.deployment(&hello, b"v3").await).await.expect("a plan");
    assert_eq!((plan.base, plan.latest, plan.revision), (Some(RevisionNumber(1)), Some(RevisionNumber(2)), RevisionNumber(3)));
    assert_eq!(plan.gained.len(), 2);

    let forward = Rollback { to: Some(RevisionNumber(2)) };
    world.post::<RolledBack>("/v1/apps/hello/dev/rollback", &forward).await.expect("a later one is served as well");
    assert!(world.plane.serves()[0].starts_with("hello/dev r2 "));
    let nowhere = Rollback { to: Some(RevisionNumber(9)) };
    let problem = world.post::<RolledBack>("/v1/apps/hello/dev/rollback", &nowhere).await.expect_err("there is none");
    assert_eq!(problem.code, Code::E0704);
}

#[tokio::test]
async fn a_restart_serves_what_was_served_and_loads_no_code_for_it() {
    let world = World::new().await;
    let hello = app("hello", "dev", &[("api", &["/"])]);
    world.deploy(&hello, b"v1").await.expect("deployed");
    world.deploy(&hello, b"v2").await.expect("deployed");
    world.deploy(&app("shop", "prod", &[("api", &["/"])]), b"v1").await.expect("deployed");
    let _: RolledBack = world.post("/v1/apps/hello/dev/rollback", &Rollback::default()).await.expect("rolled back");
    let restarted = world.restarted().await;
    assert_eq!(restarted.plane.serves(), world.plane.serves());
    assert!(restarted.plane.serves()[0].starts_with("hello/dev r1 "));
    let touched = restarted.runtime.prepared.load(Ordering::Relaxed) + restarted.runtime.loaded.load(Ordering::Relaxed);
    assert_eq!(touched, 0, "code is loaded when it is called");
}

#[tokio::test]
async fn of_concurrent_deployments_one_wins_and_the_others_are_told() {
    let world = Arc::new(World::new().await);
    let hello = app("hello", "dev", &[("api", &["/"])]);
    world.deploy(&hello, b"v0").await.expect("deployed");
    let mut deployments = Vec::new();
    for code in [&b"v1"[..], b"v2", b"v3", b"v4", b"v5", b"v6", b"v7", b"v8"] {
        let mut deploy = world.deployment(&hello, code).await;
        deploy.after = Some(RevisionNumber(1));
        let world = Arc::clone(&world);
        deployments.push(tokio::spawn(async move { world.post::<Deployed>("/v1/apps/hello/dev/deploy", &deploy).await }));
    }
    let mut won = 0;
    for deployment in deployments {
        match deployment.await.expect("it ends") {
            Ok(_) => won += 1,
            Err(problem) => assert_eq!(problem.code, Code::E0710, "{problem}"),
        }
    }
    assert_eq!(won, 1);
    assert!(world.plane.serves()[0].starts_with("hello/dev r2 "));
}

#[tokio::test]
async fn a_plan_says_which_artifacts_are_missing_and_a_deployment_without_them_is_refused() {
    let world = World::new().await;
    let hello = app("hello", "dev", &[("api", &["/"])]);
    let mut deploy = world.deployment(&hello, b"v1").await;
    let never = types::Digest::from_bytes([9; 32]);
    deploy.artifacts.values_mut().for_each(|artifact| artifact.digest = never);
    let plan: Plan = world.post("/v1/apps/hello/dev/plan", &deploy).await.expect("a plan");
    assert_eq!(plan.missing, [never]);
    let problem = world.post::<Deployed>("/v1/apps/hello/dev/deploy", &deploy).await.expect_err("it is not there");
    assert_eq!(problem.code, Code::E0301);
}

#[tokio::test]
async fn models_that_do_not_fit_are_refused_before_anything_happens() {
    let world = World::new().await;
    let good = app("hello", "dev", &[("api", &["GET /{a}"]), ("other", &["GET /x"])]);
    let mut cases: Vec<(Code, types::App)> = Vec::new();
    let mut with = |code, change: &dyn Fn(&mut types::App)| {
        let mut app = good.clone();
        change(&mut app);
        cases.push((code, app));
    };
    with(Code::E0709, &|app| app.name = "else".parse().expect("a name"));
    with(Code::E0709, &|app| app.functions.clear());
    with(Code::E0105, &|app| app.functions.values_mut().for_each(|f| f.limits.memory = types::ByteCount::mib(2048)));
    with(Code::E0105, &|app| app.functions.values_mut().for_each(|f| f.limits.concurrency = 0));
    with(Code::E0105, &|app| app.functions.values_mut().for_each(|f| f.limits.time = std::time::Duration::from_secs(901)));
    with(Code::E0108, &|app| app.functions.values_mut().for_each(|f| f.routes = vec!["/{b}".parse().expect("a route")]));
    with(Code::E0105, &|app| app.domain = Some("x.localhost".into()));
    for (code, app) in cases {
        let deploy = world.deployment(&app, b"v1").await;
        let problem = world.post::<Deployed>("/v1/apps/hello/dev/deploy", &deploy).await.expect_err("it does not fit");
        assert_eq!(problem.code, code, "{problem}");
    }
    assert!(world.plane.serves().is_empty());
}

#[tokio::test]
async fn host_names_follow_the_environments_and_belong_to_one_app() {
    let world = World::new().await;
    let mut shop = app("shop", "prod", &[("api", &["/"])]);
    shop.domain = Some("shop.example".into());
    world.deploy(&app("shop", "dev", &[("api", &["/"])]), b"v1").await.expect("deployed");
    assert_eq!(world.plane.serves(), ["shop/dev r1 shop.localhost,dev.shop.localhost default"]);
    world.deploy(&shop, b"v1").await.expect("deployed");
    let expected = ["shop/dev r1 dev.shop.localhost", "shop/prod r1 shop.example,shop.localhost,prod.shop.localhost"];
    assert_eq!(world.plane.serves(), expected);

    let mut thief = app("thief", "prod", &[("api", &["/"])]);
    thief.domain = Some("shop.example".into());
    let problem = world.deploy(&thief, b"v1").await.expect_err("the domain is taken");
    assert_eq!(problem.code, Code::E0105);
}

#[tokio::test]
async fn snapshots_share_what_did_not_change_and_functions_keep_their_gates() {
    let world = World::new().await;
    world.deploy(&app("a", "dev", &[("api", &["/"])]), b"v1").await.expect("deployed");
    world.deploy(&app("b", "dev", &[("api", &["/"])]), b"v1").await.expect("deployed");
    world.deploy(&app("c", "dev", &[("api", &["/"])]), b"v1").await.expect("deployed");
    world.deploy(&app("c", "dev", &[("api", &["/"]), ("more", &["/more"])]), b"v2").await.expect("deployed");
    let installed = world.plane.installed();
    assert!(installed.windows(2).all(|pair| pair[0].number < pair[1].number));
    let [before, after] = &installed[installed.len() - 2..] else { panic!("there are two") };
    let find = |snapshot: &types::Snapshot, name: &str| {
        let wanted = key(name, "dev");
        snapshot.apps.iter().find(|app| app.key == wanted).cloned().expect("it is served")
    };
    assert!(Arc::ptr_eq(&find(before, "a"), &find(after, "a")));
    let gate = |app: &types::LiveApp| app.pick(0).functions.values().next().expect("a function").gate;
    assert_eq!(gate(&find(before, "c")), gate(&find(after, "c")));
    assert_ne!(gate(&find(after, "b")), gate(&find(after, "c")));
}
