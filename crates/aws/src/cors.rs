//! Pages of other origins: which rule of a bucket lets one in, and what the browser is told.

use http::{
    HeaderMap, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use types::object::CorsRule;

/// What a browser asks before it sends, or says when it sends.
pub(crate) struct Asked<'a> {
    origin: &'a str,
    method: &'a str,
    headers: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    /// What a request says of its origin; `None` if it says nothing, or is no question where it should be one.
    pub(crate) fn read(method: &'a Method, headers: &'a HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let origin = text(ORIGIN)?;
        if method != Method::OPTIONS {
            return Some(Self { origin, method: method.as_str(), headers: Vec::new() });
        }
        let asked = text(ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
        let headers = asked.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        Some(Self { origin, method: text(ACCESS_CONTROL_REQUEST_METHOD)?, headers })
    }

    /// What the browser is told by the first rule that lets it in.
    pub(crate) fn answer(&self, rules: &[CorsRule], method: &Method) -> Option<HeaderMap> {
        let rule = rules.iter().find(|rule| self.is_let_in(rule))?;
        let mut answer = HeaderMap::new();
        let mut say = |name, text: String| HeaderValue::try_from(text).map(|value| answer.insert(name, value));
        let anyone = rule.origins.iter().any(|origin| origin == "*");
        let _ = say(ACCESS_CONTROL_ALLOW_ORIGIN, if anyone { "*".to_owned() } else { self.origin.to_owned() });
        let _ = say(ACCESS_CONTROL_ALLOW_METHODS, rule.methods.join(", "));
        let _ = say(VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method".to_owned());
        if !anyone {
            let _ = say(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true".to_owned());
        }
        if !rule.expose.is_empty() {
            let _ = say(ACCESS_CONTROL_EXPOSE_HEADERS, rule.expose.join(", "));
        }
        if method == Method::OPTIONS {
            if !self.headers.is_empty() {
                let _ = say(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.join(", ").to_ascii_lowercase());
            }
            if let Some(seconds) = rule.max_age {
                let _ = say(ACCESS_CONTROL_MAX_AGE, seconds.to_string());
            }
        }
        Some(answer)
    }

    fn is_let_in(&self, rule: &CorsRule) -> bool {
        rule.methods.iter().any(|method| method == self.method)
            && rule.origins.iter().any(|pattern| matches(pattern, self.origin))
            && self.headers.iter().all(|name| rule.headers.iter().any(|pattern| matches(&lower(pattern), &lower(name))))
    }
}

fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// Whether a text is a pattern with at most one `*`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origin: &str) -> CorsRule {
        CorsRule {
            origins: vec![origin.into()],
            methods: vec!["PUT".into()],
            headers: vec!["x-amz-*".into(), "Content-Type".into()],
            expose: vec!["ETag".into()],
            max_age: Some(60),
        }
    }

    fn preflight(origin: &'static str, method: &'static str, names: &'static str) -> HeaderMap {
        let pairs = [(ORIGIN, origin), (ACCESS_CONTROL_REQUEST_METHOD, method), (ACCESS_CONTROL_REQUEST_HEADERS, names)];
        pairs.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_rule_lets_in_what_it_names_and_nothing_else() {
        let good = ("https://a.example.com", "PUT", "content-type, X-Amz-Date");
        let rows = [
            (good, true),
            (("https://a.example.org", good.1, good.2), false),
            ((good.0, "DELETE", good.2), false),
            ((good.0, good.1, "authorization"), false),
            ((good.0, good.1, ""), true),
        ];
        for ((origin, method, names), expected) in rows {
            let headers = preflight(origin, method, names);
            let asked = Asked::read(&Method::OPTIONS, &headers).expect("a question");
            let answer = asked.answer(&[rule("https://*.example.com")], &Method::OPTIONS);
            assert_eq!(answer.is_some(), expected, "{origin} {method} {names}");
        }
    }

    #[test]
    fn the_browser_is_told_its_origin_or_that_all_may() {
        let headers = preflight("https://a.example", "PUT", "");
        let asked = Asked::read(&Method::OPTIONS, &headers).expect("a question");
        let told = |origin| asked.answer(&[rule(origin)], &Method::OPTIONS).expect("an answer");
        assert_eq!(told("*")[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!told("*").contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(told("https://a.example")[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert_eq!(told("*")[ACCESS_CONTROL_MAX_AGE], "60");
    }
}
