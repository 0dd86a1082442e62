//! Settings of resources, the site, the way in for events, and webhooks.

use std::time::Duration;

use expect_test::{Expect, expect};
use types::{
    settings::{BucketSettings, EventsSettings, SiteSettings, StreamSettings},
    trigger::{Webhook, WebhookEncoding, WebhookHash},
};

use crate::support::{Memory, check_in, env, load};

const ALL: &str = r#"app = "shop"
[fn.api]
path  = "api"
route = "POST /hooks"
uses  = ["kv.sessions", "sql.shop", "bucket.uploads", "queue.mail", "stream.clicks", "secret.STRIPE"]
webhook = { header = "Stripe-Signature", secret = "STRIPE", algorithm = "sha512", encoding = "base64", prefix = "v1=", timestamp = "x-time", tolerance = "1m" }
[kv.sessions]
expire = "30d"
[sql.shop]
migrations = "migrations"
[bucket.uploads]
versioning = true
expire = "7d"
cors = ["https://shop.example.com"]
[queue.mail]
retention = "1d"
[stream.clicks]
partitions = 4
[site]
dir = "site"
fallback = "index.js"
[events]
key = "EVENTS_KEY"
[env.prod.kv.sessions]
expire = "60d"
[env.prod.stream.clicks]
partitions = 8
[env.prod.events]
bus = "orders"
"#;

fn files() -> Memory {
    Memory::usual().with("migrations/1.sql", "")
}

fn refused(source: &str, expected: Expect) {
    check_in(&format!("app = \"a\"\n[fn.api]\npath = \"api\"\n{source}"), "dev", &files(), expected);
}

#[test]
fn everything_is_read_and_merged() {
    let read = |name: &str| manifest::parse(ALL, "dayfly.toml", &env(name), &files()).expect("a good manifest").app;
    let (dev, prod) = (read("dev"), read("prod"));
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(dev.resources.kv["sessions"].expire, Some(day * 30));
    assert_eq!(prod.resources.kv["sessions"].expire, Some(day * 60));
    assert_eq!(dev.resources.sql["shop"].migrations.as_deref(), Some("migrations"));
    let bucket = BucketSettings { versioning: true, expire: Some(day * 7), cors: vec!["https://shop.example.com".into()] };
    assert_eq!(dev.resources.bucket["uploads"], bucket);
    assert_eq!(dev.resources.queue["mail"].retention, Some(day));
    assert_eq!(prod.resources.stream["clicks"], StreamSettings { partitions: Some(8), retention: None });
    assert_eq!(dev.site, Some(SiteSettings { dir: "site".into(), fallback: Some("index.js".into()) }));
    assert_eq!(dev.events, Some(EventsSettings { key: "EVENTS_KEY".into(), bus: "default".into() }));
    assert_eq!(prod.events, Some(EventsSettings { key: "EVENTS_KEY".into(), bus: "orders".into() }));
    let webhook = Webhook {
        header: "stripe-signature".into(),
        secret: "STRIPE".into(),
        algorithm: WebhookHash::Sha512,
        encoding: WebhookEncoding::Base64,
        prefix: "v1=".into(),
        timestamp: Some("x-time".into()),
        tolerance: Duration::from_secs(60),
    };
    assert_eq!(dev.functions[&"api".parse().expect("a name")].webhook, Some(webhook));
}

#[test]
fn an_app_may_be_a_site_and_nothing_else() {
    let app = load("app = \"a\"\n[site]\ndir = \"site\"\n", "dev").expect("a good manifest").app;
    assert!(app.functions.is_empty() && app.site.is_some());
}

#[test]
fn settings_may_be_of_a_resource_that_another_environment_uses() {
    let source = "app = \"a\"\n[fn.api]\npath = \"api\"\n[env.prod.fn.api]\nuses = [\"kv.s\"]\n[kv.s]\nexpire = \"1d\"\n";
    assert!(load(source, "dev").is_ok());
}

#[test]
fn e0107_settings_of_what_nobody_uses() {
    refused(
        "uses = [\"kv.sessions\"]\n[kv.sesions]\nexpire = \"1d\"\n[stream.x]\n",
        expect![[r#"
        error[E0107]: [kv.sesions] sets a resource that no function uses
         --> dayfly.toml:5:5
        5 | [kv.sesions]
          |     ^^^^^^^
          = used: sessions
          = help: [kv.sessions]
        error[E0107]: [stream.x] sets a resource that no function uses
         --> dayfly.toml:7:9
        7 | [stream.x]
          |         ^
          = no function uses a stream at all: a resource exists because a function names it
          = help: uses = ["stream.x"]
    "#]],
    );
}

#[test]
fn e0103_and_e0104_of_settings() {
    refused(
        "uses = [\"kv.s\", \"bucket.b\"]\n[kv.s]\nexpires = \"1d\"\n[bucket.b]\nversioning = \"true\"\ncors = \"*\"\n",
        expect![[r#"
        error[E0103]: unknown key `expires` in [kv.s]
         --> dayfly.toml:6:1
        6 | expires = "1d"
          | ^^^^^^^
          = known here: expire
          = help: expire = "1d"
        error[E0104]: `versioning` in [bucket.b] takes true or false, and this is a string
         --> dayfly.toml:8:14
        8 | versioning = "true"
          |              ^^^^^^
          = help: versioning = true
        error[E0104]: `cors` in [bucket.b] takes a list, and this is a string
         --> dayfly.toml:9:8
        9 | cors = "*"
          |        ^^^
          = each is a scheme and a host in a string, such as "https://shop.example.com"
          = help: cors = ["*"]
    "#]],
    );
    refused(
        "[kv]\nexpire = \"1d\"\n",
        expect![[r#"
        error[E0104]: `expire` in [kv] must be a table, and this is a string
         --> dayfly.toml:5:1
        5 | expire = "1d"
          | ^^^^^^
          = each store is a table with a name
          = help: [kv.shop]
    "#]],
    );
}

#[test]
fn e0105_of_settings() {
    refused(
        "uses = [\"kv.s\", \"stream.t\", \"bucket.b\"]\n[kv.s]\nexpire = \"30 days\"\n[stream.t]\npartitions = 65\n[bucket.b]\ncors = [\"shop.example.com/x\"]\n",
        expect![[r#"
            error[E0105]: `expire` in [kv.s]: "30 days" is not a duration: write a whole number and one of ms, s, m, h, d, such as "10s"
             --> dayfly.toml:6:10
            6 | expire = "30 days"
              |          ^^^^^^^^^
              = help: expire = "30d"
            error[E0105]: `partitions` in [stream.t]: 65 is out of bounds: allowed are 1 to 64
             --> dayfly.toml:8:14
            8 | partitions = 65
              |              ^^
              = all limits: dayfly limits
              = help: partitions = 64
            error[E0105]: `cors` in [bucket.b]: "shop.example.com/x" is not an origin: write a scheme and a host without a path, such as "https://shop.example.com", or "*"
              --> dayfly.toml:10:9
            10 | cors = ["shop.example.com/x"]
               |         ^^^^^^^^^^^^^^^^^^^^
              = help: cors = ["https://shop.example.com"]
        "#]],
    );
}

#[test]
fn e0116_a_site_that_is_not_there() {
    refused(
        "[site]\ndir = \"web/dist\"\n",
        expect![[r#"
        error[E0116]: there is no folder "web/dist"
         --> dayfly.toml:5:7
        5 | dir = "web/dist"
          |       ^^^^^^^^^^
          = a path is relative to the manifest's folder
          = help: build the site first, or name the folder that it is built into
    "#]],
    );
    refused(
        "[site]\ndir = \"site\"\nfallback = \"index.ts\"\n",
        expect![[r#"
        error[E0116]: the site has no file "index.ts": a fallback is one of the files in "site"
         --> dayfly.toml:6:12
        6 | fallback = "index.ts"
          |            ^^^^^^^^^^
          = help: fallback = "index.js"
    "#]],
    );
    refused(
        "[site]\ndir = \"../out\"\n",
        expect![[r#"
        error[E0105]: `dir` in [site]: "../out" is not a path below the manifest's folder: write it with /, without .. and without / in front
         --> dayfly.toml:5:7
        5 | dir = "../out"
          |       ^^^^^^^^
    "#]],
    );
    refused(
        "[site]\nfallback = \"index.html\"\n",
        expect![[r#"
        error[E0106]: the key `dir` is missing in [site]
         --> dayfly.toml:4:2
        4 | [site]
          |  ^^^^
          = help: dir = "web/dist"
    "#]],
    );
}

#[test]
fn e0117_a_folder_of_migrations_that_is_not_there() {
    refused(
        "uses = [\"sql.shop\"]\n[sql.shop]\nmigrations = \"db\"\n",
        expect![[r#"
        error[E0117]: there is no folder "db"
         --> dayfly.toml:6:14
        6 | migrations = "db"
          |              ^^^^
          = a path is relative to the manifest's folder
          = help: mkdir it, and put files such as 001-orders.sql there
    "#]],
    );
}

#[test]
fn events_need_a_key_and_webhooks_a_header_a_secret_and_a_route() {
    refused(
        "[events]\nbus = \"b\"\n",
        expect![[r#"
        error[E0106]: the key `key` is missing in [events]
         --> dayfly.toml:4:2
        4 | [events]
          |  ^^^^^^
          = help: key = "EVENTS_KEY"
    "#]],
    );
    refused(
        "webhook = { secret = \"KEY\" }\n",
        expect![[r#"
        error[E0106]: the key `header` is missing in [fn.api.webhook]
         --> dayfly.toml:4:1
        4 | webhook = { secret = "KEY" }
          | ^^^^^^^
          = help: header = "x-hub-signature-256"
        error[E0113]: [fn.api] checks signatures, and no request starts it
         --> dayfly.toml:4:1
        4 | webhook = { secret = "KEY" }
          | ^^^^^^^
          = help: route = "POST /hooks"
    "#]],
    );
    refused(
        "route = \"/\"\nwebhook = { header = \"x-sig\", secret = \"secret.KEY\", algorithm = \"md5\" }\n",
        expect![[r#"
        error[E0111]: `secret` in [fn.api.webhook]: "secret.KEY" is not a name: use 1 to 63 letters, digits, dashes and _, without the kind in front
         --> dayfly.toml:5:40
        5 | webhook = { header = "x-sig", secret = "secret.KEY", algorithm = "md5" }
          |                                        ^^^^^^^^^^^^
          = help: webhook = { header = "x-sig", secret = "KEY", algorithm = "md5" }
        error[E0105]: `algorithm` in [fn.api.webhook]: "md5" is not one of its words: write "sha256", "sha512" or "sha1"
         --> dayfly.toml:5:66
        5 | webhook = { header = "x-sig", secret = "secret.KEY", algorithm = "md5" }
          |                                                                  ^^^^^
    "#]],
    );
}
