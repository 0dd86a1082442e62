//! The published schema: a declarative mirror of the grammar, for editors. It describes; nothing is read with it.
//!
//! A test holds it to the grammar key by key, and another to the file `docs/reference/dayfly.schema.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// The JSON Schema of `dayfly.toml` (draft 2020-12).
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Manifest).to_value()
}

/// The manifest of a dayfly app.
#[derive(JsonSchema)]
#[schemars(title = "dayfly.toml", deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Manifest {
    /// The app's name: a DNS label in lower case, unique on a target.
    #[schemars(regex(pattern = r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    app: String,
    /// The date that freezes the platform's behaviour for this app.
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    since: Option<String>,
    /// Functions by name.
    #[schemars(rename = "fn")]
    functions: Option<BTreeMap<String, Function>>,
    /// Settings of key-value stores by name.
    kv: Option<BTreeMap<String, Kv>>,
    /// Settings of databases by name.
    sql: Option<BTreeMap<String, Sql>>,
    /// Settings of buckets by name.
    bucket: Option<BTreeMap<String, Bucket>>,
    /// Settings of queues by name.
    queue: Option<BTreeMap<String, Queue>>,
    /// Settings of streams by name.
    stream: Option<BTreeMap<String, Stream>>,
    /// The static site.
    site: Option<Site>,
    /// The way in for CloudEvents: `POST /events`.
    events: Option<Events>,
    /// Environments by name: each is merged over all the rest.
    env: Option<BTreeMap<String, Environment>>,
}

/// One piece of code with its triggers, grants and limits.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Function {
    /// Where its code lies, relative to the manifest: a .js or .ts file, a folder with a Cargo.toml or an index.js, or a .wasm component.
    path: Option<String>,
    /// The requests that start it: an optional method and a path, such as `GET /orders/{id}`.
    route: Option<OneOrMany>,
    /// What starts it beside requests: exactly one source.
    on: Option<On>,
    /// The resources it may use: `kv.sessions`, or `kv.sessions:read` to read only.
    uses: Option<Vec<String>>,
    /// The hosts it may call: a scheme and a host, such as `https://api.example.com`.
    reach: Option<Vec<String>>,
    /// Its environment variables, which are also its settings.
    env: Option<BTreeMap<String, String>>,
    /// Its bounds.
    limits: Option<Limits>,
    /// Whether what it does to the platform's state happens at once, or with its success: `atomic` unless set for what `on` starts.
    #[schemars(regex(pattern = r"^(atomic|immediate)$"))]
    effects: Option<String>,
    /// How requests to its routes are checked to come from whom they say.
    webhook: Option<Webhook>,
    /// What of its journals is kept: `off`, `errors`, `all`, or failures and a percentage of the rest, such as `1%`.
    #[schemars(regex(pattern = r"^(off|errors|all|\d+(\.\d+)?\s*%)$"))]
    record: Option<String>,
}

/// What starts a function beside requests.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct On {
    /// A source: messages of this queue.
    queue: Option<String>,
    /// A source: records of this stream.
    stream: Option<String>,
    /// A source: objects of this bucket.
    bucket: Option<String>,
    /// A source: entries of this key-value store.
    kv: Option<String>,
    /// A source: rows of this database.
    sql: Option<String>,
    /// Alone a source: a pattern of event types, such as `order.*`. Beside `bucket` (`created`, `deleted`), `kv` (`put`, `deleted`) or
    /// `sql` (`insert`, `update`, `delete`) the change.
    event: Option<String>,
    /// A source: a schedule of five fields, of six with seconds first, or a name such as `@hourly`.
    cron: Option<String>,
    /// The most events in one invocation: 10 unless set of queues and streams, else 1; at most 10000.
    #[schemars(range(min = 1, max = 10_000))]
    batch: Option<u32>,
    /// How long a batch waits to fill: at most 5m.
    #[schemars(regex(pattern = r"^\d+\s*(ms|s|m|h|d)$"))]
    wait: Option<String>,
    /// Where a function that is new to the stream begins: `oldest` unless set, or `newest`.
    #[schemars(regex(pattern = r"^(oldest|newest)$"))]
    from: Option<String>,
    /// A pattern over keys of a bucket or a key-value store.
    r#match: Option<String>,
    /// Tables of the database.
    table: Option<OneOrMany>,
    /// The bus: `default` unless set.
    bus: Option<String>,
    /// A CEL expression over `event` that must be true.
    filter: Option<String>,
    /// The schedule's time zone: `UTC` unless set.
    zone: Option<String>,
    /// What happens at a time at which the last run still goes on: `skip` unless set, `queue` or `allow`.
    #[schemars(regex(pattern = r"^(skip|queue|allow)$"))]
    overlap: Option<String>,
    /// What happens with times at which the node was down: `once` unless set, `all` or `skip`.
    #[schemars(regex(pattern = r"^(once|all|skip)$"))]
    missed: Option<String>,
    /// Deliveries after the first: 2 unless set, at most 100.
    #[schemars(range(max = 100))]
    retries: Option<u32>,
    /// The queue of events that fail for good: `<queue>-dead` of a queue, else `<function>-dead`.
    dead: Option<String>,
}

/// How requests are checked to come from whom they say: an HMAC over the body in a header.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Webhook {
    /// The header that carries the signature.
    header: String,
    /// The secret with the key.
    secret: String,
    /// The hash: `sha256` unless set, `sha512` or `sha1`.
    #[schemars(regex(pattern = r"^(sha256|sha512|sha1)$"))]
    algorithm: Option<String>,
    /// How the signature is written: `hex` unless set, or `base64`.
    #[schemars(regex(pattern = r"^(hex|base64)$"))]
    encoding: Option<String>,
    /// What stands before the signature, such as `sha256=`.
    prefix: Option<String>,
    /// The header with the time that is signed before the body.
    timestamp: Option<String>,
    /// How old that time may be: 5m unless set, at most 1d.
    #[schemars(regex(pattern = r"^\d+\s*(ms|s|m|h|d)$"))]
    tolerance: Option<String>,
}

/// Settings of a key-value store.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Kv {
    /// How long entries live that are written without an expiry: for ever unless set.
    #[schemars(regex(pattern = r"^\d+\s*(ms|s|m|h|d)$"))]
    expire: Option<String>,
}

/// Settings of a database.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Sql {
    /// The folder of `*.sql` files that are applied once each at deployment, in the order of their names.
    migrations: Option<String>,
}

/// Settings of a bucket.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Bucket {
    /// Whether overwritten and deleted objects are kept as versions.
    versioning: Option<bool>,
    /// How long objects live: for ever unless set.
    #[schemars(regex(pattern = r"^\d+\s*(ms|s|m|h|d)$"))]
    expire: Option<String>,
    /// Origins whose pages may call it, such as `https://shop.example.com`.
    cors: Option<Vec<String>>,
}

/// Settings of a queue.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Queue {
    /// How long messages are kept: 14d unless set.
    #[schemars(regex(pattern = r"^\d+\s*(ms|s|m|h|d)$"))]
    retention: Option<String>,
}

/// Settings of a stream.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Stream {
    /// Partitions: 1 unless set, at most 64; only ever more.
    #[schemars(range(min = 1, max = 64))]
    partitions: Option<u32>,
    /// How long records are kept: 14d unless set.
    #[schemars(regex(pattern = r"^\d+\s*(ms|s|m|h|d)$"))]
    retention: Option<String>,
}

/// A static site.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Site {
    /// The folder of files.
    dir: String,
    /// The file that answers to paths which no file and no route answers to.
    fallback: Option<String>,
}

/// The way in for CloudEvents.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Events {
    /// The secret whose value callers present.
    key: String,
    /// The bus that the events go to: `default` unless set.
    bus: Option<String>,
}

/// One, or a list.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "only its shape is used")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// The bounds of one function.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Limits {
    /// Linear memory of one instance: 128MiB unless set, at most 1GiB.
    #[schemars(regex(pattern = r"^\d+\s*(B|KB|MB|GB|KiB|MiB|GiB)$"))]
    memory: Option<String>,
    /// Wall time of one invocation: 10s unless set, at most 15m.
    #[schemars(regex(pattern = r"^\d+\s*(ms|s|m|h|d)$"))]
    time: Option<String>,
    /// Invocations at once: 1000 unless set, at most 10000.
    #[schemars(range(min = 1, max = 10_000))]
    concurrency: Option<u32>,
}

/// What differs in one environment.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Environment {
    /// The host name under which the app is served.
    domain: Option<String>,
    /// What differs of its functions.
    #[schemars(rename = "fn")]
    functions: Option<BTreeMap<String, Function>>,
    /// Settings of key-value stores by name.
    kv: Option<BTreeMap<String, Kv>>,
    /// Settings of databases by name.
    sql: Option<BTreeMap<String, Sql>>,
    /// Settings of buckets by name.
    bucket: Option<BTreeMap<String, Bucket>>,
    /// Settings of queues by name.
    queue: Option<BTreeMap<String, Queue>>,
    /// Settings of streams by name.
    stream: Option<BTreeMap<String, Stream>>,
    /// The static site.
    site: Option<Site>,
    /// The way in for CloudEvents: `POST /events`.
    events: Option<Events>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::grammar::{BUCKET, ENVIRONMENT, EVENTS, FUNCTION, KV, Key, LIMITS, ON, QUEUE, ROOT, SITE, SQL, STREAM, WEBHOOK};

    #[test]
    fn the_schema_has_the_keys_of_the_grammar_and_no_others() {
        let schema = schema();
        let same = |table: &Value, keys: &[Key]| {
            let described: BTreeSet<&str> =
                table["properties"].as_object().expect("an object").keys().map(String::as_str).collect();
            assert_eq!(described, keys.iter().map(|key| key.name).collect());
            assert_eq!(table["additionalProperties"], Value::Bool(false), "unknown keys are errors");
        };
        same(&schema, &ROOT);
        let tables: [(&str, &[Key]); 12] = [
            ("Function", &FUNCTION),
            ("Environment", &ENVIRONMENT),
            ("Limits", &LIMITS),
            ("On", &ON),
            ("Webhook", &WEBHOOK),
            ("Kv", &KV),
            ("Sql", &SQL),
            ("Bucket", &BUCKET),
            ("Queue", &QUEUE),
            ("Stream", &STREAM),
            ("Site", &SITE),
            ("Events", &EVENTS),
        ];
        for (name, keys) in tables {
            same(&schema["$defs"][name], keys);
        }
    }

    #[test]
    fn the_schema_gives_the_bounds_of_the_limits() {
        use types::limits;
        let limits_schema = &schema()["$defs"]["Limits"]["properties"];
        assert_eq!(limits_schema["concurrency"]["maximum"], limits::CONCURRENCY_MAX);
        let described = |key: &str, default: &str, max: &str| {
            let text = limits_schema[key]["description"].as_str().expect("a description").to_owned();
            assert!(text.contains(&format!("{default} unless set, at most {max}.")), "{text}");
        };
        let on = &schema()["$defs"]["On"]["properties"];
        assert_eq!(
            (&on["batch"]["maximum"], &on["retries"]["maximum"]),
            (&limits::BATCH_MAX.into(), &limits::RETRIES_MAX.into())
        );
        assert_eq!(schema()["$defs"]["Stream"]["properties"]["partitions"]["maximum"], limits::PARTITIONS);
        described("memory", &crate::leaf::print_size(&limits::MEMORY_DEFAULT), &crate::leaf::print_size(&limits::MEMORY_MAX));
        described("time", &crate::leaf::print_duration(&limits::TIME_DEFAULT), &crate::leaf::print_duration(&limits::TIME_MAX));
        described("concurrency", &limits::CONCURRENCY_DEFAULT.to_string(), &limits::CONCURRENCY_MAX.to_string());
    }
}
