//! Keys whose values are of the wrong kind or out of bounds, as the person who wrote them sees it.

use expect_test::expect;

use crate::support::check;

#[test]
fn e0104_says_what_each_key_takes() {
    check(
        "app = 1\nsince = 2026-11-21\n[fn.api]\npath = [\"api\"]\nroute = 1\nuses = \"kv.a\"\nreach = [1]\nenv = { A = 1, B = true }\nrecord = 5\n\
         limits = { memory = 64, time = 10, concurrency = \"200\" }\n",
        expect![[r#"
            error[E0104]: `app` takes a name in a string, such as "shop", and this is an integer
             --> dayfly.toml:1:7
            1 | app = 1
              |       ^
            error[E0104]: `since` takes a date in a string, such as "2026-11-21", and this is a date without quotes
             --> dayfly.toml:2:9
            2 | since = 2026-11-21
              |         ^^^^^^^^^^
              = help: since = "2026-11-21"
            error[E0104]: `path` in [fn.api] takes a path in a string, such as "api", and this is a list
             --> dayfly.toml:4:8
            4 | path = ["api"]
              |        ^^^^^^^
              = help: path = "api"
            error[E0104]: `route` in [fn.api] takes a route in a string, such as "GET /orders/{id}", and this is an integer
             --> dayfly.toml:5:9
            5 | route = 1
              |         ^
            error[E0104]: `uses` in [fn.api] takes a list, and this is a string
             --> dayfly.toml:6:8
            6 | uses = "kv.a"
              |        ^^^^^^
              = each is a resource in a string, such as "kv.sessions"
              = help: uses = ["kv.a"]
            error[E0104]: `reach` in [fn.api] takes a scheme and a host in a string, such as "https://api.example.com", and this is an integer
             --> dayfly.toml:7:10
            7 | reach = [1]
              |          ^
            error[E0104]: `A` in [fn.api.env] takes a string, and this is an integer
             --> dayfly.toml:8:13
            8 | env = { A = 1, B = true }
              |             ^
              = help: env = { A = "1", B = true }
            error[E0104]: `B` in [fn.api.env] takes a string, and this is a boolean
             --> dayfly.toml:8:20
            8 | env = { A = 1, B = true }
              |                    ^^^^
              = help: env = { A = 1, B = "true" }
            error[E0104]: `record` in [fn.api] takes "off", "errors", "all" or a percentage, such as "1%", and this is an integer
             --> dayfly.toml:9:10
            9 | record = 5
              |          ^
              = help: record = "5%"
            error[E0104]: `memory` in [fn.api.limits] takes a size in a string, such as "128MiB", and this is an integer
              --> dayfly.toml:10:21
            10 | limits = { memory = 64, time = 10, concurrency = "200" }
               |                     ^^
              = help: limits = { memory = "64MiB", time = 10, concurrency = "200" }
            error[E0104]: `time` in [fn.api.limits] takes a duration in a string, such as "10s", and this is an integer
              --> dayfly.toml:10:32
            10 | limits = { memory = 64, time = 10, concurrency = "200" }
               |                                ^^
              = help: limits = { memory = 64, time = "10s", concurrency = "200" }
            error[E0104]: `concurrency` in [fn.api.limits] takes a whole number, such as 1000, and this is a string
              --> dayfly.toml:10:50
            10 | limits = { memory = 64, time = 10, concurrency = "200" }
               |                                                  ^^^^^
              = help: limits = { memory = 64, time = 10, concurrency = 200 }
        "#]],
    );
}

#[test]
fn e0104_mends_tables_that_are_none() {
    check(
        "app = \"a\"\n[[fn]]\npath = \"api\"\n",
        expect![[r#"
        error[E0104]: `fn` must be a table, and this is a list
         --> dayfly.toml:2:3
        2 | [[fn]]
          |   ^^
          = each function is a table with a name
          = help: [fn.api]
    "#]],
    );
    check(
        "app = \"a\"\nenv = \"prod\"\n[fn]\npath = \"api\"\n",
        expect![[r#"
        error[E0104]: `env` must be a table, and this is a string
         --> dayfly.toml:2:1
        2 | env = "prod"
          | ^^^
          = each environment is a table with a name
          = help: [env.prod]
        error[E0104]: `path` in [fn] must be a table, and this is a string
         --> dayfly.toml:4:1
        4 | path = "api"
          | ^^^^
          = each function is a table with a name
          = help: [fn.api]
    "#]],
    );
    check(
        "app = \"a\"\n[fn.api]\npath = \"api\"\nlimits = 1\nenv = []\n",
        expect![[r#"
        error[E0104]: `limits` in [fn.api] must be a table, and this is an integer
         --> dayfly.toml:4:1
        4 | limits = 1
          | ^^^^^^
          = known here: memory, time, concurrency
          = help: [fn.api.limits]
        error[E0104]: `env` in [fn.api] must be a table, and this is a list
         --> dayfly.toml:5:1
        5 | env = []
          | ^^^
          = each variable is a string
          = help: env = { NAME = "value" }
    "#]],
    );
}

#[test]
fn e0105_measures_against_what_is_allowed() {
    check(
        "app = \"a\"\n[fn.api]\npath = \"api\"\nlimits = { memory = \"2GiB\", time = \"1h\", concurrency = 0 }\n[env.prod.fn.api.limits]\nconcurrency = 99999\n",
        expect![[r#"
            error[E0105]: `memory` in [fn.api.limits]: 2GiB is out of bounds: allowed are 64KiB to 1GiB
             --> dayfly.toml:4:21
            4 | limits = { memory = "2GiB", time = "1h", concurrency = 0 }
              |                     ^^^^^^
              = all limits: dayfly limits
              = help: limits = { memory = "1GiB", time = "1h", concurrency = 0 }
            error[E0105]: `time` in [fn.api.limits]: 1h is out of bounds: allowed are 1ms to 15m
             --> dayfly.toml:4:36
            4 | limits = { memory = "2GiB", time = "1h", concurrency = 0 }
              |                                    ^^^^
              = all limits: dayfly limits
              = help: limits = { memory = "2GiB", time = "15m", concurrency = 0 }
            error[E0105]: `concurrency` in [fn.api.limits]: 0 is out of bounds: allowed are 1 to 10000
             --> dayfly.toml:4:56
            4 | limits = { memory = "2GiB", time = "1h", concurrency = 0 }
              |                                                        ^
              = all limits: dayfly limits
              = help: limits = { memory = "2GiB", time = "1h", concurrency = 1 }
            error[E0105]: `concurrency` in [env.prod.fn.api.limits]: 99999 is out of bounds: allowed are 1 to 10000
             --> dayfly.toml:6:15
            6 | concurrency = 99999
              |               ^^^^^
              = all limits: dayfly limits
              = help: concurrency = 10000
        "#]],
    );
}

#[test]
fn e0105_mends_units_hosts_and_modes() {
    check(
        "app = \"a\"\nsince = \"2026-02-30\"\n[fn.api]\npath = \"api\"\nuses = [\"kv:s\", \"kv.s:write\"]\nreach = [\"api.github.com/users\", \"ftp://x\", \"\"]\nrecord = \"al\"\n\
         [fn.api.limits]\nmemory = \"64MBytes\"\ntime = \"10 sec\"\n[env.prod]\ndomain = \"https://Shop.example.com/\"\n",
        expect![[r#"
            error[E0105]: `since`: "2026-02-30" is not a date: write year, month and day, such as "2026-11-21"
             --> dayfly.toml:2:9
            2 | since = "2026-02-30"
              |         ^^^^^^^^^^^^
            error[E0105]: `uses` in [fn.api]: "kv:s" is not a resource: write kind.name, such as kv.sessions
             --> dayfly.toml:5:9
            5 | uses = ["kv:s", "kv.s:write"]
              |         ^^^^^^
              = help: uses = ["kv.s", "kv.s:write"]
            error[E0105]: `uses` in [fn.api]: "write" is not an access: only :read narrows a grant
             --> dayfly.toml:5:17
            5 | uses = ["kv:s", "kv.s:write"]
              |                 ^^^^^^^^^^^^
              = without it a function may read and write
              = help: uses = ["kv:s", "kv.s"]
            error[E0105]: `reach` in [fn.api]: "api.github.com/users" is not a place to reach: write a scheme and a host, such as https://api.example.com or http://10.0.0.5:8080
             --> dayfly.toml:6:10
            6 | reach = ["api.github.com/users", "ftp://x", ""]
              |          ^^^^^^^^^^^^^^^^^^^^^^
              = help: reach = ["https://api.github.com", "ftp://x", ""]
            error[E0105]: `reach` in [fn.api]: "ftp://x" is not a place to reach: write a scheme and a host, such as https://api.example.com or http://10.0.0.5:8080
             --> dayfly.toml:6:34
            6 | reach = ["api.github.com/users", "ftp://x", ""]
              |                                  ^^^^^^^^^
              = help: reach = ["api.github.com/users", "https://x", ""]
            error[E0105]: `reach` in [fn.api]: "" is not a place to reach: write a scheme and a host, such as https://api.example.com or http://10.0.0.5:8080
             --> dayfly.toml:6:45
            6 | reach = ["api.github.com/users", "ftp://x", ""]
              |                                             ^^
            error[E0105]: `record` in [fn.api]: "al" is not a record mode: use "off", "errors", "all" or a percentage such as "1%"
             --> dayfly.toml:7:10
            7 | record = "al"
              |          ^^^^
              = help: record = "all"
            error[E0105]: `memory` in [fn.api.limits]: "64MBytes" is not a size: write a whole number and a unit, such as 64MiB
             --> dayfly.toml:9:10
            9 | memory = "64MBytes"
              |          ^^^^^^^^^^
            error[E0105]: `time` in [fn.api.limits]: "10 sec" is not a duration: write a whole number and one of ms, s, m, h, d, such as "10s"
              --> dayfly.toml:10:8
            10 | time = "10 sec"
               |        ^^^^^^^^
              = help: time = "10s"
            error[E0105]: `domain` in [env.prod]: "https://Shop.example.com/" is not a host name: write it in lower case, without scheme, port or path
              --> dayfly.toml:12:10
            12 | domain = "https://Shop.example.com/"
               |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^
              = help: domain = "shop.example.com"
        "#]],
    );
}

#[test]
fn e0105_and_e0301_name_what_was_found_at_a_path() {
    check(
        "app = \"a\"\n[fn.a]\npath = \"site\"\n[fn.b]\npath = \"site/index.js\"\n[fn.c]\npath = \"gone\"\n[fn.d]\npath = \"\"\n",
        expect![[r#"
            error[E0301]: there is nothing at "gone"
             --> dayfly.toml:7:8
            7 | path = "gone"
              |        ^^^^^^
              = a path is relative to the manifest's folder
              = help: name a .js or .ts file, a folder with a Cargo.toml or an index.js, or a .wasm file that is a component
            error[E0105]: `path` in [fn.d]: "" is not a path: name a .js or .ts file, a folder with a Cargo.toml or an index.js, or a .wasm file
             --> dayfly.toml:9:8
            9 | path = ""
              |        ^^
        "#]],
    );
}
