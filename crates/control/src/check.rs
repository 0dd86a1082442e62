//! What a deployment must fulfil before anything is done with it. Manifests were checked by whoever read them; what comes over the
//! network was checked by nobody.

use std::collections::{BTreeMap, BTreeSet};

use types::{
    App, Code, Digest, Elapsed, Function, FunctionName, Problem, limits,
    revision::AppKey,
    wire::api::{Artifact, Deploy},
};

use crate::{apply, judge, site};

/// The deployment's artifacts by function, if it can be deployed as `key`.
///
/// # Errors
/// `E0709` if the parts don't fit together, `E0105` for a value that is not allowed, `E0108` for routes that overlap, `E0111` to `E0117`
/// for triggers, sites and migrations that a manifest could not have either.
pub(crate) fn check(key: &AppKey, deploy: &Deploy) -> Result<(), Problem> {
    let Deploy { app, artifacts, after: _, migrations, site, drop: _, keep: _ } = deploy;
    if app.name != key.app || app.env != key.env {
        let message = format!("the model is of {}/{}, the address says {key}", app.name, app.env);
        return Err(Problem::new(Code::E0709, message));
    }
    if app.functions.is_empty() && app.site.is_none() {
        return Err(Problem::new(Code::E0709, format!("{key} has no function and no site")).help("[fn.api]"));
    }
    if let Some((name, function)) = app.functions.iter().find(|(name, function)| **name != function.name) {
        return Err(Problem::new(Code::E0709, format!("function {name} is named {} inside", function.name)));
    }
    check_artifacts(app, artifacts)?;
    app.functions.values().try_for_each(check_limits)?;
    check_routes(app)?;
    judge::judge(app)?;
    site::check(app, site)?;
    apply::check_migrations(app, migrations)?;
    app.domain.as_deref().map_or(Ok(()), check_domain)
}

/// The deployment's artifacts as a revision keeps them.
pub(crate) fn digests(artifacts: &BTreeMap<FunctionName, Artifact>) -> BTreeMap<FunctionName, Digest> {
    artifacts.iter().map(|(name, artifact)| (name.clone(), artifact.digest)).collect()
}

fn check_artifacts(app: &App, artifacts: &BTreeMap<FunctionName, Artifact>) -> Result<(), Problem> {
    if let Some(name) = app.functions.keys().find(|name| !artifacts.contains_key(*name)) {
        return Err(Problem::new(Code::E0709, format!("function {name} has no artifact")));
    }
    if let Some(name) = artifacts.keys().find(|name| !app.functions.contains_key(*name)) {
        return Err(Problem::new(
            Code::E0709,
            format!("there is an artifact for {name}, which is not a function of {}", app.name),
        ));
    }
    Ok(())
}

fn check_limits(function: &Function) -> Result<(), Problem> {
    let types::Limits { memory, time, concurrency } = function.limits;
    let wrong = |key: &str, measured: String, allowed: String| {
        Problem::limit(Code::E0105, &format!("limits.{key} of fn.{}", function.name), measured, allowed)
    };
    if memory.0 == 0 || memory > limits::MEMORY_MAX {
        return Err(wrong("memory", memory.to_string(), format!("1 B to {}", limits::MEMORY_MAX)));
    }
    if time.is_zero() || time > limits::TIME_MAX {
        let (measured, allowed) = (Elapsed::from(time), Elapsed::from(limits::TIME_MAX));
        return Err(wrong("time", measured.to_string(), format!("1 ns to {allowed}")));
    }
    if concurrency == 0 || concurrency > limits::CONCURRENCY_MAX {
        return Err(wrong("concurrency", concurrency.to_string(), format!("1 to {}", limits::CONCURRENCY_MAX)));
    }
    Ok(())
}

/// Two routes overlap if they share a method and their paths differ in nothing but the names of parameters.
fn check_routes(app: &App) -> Result<(), Problem> {
    let mut seen: BTreeMap<String, Vec<(&FunctionName, &types::Route)>> = BTreeMap::new();
    for (name, route) in app.functions.values().flat_map(|f| f.routes.iter().map(move |route| (&f.name, route))) {
        let others = seen.entry(shape(&route.path)).or_default();
        if let Some((other, twin)) = others.iter().find(|(_, other)| other.methods.overlaps(&route.methods)) {
            let message = format!("`{route}` of fn.{name} and `{twin}` of fn.{other} answer the same requests");
            return Err(Problem::new(Code::E0108, message));
        }
        others.push((name, route));
    }
    Ok(())
}

fn shape(path: &str) -> String {
    let nameless = |segment: &str| match segment.strip_prefix('{') {
        Some(parameter) if parameter.starts_with('*') => "{*}".to_owned(),
        Some(_) => "{}".to_owned(),
        None => segment.to_owned(),
    };
    path.split('/').map(nameless).collect::<Vec<_>>().join("/")
}

fn check_domain(domain: &str) -> Result<(), Problem> {
    let label = |label: &str| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
            && bytes[0] != b'-'
            && bytes[bytes.len() - 1] != b'-'
    };
    if domain.len() > 253 || !domain.split('.').all(label) {
        let message = format!("domain {domain:?} is not a host name in lower case without port");
        return Err(Problem::new(Code::E0105, message));
    }
    if domain == "localhost" || domain.ends_with(".localhost") {
        return Err(Problem::new(Code::E0105, format!("domain {domain:?}: names below localhost belong to dayfly")));
    }
    Ok(())
}

/// The distinct artifacts of a deployment.
pub(crate) fn distinct(artifacts: &BTreeMap<FunctionName, Artifact>) -> BTreeSet<Digest> {
    artifacts.values().map(|artifact| artifact.digest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_differ_in_names_of_parameters_have_one_shape() {
        assert_eq!(shape("/a/{b}/{*c}"), shape("/a/{x}/{*y}"));
        assert_ne!(shape("/a/{b}"), shape("/a/b"));
        assert_ne!(shape("/{b}"), shape("/{*b}"));
    }

    #[test]
    fn domains_are_host_names_that_are_not_ours() {
        assert!(check_domain("shop.example.com").is_ok());
        for bad in ["", "a..b", "Shop.example", "shop.example:80", "-a.b", "localhost", "x.localhost", &"a.".repeat(200)] {
            assert!(check_domain(bad).is_err(), "{bad}");
        }
    }
}
