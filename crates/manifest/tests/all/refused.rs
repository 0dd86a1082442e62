//! Every mistake, as the person who made it sees it; those in values are in `values.rs`.

use expect_test::expect;

use crate::support::{Memory, check, check_in};

#[test]
fn e0102_names_each_place_that_is_not_toml() {
    check(
        "app = shop\n[fn.api\npath = \"api\"\n",
        expect![[r#"
        error[E0102]: dayfly.toml is not TOML: string values must be quoted, expected literal string
         --> dayfly.toml:1:7
        1 | app = shop
          |       ^^^^
          = help: app = "shop"
        error[E0102]: dayfly.toml is not TOML: unclosed table, expected `]`
         --> dayfly.toml:2:8
        2 | [fn.api
          |        ^
    "#]],
    );
    check(
        "app = \"a\"\napp = \"b\"\n",
        expect![[r#"
        error[E0102]: dayfly.toml is not TOML: duplicate key
         --> dayfly.toml:2:1
        2 | app = "b"
          | ^^^
    "#]],
    );
}

#[test]
fn e0103_names_the_nearest_key_and_mends_the_line() {
    check(
        "app = \"a\"\n[fn.api]\npath = \"api\"\n  rout = \"GET /\"\n",
        expect![[r#"
            error[E0103]: unknown key `rout` in [fn.api]
             --> dayfly.toml:4:3
            4 |   rout = "GET /"
              |   ^^^^
              = known here: path, route, on, uses, reach, env, limits, effects, webhook, record
              = help: route = "GET /"
        "#]],
    );
}

#[test]
fn e0103_says_where_a_known_key_belongs() {
    check(
        "app = \"a\"\ndomain = \"a.b\"\nroute = \"/\"\n[fn.api]\npath = \"api\"\nmemory = \"64MiB\"\n",
        expect![[r#"
        error[E0103]: unknown key `domain`
         --> dayfly.toml:2:1
        2 | domain = "a.b"
          | ^^^^^^
          = `domain` belongs to an environment, such as [env.prod]
        error[E0103]: unknown key `route`
         --> dayfly.toml:3:1
        3 | route = "/"
          | ^^^^^
          = `route` belongs to a function, such as [fn.api]
        error[E0103]: unknown key `memory` in [fn.api]
         --> dayfly.toml:6:1
        6 | memory = "64MiB"
          | ^^^^^^
          = `memory` is one of the limits
          = help: limits.memory = "64MiB"
    "#]],
    );
}

#[test]
fn e0103_refuses_what_a_later_version_may_know() {
    check(
        "app = \"a\"\n[auth.corp]\nissuer = \"x\"\n[fn.api]\npath = \"api\"\nallow = \"x\"\n",
        expect![[r#"
            error[E0103]: unknown key `auth`
             --> dayfly.toml:2:2
            2 | [auth.corp]
              |  ^^^^
              = known here: app, since, fn, kv, sql, bucket, queue, stream, site, events, env
            error[E0103]: unknown key `allow` in [fn.api]
             --> dayfly.toml:6:1
            6 | allow = "x"
              | ^^^^^
              = known here: path, route, on, uses, reach, env, limits, effects, webhook, record
        "#]],
    );
}

#[test]
fn e0103_finds_a_slip_in_an_environment_that_was_not_asked_for() {
    check(
        "app = \"a\"\n[fn.api]\npath = \"api\"\n[env.prod.fn.apii.limits]\ntime = \"1s\"\n[env.prod]\ndomian = \"a.b\"\n",
        expect![[r#"
            error[E0103]: [env.prod] sets a function that does not exist: apii
             --> dayfly.toml:4:14
            4 | [env.prod.fn.apii.limits]
              |              ^^^^
              = functions: api
              = help: [env.prod.fn.api.limits]
            error[E0103]: unknown key `domian` in [env.prod]
             --> dayfly.toml:7:1
            7 | domian = "a.b"
              | ^^^^^^
              = known here: domain, fn, kv, sql, bucket, queue, stream, site, events
              = help: domain = "a.b"
        "#]],
    );
}

#[test]
fn e0106_names_the_missing_key() {
    check(
        "[fn.api]\nroute = \"/\"\n",
        expect![[r#"
        error[E0106]: the key `app` is missing in dayfly.toml
          = help: app = "shop"
        error[E0106]: the key `path` is missing in [fn.api]
         --> dayfly.toml:1:5
        1 | [fn.api]
          |     ^^^
          = help: path = "api"
    "#]],
    );
    check(
        "app = \"a\"\n",
        expect![[r#"
        error[E0106]: dayfly.toml has no function: there is nothing to run
          = a function is a table with a name and a path
          = help: [fn.api]
    "#]],
    );
}

#[test]
fn e0107_names_the_kinds_of_resource() {
    check(
        "app = \"a\"\n[fn.api]\npath = \"api\"\nuses = [\"vk.sessions\", \"table.x\"]\n",
        expect![[r#"
            error[E0107]: `uses` in [fn.api]: "vk" in "vk.sessions" is not a kind of resource
             --> dayfly.toml:4:9
            4 | uses = ["vk.sessions", "table.x"]
              |         ^^^^^^^^^^^^^
              = kinds: kv, sql, bucket, queue, stream, secret, event
              = help: uses = ["kv.sessions", "table.x"]
            error[E0107]: `uses` in [fn.api]: "table" in "table.x" is not a kind of resource
             --> dayfly.toml:4:24
            4 | uses = ["vk.sessions", "table.x"]
              |                        ^^^^^^^^^
              = kinds: kv, sql, bucket, queue, stream, secret, event
        "#]],
    );
}

#[test]
fn e0108_names_both_routes() {
    check(
        "app = \"a\"\n[fn.a]\npath = \"api\"\nroute = [\"GET /x\", \"GET /{id}\"]\n[fn.b]\npath = \"api\"\nroute = [\"GET,POST /x\", \"POST /{name}\", \"/{other}\"]\n",
        expect![[r#"
            error[E0108]: `GET,POST /x` of b answers requests that `GET /x` of a answers
             --> dayfly.toml:7:10
            7 | route = ["GET,POST /x", "POST /{name}", "/{other}"]
              |          ^^^^^^^^^^^^^
              = the other stands at dayfly.toml:4
              = help: give one of them another path or method
            error[E0108]: the path of `POST /{name}` of b and the path of `GET /{id}` of a match the same requests
             --> dayfly.toml:7:25
            7 | route = ["GET,POST /x", "POST /{name}", "/{other}"]
              |                         ^^^^^^^^^^^^^^
              = the other stands at dayfly.toml:4
              = where paths match the same requests, their parameters have the same names
              = help: route = ["GET,POST /x", "POST /{id}", "/{other}"]
            error[E0108]: the path of `/{other}` of b and the path of `GET /{id}` of a match the same requests
             --> dayfly.toml:7:41
            7 | route = ["GET,POST /x", "POST /{name}", "/{other}"]
              |                                         ^^^^^^^^^^
              = the other stands at dayfly.toml:4
              = where paths match the same requests, their parameters have the same names
              = help: give one of them another path or method
        "#]],
    );
}

#[test]
fn e0109_mends_routes() {
    check(
        "app = \"a\"\n[fn.a]\npath = \"api\"\nroute = [\"GET orders/:id\", \"get /\", \"FETCH /\", \"GET /a?b=1\", \"GET /x{id}\", \"/{*rest}/more\", \"GET  / x\"]\n",
        expect![[r#"
            error[E0109]: `route` in [fn.a]: "GET orders/:id" is not a route: write an optional method and a path, such as GET /orders/{id}
             --> dayfly.toml:4:10
            4 | route = ["GET orders/:id", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
              |          ^^^^^^^^^^^^^^^^
              = help: route = ["GET /orders/{id}", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
            error[E0109]: `route` in [fn.a]: "get" is not a method that a route can have: use one of GET HEAD POST PUT PATCH DELETE OPTIONS
             --> dayfly.toml:4:28
            4 | route = ["GET orders/:id", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
              |                            ^^^^^^^
              = help: route = ["GET orders/:id", "GET /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
            error[E0109]: `route` in [fn.a]: "FETCH" is not a method that a route can have: use one of GET HEAD POST PUT PATCH DELETE OPTIONS
             --> dayfly.toml:4:37
            4 | route = ["GET orders/:id", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
              |                                     ^^^^^^^^^
            error[E0109]: `route` in [fn.a]: "GET /a?b=1" is not a route: write an optional method and a path, such as GET /orders/{id}
             --> dayfly.toml:4:48
            4 | route = ["GET orders/:id", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
              |                                                ^^^^^^^^^^^^
              = help: route = ["GET orders/:id", "get /", "FETCH /", "GET /a", "GET /x{id}", "/{*rest}/more", "GET  / x"]
            error[E0109]: `route` in [fn.a]: "x{id}" is not a parameter: write {name} as a whole segment, and {*rest} only as the last
             --> dayfly.toml:4:62
            4 | route = ["GET orders/:id", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
              |                                                              ^^^^^^^^^^^^
            error[E0109]: `route` in [fn.a]: "{*rest}" is not a parameter: write {name} as a whole segment, and {*rest} only as the last
             --> dayfly.toml:4:76
            4 | route = ["GET orders/:id", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
              |                                                                            ^^^^^^^^^^^^^^^
              = help: route = ["GET orders/:id", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{rest}/more", "GET  / x"]
            error[E0109]: `route` in [fn.a]: "GET  / x" is not a route: write an optional method and a path, such as GET /orders/{id}
             --> dayfly.toml:4:93
            4 | route = ["GET orders/:id", "get /", "FETCH /", "GET /a?b=1", "GET /x{id}", "/{*rest}/more", "GET  / x"]
              |                                                                                             ^^^^^^^^^^
        "#]],
    );
}

#[test]
fn e0110_names_the_nearest_environment() {
    let source = "app = \"a\"\n[fn.api]\npath = \"api\"\n[env.staging]\ndomain = \"a.b\"\n";
    check_in(
        source,
        "stagin",
        &Memory::usual(),
        expect![[r#"
        error[E0110]: the manifest has no environment "stagin"
          = environments: dev, prod, staging
          = help: --env staging
    "#]],
    );
    check_in(
        source,
        "other",
        &Memory::usual(),
        expect![[r#"
        error[E0110]: the manifest has no environment "other"
          = environments: dev, prod, staging
          = help: [env.other]
    "#]],
    );
}

#[test]
fn e0111_makes_the_name_fit() {
    check(
        "app = \"My Shop\"\n[fn.API_1]\npath = \"api\"\n[fn.ok]\npath = \"api\"\nenv = { \"A=B\" = \"\" }\n[env.\"9\"]\ndomain = \"a.b\"\n",
        expect![[r#"
            error[E0111]: `app`: "My Shop" is not a name: use 1 to 63 of a-z, 0-9 and dashes, starting with a letter, not ending in a dash
             --> dayfly.toml:1:7
            1 | app = "My Shop"
              |       ^^^^^^^^^
              = help: app = "my-shop"
            error[E0111]: the function "API_1" is not a name: use 1 to 63 of a-z, 0-9 and dashes, starting with a letter, not ending in a dash
             --> dayfly.toml:2:5
            2 | [fn.API_1]
              |     ^^^^^
              = help: [fn.api-1]
            error[E0111]: "A=B" can't be the name of an environment variable
             --> dayfly.toml:6:9
            6 | env = { "A=B" = "" }
              |         ^^^^^
            error[E0111]: the environment "9" is not a name: use 1 to 63 of a-z, 0-9 and dashes, starting with a letter, not ending in a dash
             --> dayfly.toml:7:6
            7 | [env."9"]
              |      ^^^
        "#]],
    );
}

#[test]
fn e0112_measures_the_text() {
    check(
        &format!("#{}", "x".repeat(1 << 20)),
        expect![[r#"
        error[E0112]: the manifest is too large: dayfly.toml over 1 MiB, allowed 1 MiB
          = a manifest holds settings, not data
    "#]],
    );
}

#[test]
fn a_file_full_of_mistakes_costs_no_more_than_it_should() {
    let keys: String = (0..40_000).map(|number| format!("k{number} = 1, ")).collect();
    for source in [format!("app = \"a\"\nfn = {{ {keys} z = 1 }}\n"), keys.replace(", ", "\n")] {
        let problems = crate::support::load(&source, "dev").expect_err("nothing of it is right");
        let shown: usize = problems.iter().map(|problem| problem.render().len()).sum();
        assert!(problems.len() == 100 && shown < 200_000, "{} problems in {shown} bytes", problems.len());
    }
}

#[test]
fn a_functions_own_file_is_named_in_its_problems() {
    let files = Memory::usual().with("api/fn.toml", "path = \"other\"\nmemory = \"1MiB\"\n[limits]\ntime = \"1\"\n");
    check_in(
        "app = \"a\"\n[fn.api]\npath = \"api\"\n",
        "dev",
        &files,
        expect![[r#"
            error[E0103]: unknown key `path`
             --> api/fn.toml:1:1
            1 | path = "other"
              | ^^^^
              = known here: route, on, uses, reach, env, limits, effects, webhook, record
            error[E0103]: unknown key `memory`
             --> api/fn.toml:2:1
            2 | memory = "1MiB"
              | ^^^^^^
              = `memory` is one of the limits
              = help: limits.memory = "1MiB"
            error[E0105]: `time` in [limits]: "1" is not a duration: write a whole number and one of ms, s, m, h, d, such as "10s"
             --> api/fn.toml:4:8
            4 | time = "1"
              |        ^^^
              = help: time = "1s"
        "#]],
    );
}
