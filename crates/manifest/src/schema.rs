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
    functions: BTreeMap<String, Function>,
    /// Environments by name: each is merged over all the rest.
    env: Option<BTreeMap<String, Environment>>,
}

/// One piece of code with its triggers, grants and limits.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "only its shape is used")]
struct Function {
    /// Where its code lies, relative to the manifest: a folder with a Cargo.toml, or a .wasm component.
    path: Option<String>,
    /// The requests that start it: an optional method and a path, such as `GET /orders/{id}`.
    route: Option<OneOrMany>,
    /// The resources it may use: `kv.sessions`, or `kv.sessions:read` to read only.
    uses: Option<Vec<String>>,
    /// The hosts it may call: a scheme and a host, such as `https://api.example.com`.
    reach: Option<Vec<String>>,
    /// Its environment variables, which are also its settings.
    env: Option<BTreeMap<String, String>>,
    /// Its bounds.
    limits: Option<Limits>,
    /// What of its journals is kept: `off`, `errors`, `all`, or failures and a percentage of the rest, such as `1%`.
    #[schemars(regex(pattern = r"^(off|errors|all|\d+(\.\d+)?\s*%)$"))]
    record: Option<String>,
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
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::grammar::{ENVIRONMENT, FUNCTION, Key, LIMITS, ROOT};

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
        for (name, keys) in [("Function", &FUNCTION[..]), ("Environment", &ENVIRONMENT), ("Limits", &LIMITS)] {
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
        described("memory", &crate::leaf::print_size(&limits::MEMORY_DEFAULT), &crate::leaf::print_size(&limits::MEMORY_MAX));
        described("time", &crate::leaf::print_duration(&limits::TIME_DEFAULT), &crate::leaf::print_duration(&limits::TIME_MAX));
        described("concurrency", &limits::CONCURRENCY_DEFAULT.to_string(), &limits::CONCURRENCY_MAX.to_string());
    }
}
