//! Routes as a manifest writes them: `GET /orders/{id}`, `/files/{*rest}`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The request methods that a route answers; empty means any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct MethodSet(Vec<String>);

impl MethodSet {
    /// Whether a request with this method matches. `HEAD` matches wherever `GET` does (RFC 9110 §9.3.2).
    #[must_use]
    pub fn contains(&self, method: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|m| m == method || (m == "GET" && method == "HEAD"))
    }
    /// The methods, for an `allow` header; empty means any.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
    /// Whether some method belongs to both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.is_empty() || other.0.is_empty() || self.0.iter().any(|m| other.0.contains(m))
    }
}

/// Methods and a path pattern. Parameters are `{name}` for one segment and `{*name}` for the rest of the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Route {
    /// What it answers to.
    pub methods: MethodSet,
    /// The pattern, as `matchit` reads it.
    pub path: String,
}

/// Why a text is not a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoute {
    /// No path, or one that does not begin with a slash.
    #[error("{0:?} is not a route: write an optional method and a path, such as GET /orders/{{id}}")]
    Shape(String),
    /// A method that HTTP does not know or that a gateway keeps for itself.
    #[error("{0:?} is not a method that a route can have: use one of {known}", known = METHODS.join(" "))]
    Method(String),
    /// A parameter that is not closed, not named, not a whole segment, named twice, or a wildcard before the end.
    #[error("{0:?} is not a parameter: write {{name}} as a whole segment, and {{*rest}} only as the last")]
    Parameter(String),
}

/// The methods that a route may name.
pub const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl FromStr for Route {
    type Err = InvalidRoute;
    /// `[METHOD[,METHOD…]] /path`.
    fn from_str(text: &str) -> Result<Self, InvalidRoute> {
        let shape = || InvalidRoute::Shape(text.into());
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (methods, path) = match words[..] {
            [path] => (Vec::new(), path),
            [methods, path] => (methods.split(',').map(str::to_owned).collect(), path),
            _ => return Err(shape()),
        };
        if let Some(bad) = methods.iter().find(|m| !METHODS.contains(&m.as_str())) {
            return Err(InvalidRoute::Method(bad.clone()));
        }
        let rest = path.strip_prefix('/').ok_or_else(shape)?;
        if path.contains(['?', '#']) {
            return Err(shape());
        }
        check_parameters(rest)?;
        Ok(Self { methods: MethodSet(methods), path: path.into() })
    }
}

fn check_parameters(path: &str) -> Result<(), InvalidRoute> {
    let mut names = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        if !segment.contains(['{', '}']) {
            continue;
        }
        let bad = || InvalidRoute::Parameter(segment.into());
        let inner = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')).ok_or_else(bad)?;
        let name = inner.strip_prefix('*').unwrap_or(inner);
        let last = segments.peek().is_none();
        let valid = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !valid || names.contains(&name) || (inner.starts_with('*') && !last) {
            return Err(bad());
        }
        names.push(name);
    }
    Ok(())
}

impl TryFrom<String> for Route {
    type Error = InvalidRoute;
    fn try_from(text: String) -> Result<Self, InvalidRoute> {
        text.parse()
    }
}
impl From<Route> for String {
    fn from(route: Route) -> Self {
        route.to_string()
    }
}
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.methods.0.is_empty() {
            write!(f, "{} ", self.methods.0.join(","))?;
        }
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_routes_print_as_they_were_read() {
        for text in ["GET /", "/", "GET,POST /orders/{id}", "/files/{*rest}", "PUT /a/{b}/c/{d}"] {
            assert_eq!(text.parse::<Route>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn bad_routes_are_refused() {
        for text in ["", "orders", "FETCH /", "get /", "/a?b", "/{", "/{}", "/x{id}", "/{*rest}/more", "/{a}/{a}", "GET / x"] {
            assert!(text.parse::<Route>().is_err(), "{text}");
        }
    }

    #[test]
    fn head_goes_where_get_goes() {
        let route: Route = "GET /".parse().expect("a route");
        assert!(route.methods.contains("HEAD") && !route.methods.contains("POST"));
    }
}
