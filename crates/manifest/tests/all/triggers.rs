//! What starts a function beside requests, and every mistake that can be made with it.

use std::time::Duration;

use expect_test::{Expect, expect};
use types::trigger::{ChangeKind, Effects, Missed, On, Overlap, RowChange, Rules, Source, StreamStart};

use crate::support::{check, load};

/// The problems of one `on`, at line 4.
fn refused(on: &str, expected: Expect) {
    check(&format!("app = \"a\"\n[fn.worker]\npath = \"api\"\non = {on}\n"), expected);
}

fn read(on: &str) -> On {
    let source = format!("app = \"a\"\n[fn.worker]\npath = \"api\"\non = {on}\n");
    let loaded = load(&source, "dev").unwrap_or_else(|problems| panic!("{on}: {problems:#?}"));
    loaded.app.functions[&"worker".parse().expect("a name")].on.clone().expect("it is there")
}

fn rules(batch: u32, dead: &str) -> Rules {
    Rules { batch, wait: Duration::ZERO, retries: 2, dead: dead.into() }
}

#[test]
fn every_source_has_its_defaults() {
    let name = || "x".to_owned();
    for (on, source, rules) in [
        ("{ queue = \"x\" }", Source::Queue { queue: name() }, rules(10, "x-dead")),
        ("{ stream = \"x\" }", Source::Stream { stream: name(), from: StreamStart::Oldest }, rules(10, "worker-dead")),
        (
            "{ bucket = \"x\" }",
            Source::Bucket { bucket: name(), change: ChangeKind::Any, matching: None },
            rules(1, "worker-dead"),
        ),
        ("{ kv = \"x\" }", Source::Kv { store: name(), change: ChangeKind::Any, matching: None }, rules(1, "worker-dead")),
        (
            "{ sql = \"x\", table = \"t\" }",
            Source::Sql { database: name(), tables: vec!["t".into()], change: None },
            rules(1, "worker-dead"),
        ),
        (
            "{ event = \"order.*\" }",
            Source::Event { bus: "default".into(), pattern: "order.*".into(), filter: None },
            rules(1, "worker-dead"),
        ),
        (
            "{ cron = \"@hourly\" }",
            Source::Cron { schedule: "@hourly".into(), zone: "UTC".into(), overlap: Overlap::Skip, missed: Missed::Once },
            rules(1, "worker-dead"),
        ),
    ] {
        assert_eq!(read(on), On { source, rules }, "{on}");
    }
}

#[test]
fn every_key_is_read() {
    let all = Rules { batch: 5, wait: Duration::from_secs(2), retries: 7, dead: "bin".into() };
    let kept = Rules { batch: 1, wait: Duration::ZERO, retries: 7, dead: "bin".into() };
    let delivery = "batch = 5, wait = \"2s\", retries = 7, dead = \"bin\"";
    for (on, source, rules) in [
        (format!("{{ queue = \"x\", {delivery} }}"), Source::Queue { queue: "x".into() }, &all),
        (format!("{{ stream = \"x\", from = \"newest\", {delivery} }}"), Source::Stream { stream: "x".into(), from: StreamStart::Newest }, &all),
        (
            format!("{{ bucket = \"x\", event = \"created\", match = \"*.{{jpg,png}}\", {delivery} }}"),
            Source::Bucket { bucket: "x".into(), change: ChangeKind::Written, matching: Some("*.{jpg,png}".into()) },
            &all,
        ),
        (
            format!("{{ kv = \"x\", event = \"deleted\", match = \"user/*\", {delivery} }}"),
            Source::Kv { store: "x".into(), change: ChangeKind::Deleted, matching: Some("user/*".into()) },
            &all,
        ),
        (
            format!("{{ sql = \"x\", event = \"update\", table = [\"a\", \"b\"], {delivery} }}"),
            Source::Sql { database: "x".into(), tables: vec!["a".into(), "b".into()], change: Some(RowChange::Update) },
            &all,
        ),
        (
            format!("{{ event = \"*\", bus = \"b\", filter = \"event.data.total > 1\", {delivery} }}"),
            Source::Event { bus: "b".into(), pattern: "*".into(), filter: Some("event.data.total > 1".into()) },
            &all,
        ),
        (
            "{ cron = \"0 6 * * mon-fri\", zone = \"Europe/Berlin\", overlap = \"allow\", missed = \"all\", retries = 7, dead = \"bin\" }".into(),
            Source::Cron {
                schedule: "0 6 * * mon-fri".into(),
                zone: "Europe/Berlin".into(),
                overlap: Overlap::Allow,
                missed: Missed::All,
            },
            &kept,
        ),
    ] {
        assert_eq!(read(&on), On { source, rules: rules.clone() }, "{on}");
    }
}

#[test]
fn effects_are_atomic_for_events_and_immediate_for_requests() {
    let effects = |keys: &str| {
        let source = format!("app = \"a\"\n[fn.w]\npath = \"api\"\n{keys}");
        let function = load(&source, "dev").expect("a good manifest").app.functions.pop_first().expect("a function").1;
        (function.effects_of(true), function.effects_of(false))
    };
    let (atomic, immediate) = (Effects::Atomic, Effects::Immediate);
    assert_eq!(effects("route = \"/\"\n").1, immediate);
    assert_eq!(effects("route = \"/\"\neffects = \"atomic\"\n").1, atomic);
    assert_eq!(effects("on = { queue = \"q\" }\n").0, atomic);
    assert_eq!(effects("on = { queue = \"q\" }\nroute = \"/\"\n"), (atomic, immediate));
    assert_eq!(effects("on = { queue = \"q\" }\nroute = \"/\"\neffects = \"atomic\"\n"), (atomic, atomic));
    assert_eq!(effects("on = { queue = \"q\" }\nroute = \"/\"\neffects = \"immediate\"\n"), (immediate, immediate));
}

#[test]
fn an_environment_changes_single_keys_of_a_trigger() {
    let source =
        "app = \"a\"\n[fn.w]\npath = \"api\"\non = { queue = \"q\", batch = 5 }\n[env.prod.fn.w.on]\nbatch = 50\nretries = 9\n";
    let on =
        load(source, "prod").expect("a good manifest").app.functions.pop_first().expect("a function").1.on.expect("a trigger");
    assert_eq!((on.rules.batch, on.rules.retries, on.source), (50, 9, Source::Queue { queue: "q".into() }));
}

#[test]
fn e0113_one_source_and_not_two_or_none() {
    refused(
        "{ queue = \"mail\", cron = \"@hourly\", zone = \"UTC\" }",
        expect![[r#"
        error[E0113]: `on` in [fn.worker] names two sources: queue and cron
         --> dayfly.toml:4:24
        4 | on = { queue = "mail", cron = "@hourly", zone = "UTC" }
          |                        ^^^^
          = a function has one source; another function may have the same path
          = help: on = { queue = "mail" }
    "#]],
    );
    refused(
        "{ batch = 3 }",
        expect![[r#"
        error[E0113]: `on` in [fn.worker] names nothing that starts it
         --> dayfly.toml:4:1
        4 | on = { batch = 3 }
          | ^^
          = sources: queue, stream, bucket, kv, sql, event, cron
          = help: on = { queue = "mail" }
    "#]],
    );
    refused(
        "{}",
        expect![[r#"
        error[E0113]: `on` in [fn.worker] names nothing that starts it
         --> dayfly.toml:4:1
        4 | on = {}
          | ^^
          = sources: queue, stream, bucket, kv, sql, event, cron
          = help: on = { queue = "mail" }
    "#]],
    );
    refused(
        "\"mail\"",
        expect![[r#"
        error[E0104]: `on` in [fn.worker] must be a table, and this is a string
         --> dayfly.toml:4:1
        4 | on = "mail"
          | ^^
          = what starts a function is a table with one source
          = help: on = { queue = "mail" }
    "#]],
    );
}

#[test]
fn e0103_a_source_that_is_none() {
    refused(
        "{ queu = \"mail\" }",
        expect![[r#"
        error[E0103]: unknown key `queu` in [fn.worker.on]
         --> dayfly.toml:4:8
        4 | on = { queu = "mail" }
          |        ^^^^
          = known here: queue, stream, bucket, kv, sql, event, cron, batch, wait, from, match, table, bus, filter, zone, overlap, missed, retries, dead
          = help: on = { queue = "mail" }
    "#]],
    );
    refused(
        "{ timer = \"mail\" }",
        expect![[r#"
        error[E0103]: unknown key `timer` in [fn.worker.on]
         --> dayfly.toml:4:8
        4 | on = { timer = "mail" }
          |        ^^^^^
          = known here: queue, stream, bucket, kv, sql, event, cron, batch, wait, from, match, table, bus, filter, zone, overlap, missed, retries, dead
    "#]],
    );
}

#[test]
fn e0113_keys_of_other_sources() {
    refused(
        "{ queue = \"mail\", zone = \"Europe/Berlin\", batch = 2 }",
        expect![[r#"
        error[E0113]: `zone` in [fn.worker.on] belongs to cron, and this is started by queue
         --> dayfly.toml:4:24
        4 | on = { queue = "mail", zone = "Europe/Berlin", batch = 2 }
          |                        ^^^^
          = known beside queue: batch, wait, retries, dead
          = help: on = { queue = "mail", batch = 2 }
    "#]],
    );
    refused(
        "{ cron = \"@daily\", batch = 2 }",
        expect![[r#"
        error[E0113]: `batch` in [fn.worker.on] belongs to queue, stream, bucket, kv, sql, event, and this is started by cron
         --> dayfly.toml:4:25
        4 | on = { cron = "@daily", batch = 2 }
          |                         ^^^^^
          = known beside cron: zone, overlap, missed, retries, dead
          = help: on = { cron = "@daily" }
    "#]],
    );
    refused(
        "{ kv = \"s\", table = \"t\" }",
        expect![[r#"
        error[E0113]: `table` in [fn.worker.on] belongs to sql, and this is started by kv
         --> dayfly.toml:4:18
        4 | on = { kv = "s", table = "t" }
          |                  ^^^^^
          = known beside kv: event, batch, wait, match, retries, dead
          = help: on = { kv = "s" }
    "#]],
    );
}

#[test]
fn e0113_changes_that_a_source_does_not_have() {
    refused(
        "{ bucket = \"b\", event = \"put\" }",
        expect![[r#"
        error[E0113]: "put" is no change of a bucket: there are created, deleted, and without `event` any of them
         --> dayfly.toml:4:30
        4 | on = { bucket = "b", event = "put" }
          |                              ^^^^^
          = help: on = { bucket = "b", event = "created" }
    "#]],
    );
    refused(
        "{ kv = \"s\", event = \"delete\" }",
        expect![[r#"
        error[E0113]: "delete" is no change of a store: there are put, deleted, and without `event` any of them
         --> dayfly.toml:4:26
        4 | on = { kv = "s", event = "delete" }
          |                          ^^^^^^^^
          = help: on = { kv = "s", event = "deleted" }
    "#]],
    );
    refused(
        "{ sql = \"s\", table = \"t\", event = \"moved\" }",
        expect![[r#"
        error[E0113]: "moved" is no change of a table's rows: there are insert, update, delete, and without `event` any of them
         --> dayfly.toml:4:40
        4 | on = { sql = "s", table = "t", event = "moved" }
          |                                        ^^^^^^^
    "#]],
    );
}

#[test]
fn e0113_schedules_and_zones_that_do_not_parse() {
    refused(
        "{ cron = \"61 * * * *\" }",
        expect![[r#"
        error[E0113]: `cron` in [fn.worker.on]: "61 * * * *" is not a schedule: number out of bounds
         --> dayfly.toml:4:15
        4 | on = { cron = "61 * * * *" }
          |               ^^^^^^^^^^^^
    "#]],
    );
    refused(
        "{ cron = \"* * * *\" }",
        expect![[r#"
        error[E0113]: `cron` in [fn.worker.on]: "* * * *" has 4 fields: a schedule has five (minute hour day month weekday), or six with seconds first
         --> dayfly.toml:4:15
        4 | on = { cron = "* * * *" }
          |               ^^^^^^^^^
    "#]],
    );
    refused(
        "{ cron = \"@hourli\" }",
        expect![[r#"
        error[E0113]: `cron` in [fn.worker.on]: "@hourli" is not a schedule with a name: there are @hourly, @daily, @weekly, @monthly, @yearly, @annually
         --> dayfly.toml:4:15
        4 | on = { cron = "@hourli" }
          |               ^^^^^^^^^
          = help: on = { cron = "@hourly" }
    "#]],
    );
    refused(
        "{ cron = \"@hourly\", zone = \"Europe/Berln\" }",
        expect![[r#"
        error[E0113]: `zone` in [fn.worker.on]: "Europe/Berln" is not a time zone: they are named as in the IANA database, such as Europe/Berlin
         --> dayfly.toml:4:33
        4 | on = { cron = "@hourly", zone = "Europe/Berln" }
          |                                 ^^^^^^^^^^^^^^
          = help: on = { cron = "@hourly", zone = "Europe/Berlin" }
    "#]],
    );
    refused(
        "{ cron = \"@hourly\", zone = \"Mars/Olympus\" }",
        expect![[r#"
        error[E0113]: `zone` in [fn.worker.on]: "Mars/Olympus" is not a time zone: they are named as in the IANA database, such as Europe/Berlin
         --> dayfly.toml:4:33
        4 | on = { cron = "@hourly", zone = "Mars/Olympus" }
          |                                 ^^^^^^^^^^^^^^
    "#]],
    );
}

#[test]
fn e0114_schedules_that_never_come() {
    refused(
        "{ cron = \"0 0 30 2 *\" }",
        expect![[r#"
        error[E0114]: `cron` in [fn.worker.on]: "0 0 30 2 *" never comes: no day of the calendar is of this kind
         --> dayfly.toml:4:15
        4 | on = { cron = "0 0 30 2 *" }
          |               ^^^^^^^^^^^^
          = looked at: every day of 400 years, after which the calendar repeats
    "#]],
    );
}

#[test]
fn e0115_filters_that_do_not_parse_or_know_too_much() {
    refused(
        "{ event = \"order.*\", filter = \"event.data.total >\" }",
        expect![[r#"
        error[E0115]: `filter` in [fn.worker.on]: "event.data.total >" is not a filter: syntax error: unexpected the end
         --> dayfly.toml:4:36
        4 | on = { event = "order.*", filter = "event.data.total >" }
          |                                    ^^^^^^^^^^^^^^^^^^^^
          = an event has type, source, subject, id, time, data and its extensions
    "#]],
    );
    refused(
        "{ event = \"order.*\", filter = \"data.total > 100\" }",
        expect![[r#"
        error[E0115]: `filter` in [fn.worker.on]: "data.total > 100" is not a filter: it names `data`, and a filter knows `event` only
         --> dayfly.toml:4:36
        4 | on = { event = "order.*", filter = "data.total > 100" }
          |                                    ^^^^^^^^^^^^^^^^^^
          = an event has type, source, subject, id, time, data and its extensions
          = help: on = { event = "order.*", filter = "event.data.total > 100" }
    "#]],
    );
}

#[test]
fn e0113_patterns_that_are_none() {
    refused(
        "{ bucket = \"b\", match = \"*.{jpg,png\" }",
        expect![[r#"
        error[E0113]: `match` in [fn.worker.on]: "*.{jpg,png" is not a pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
         --> dayfly.toml:4:30
        4 | on = { bucket = "b", match = "*.{jpg,png" }
          |                              ^^^^^^^^^^^^
    "#]],
    );
    refused(
        "{ event = \"[a\" }",
        expect![[r#"
        error[E0113]: "[a" is not a pattern: unclosed character class; missing ']'
         --> dayfly.toml:4:16
        4 | on = { event = "[a" }
          |                ^^^^
    "#]],
    );
}

#[test]
fn e0113_a_queue_that_is_its_own_dead_letter_queue() {
    refused(
        "{ queue = \"mail\", dead = \"mail\" }",
        expect![[r#"
        error[E0113]: queue "mail" is its own dead-letter queue: what fails would start the function again, for ever
         --> dayfly.toml:4:31
        4 | on = { queue = "mail", dead = "mail" }
          |                               ^^^^^^
          = help: on = { queue = "mail", dead = "mail-dead" }
    "#]],
    );
}

#[test]
fn e0105_bounds_words_and_names() {
    refused(
        "{ queue = \"mail\", batch = 0, wait = \"1h\", retries = 101 }",
        expect![[r#"
        error[E0105]: `batch` in [fn.worker.on]: 0 is out of bounds: allowed are 1 to 10000
         --> dayfly.toml:4:32
        4 | on = { queue = "mail", batch = 0, wait = "1h", retries = 101 }
          |                                ^
          = all limits: dayfly limits
          = help: on = { queue = "mail", batch = 1, wait = "1h", retries = 101 }
        error[E0105]: `wait` in [fn.worker.on]: 1h is out of bounds: allowed are 0ms to 5m
         --> dayfly.toml:4:42
        4 | on = { queue = "mail", batch = 0, wait = "1h", retries = 101 }
          |                                          ^^^^
          = all limits: dayfly limits
          = help: on = { queue = "mail", batch = 0, wait = "5m", retries = 101 }
        error[E0105]: `retries` in [fn.worker.on]: 101 is out of bounds: allowed are 0 to 100
         --> dayfly.toml:4:58
        4 | on = { queue = "mail", batch = 0, wait = "1h", retries = 101 }
          |                                                          ^^^
          = all limits: dayfly limits
          = help: on = { queue = "mail", batch = 0, wait = "1h", retries = 100 }
    "#]],
    );
    refused(
        "{ queue = \"queue.mail\", wait = 5 }",
        expect![[r#"
        error[E0111]: `queue` in [fn.worker.on]: "queue.mail" is not a name: use 1 to 63 letters, digits, dashes and _, without the kind in front
         --> dayfly.toml:4:16
        4 | on = { queue = "queue.mail", wait = 5 }
          |                ^^^^^^^^^^^^
          = help: on = { queue = "mail", wait = 5 }
        error[E0104]: `wait` in [fn.worker.on] takes a duration in a string, such as "2s", and this is an integer
         --> dayfly.toml:4:37
        4 | on = { queue = "queue.mail", wait = 5 }
          |                                     ^
          = help: on = { queue = "queue.mail", wait = "5s" }
    "#]],
    );
    refused(
        "{ stream = \"s\", from = \"oldst\" }",
        expect![[r#"
        error[E0105]: `from` in [fn.worker.on]: "oldst" is not one of its words: write "oldest" or "newest"
         --> dayfly.toml:4:29
        4 | on = { stream = "s", from = "oldst" }
          |                             ^^^^^^^
          = help: on = { stream = "s", from = "oldest" }
    "#]],
    );
    refused(
        "{ sql = \"s\" }",
        expect![[r#"
        error[E0106]: the key `table` is missing in [fn.worker.on]
         --> dayfly.toml:4:8
        4 | on = { sql = "s" }
          |        ^^^
          = the rows of these tables start the function
          = help: table = "orders"
    "#]],
    );
}

#[test]
fn a_key_of_on_that_stands_beside_it_is_put_in_its_place() {
    check(
        "app = \"a\"\n[fn.w]\npath = \"api\"\non = { queue = \"q\" }\nbatch = 5\n",
        expect![[r#"
        error[E0103]: unknown key `batch` in [fn.w]
         --> dayfly.toml:5:1
        5 | batch = 5
          | ^^^^^
          = `batch` belongs to what starts the function: on = { … }
          = help: on.batch = 5
    "#]],
    );
}

#[test]
fn read_narrows_only_what_can_be_read_and_written() {
    let source =
        "app = \"a\"\n[fn.w]\npath = \"api\"\nuses = [\"kv.a:read\", \"sql.b:read\", \"bucket.c:read\", \"stream.d:read\"]\n";
    assert_eq!(load(source, "dev").expect("a good manifest").app.functions.pop_first().expect("it is there").1.uses.len(), 4);
    for resource in ["queue.mail", "secret.KEY", "event.default"] {
        let source = format!("app = \"a\"\n[fn.w]\npath = \"api\"\nuses = [\"{resource}:read\"]\n");
        let problems = load(&source, "dev").expect_err(resource);
        assert_eq!(problems[0].help, Some(format!("uses = [\"{resource}\"]")));
    }
}
