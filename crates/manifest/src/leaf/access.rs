//! What starts a function and what it may touch: routes, grants, hosts.

use types::{
    Code, Grant, Reach, Route,
    app::{Access, InvalidGrant, ResourceKind},
    route::{InvalidRoute, METHODS},
};

use super::{Leaf, Refusal, quote};
use crate::{nearest::nearest, tree::Value};

/// One route.
pub(crate) fn route(value: &Value) -> Result<Route, Refusal> {
    let text = Leaf::Route.text(value)?;
    text.parse().map_err(|error: InvalidRoute| {
        let refusal = Refusal::new(Code::E0109, format!("{error}"));
        refusal.mend(mend_route(text, &error).filter(|mended| mended.parse::<Route>().is_ok()).map(|mended| quote(&mended)))
    })
}

fn mend_route(text: &str, error: &InvalidRoute) -> Option<String> {
    let mut words: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    let path = words.last_mut()?;
    if let Some(query) = path.find(['?', '#']) {
        path.truncate(query);
    }
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    *path = path.split('/').map(mend_segment).collect::<Vec<_>>().join("/");
    if matches!(error, InvalidRoute::Method(_)) && words.len() == 2 {
        let method = |word: &str| nearest(word, METHODS).unwrap_or(word).to_owned();
        words[0] = words[0].split(',').map(method).collect::<Vec<_>>().join(",");
    }
    Some(words.join(" "))
}

/// Other routers' parameters in our form.
fn mend_segment(segment: &str) -> String {
    let name = |text: &str| text.trim_matches(['{', '}', '<', '>', '[', ']', ':', '*', '.']).replace('-', "_");
    match segment {
        "*" | "**" => "{*rest}".to_owned(),
        _ if segment.starts_with('*') || segment.starts_with("[...") => format!("{{*{}}}", name(segment)),
        _ if segment.starts_with([':', '<', '[']) || segment.contains(['{', '}']) => format!("{{{}}}", name(segment)),
        _ => segment.to_owned(),
    }
}

/// One grant.
pub(crate) fn grant(value: &Value) -> Result<Grant, Refusal> {
    let text = Leaf::Grant.text(value)?;
    if let Some(refusal) = text.parse::<Grant>().ok().and_then(|grant| not_narrowed(&grant)) {
        return Err(refusal);
    }
    text.parse().map_err(|error: InvalidGrant| {
        let kinds = ResourceKind::ALL.map(ResourceKind::as_str);
        match &error {
            InvalidGrant::Kind { kind, .. } => {
                let meant = nearest(kind, kinds).map(|meant| quote(&text.replacen(kind.as_str(), meant, 1)));
                Refusal::new(Code::E0107, format!("{error}")).note(format!("kinds: {}", kinds.join(", "))).mend(meant)
            }
            InvalidGrant::Access(_) if text.contains('.') => {
                let resource = text.split(':').next().unwrap_or_default();
                Refusal::new(Code::E0105, format!("{error}"))
                    .note("without it a function may read and write")
                    .mend(resource.parse::<Grant>().ok().map(|_| quote(resource)))
            }
            InvalidGrant::Access(_) | InvalidGrant::Shape(_) => {
                let dotted = text.replacen([':', '/', ' '], ".", 1);
                let error = InvalidGrant::Shape(text.to_owned());
                Refusal::new(Code::E0105, format!("{error}")).mend(dotted.parse::<Grant>().ok().map(|_| quote(&dotted)))
            }
        }
    })
}

/// Why `:read` says nothing of this resource, if it is there.
fn not_narrowed(Grant { resource, access }: &Grant) -> Option<Refusal> {
    if *access != Access::Read || resource.kind.narrows() {
        return None;
    }
    let note = match resource.kind {
        ResourceKind::Queue => {
            format!("`uses` lets a function send; what reads the queue is on = {{ queue = \"{}\" }}", resource.name)
        }
        ResourceKind::Event => "`uses` lets a function publish; what gets the events is on = { event = \"…\" }".to_owned(),
        _ => "a function can only ever read a secret".to_owned(),
    };
    let kinds: Vec<&str> = ResourceKind::ALL.into_iter().filter(|kind| kind.narrows()).map(ResourceKind::as_str).collect();
    let message = format!(":read narrows {}, and {:?} is none of them", kinds.join(", "), resource.to_string());
    Some(Refusal::new(Code::E0105, message).note(note).mend(Some(quote(&resource.to_string()))))
}

/// One place to reach.
pub(crate) fn reach(value: &Value) -> Result<Reach, Refusal> {
    let text = Leaf::Reach.text(value)?;
    text.parse().map_err(|error| {
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let scheme = if scheme.eq_ignore_ascii_case("http") { "http" } else { "https" };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let meant = format!("{scheme}://{authority}");
        Refusal::new(Code::E0105, format!("{error}")).mend(meant.parse::<Reach>().ok().map(|_| quote(&meant)))
    })
}
