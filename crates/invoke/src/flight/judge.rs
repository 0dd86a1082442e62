//! Whether an invocation that has ended succeeded, and what of its batch: pure, from the outcome and the answer.

use http::header;
use ports::{Batch, Verdict};
use types::{Code, Outcome, Problem, limits};

use super::kept::Kept;

/// What is to be done with an invocation's effects.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    /// What the dispatcher is told if nothing is committed.
    pub(super) verdict: Option<Verdict>,
    /// The events that failed, if the effects are committed; `None` if nothing is.
    pub(super) commit: Option<Vec<String>>,
}

/// Judges a request: it succeeds unless it fails or answers 5xx.
pub(super) fn request(outcome: Outcome, answer: &Kept) -> Judged {
    let outcome = match outcome {
        Outcome::Answered { .. } if answer.is_cut => {
            let allowed = limits::HELD_RESPONSE;
            let message = format!("a response of more than {allowed} can't wait until the function's effects are committed");
            Outcome::Failed { code: Code::E0514, message, status: Code::E0514.status() }
        }
        outcome => outcome,
    };
    let commit = (!outcome.is_error()).then(Vec::new);
    Judged { outcome, verdict: None, commit }
}

/// Judges a batch: it succeeds if it answers 2xx, but for the events that the answer names.
pub(super) fn batch(outcome: Outcome, answer: &Kept, batch: &Batch) -> Judged {
    let failed = |outcome: Outcome, reason: String| Judged { outcome, verdict: Some(Verdict::Failed { reason }), commit: None };
    match outcome {
        Outcome::Failed { code, ref message, .. } => {
            let reason = format!("{code} {}", message.lines().next().unwrap_or(code.title()));
            failed(outcome, reason)
        }
        Outcome::Answered { status } if !(200..300).contains(&status) => {
            failed(outcome, format!("the function answered {status}"))
        }
        Outcome::Answered { .. } => match failed_ids(answer, batch) {
            Ok(ids) if !ids.is_empty() && batch.items.iter().all(|item| ids.contains(&item.id)) => {
                failed(outcome, "the function said that all of it failed".into())
            }
            Ok(ids) => Judged { outcome, verdict: None, commit: Some(ids) },
            Err(why) => {
                let (code, message) = (Code::E0518, format!("the answer to the batch is not valid: {why}"));
                let reason = format!("{code} {message}");
                failed(Outcome::Failed { code, message, status: code.status() }, reason)
            }
        },
    }
}

/// The ids under `failed` of a JSON object; none if the answer is something else.
fn failed_ids(answer: &Kept, batch: &Batch) -> Result<Vec<String>, String> {
    let content_type = answer.head().and_then(|head| head.headers.get(header::CONTENT_TYPE));
    let media_type = content_type.and_then(|value| value.to_str().ok()).and_then(|text| text.split(';').next());
    let is_json = media_type.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/json"));
    if !is_json || (answer.bytes().is_empty() && !answer.is_cut) {
        return Ok(Vec::new());
    }
    if answer.is_cut {
        return Err(format!("it is longer than {}", limits::HELD_RESPONSE));
    }
    let json: serde_json::Value = serde_json::from_slice(answer.bytes()).map_err(|error| format!("it is no JSON: {error}"))?;
    let Some(failed) = json.as_object().and_then(|object| object.get("failed")) else { return Ok(Vec::new()) };
    let ids = failed.as_array().ok_or("`failed` is no list")?;
    let mut named = Vec::new();
    for id in ids {
        let id = id.as_str().ok_or_else(|| format!("`failed` holds {id}, which is no text"))?;
        if !batch.items.iter().any(|item| item.id == id) {
            return Err(format!("`failed` names {id:?}, which is not in the batch"));
        }
        named.push(id.to_owned());
    }
    named.sort();
    named.dedup();
    Ok(named)
}

/// What a dispatcher is told of a batch that was turned away before any code ran.
pub(crate) fn verdict_of_refusal(problem: &Problem) -> Verdict {
    let reason = problem.to_string();
    // Too long a chain is so every time; the rest may be otherwise when the lease is over.
    if problem.code == Code::E0516 { Verdict::Failed { reason } } else { Verdict::Unknown { reason } }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use http::Response;
    use ports::{
        Body,
        invoker::{Acknowledge, Item},
    };
    use types::queue::{MessageId, QueueName, Receipt};

    use super::*;

    fn judged(status: u16, content_type: &str, body: &str) -> Judged {
        let item = |id: &str, number| {
            let receipt = Receipt { id: MessageId(number), attempt: 1 };
            Item { id: id.into(), acknowledge: Acknowledge::Message(QueueName("q".into()), receipt) }
        };
        let items = vec![item("a", 1), item("b", 2)];
        let of = Batch { cause: "queue q".into(), items, attempt: 1, links: Vec::new(), is_single: false };
        let response = Response::builder().status(status).header("content-type", content_type);
        let mut answer = Kept::default();
        answer.begin(response.body(Body::from(body.to_owned())).expect("a response"));
        assert!(answer.poll_body(&mut Context::from_waker(Waker::noop())).is_ready());
        batch(Outcome::Answered { status }, &answer, &of)
    }

    fn commits(status: u16, content_type: &str, body: &str) -> Option<Vec<String>> {
        judged(status, content_type, body).commit
    }

    #[test]
    fn a_batch_succeeds_with_2xx_but_for_the_events_that_are_named() {
        let json = "application/json; charset=utf-8";
        for (status, kind, body) in [
            (204, json, ""),
            (200, json, "{}"),
            (200, json, "[1]"),
            (200, json, "{\"failed\":[]}"),
            (200, "text/plain", "{\"failed\":3}"),
        ] {
            assert_eq!(commits(status, kind, body), Some(Vec::new()), "{status} {kind} {body}");
        }
        assert_eq!(commits(200, json, "{\"failed\":[\"b\",\"b\"]}"), Some(vec!["b".to_owned()]));
        assert_eq!(commits(200, json, "{\"failed\":[\"a\",\"b\"]}"), None, "that is all of it");
        assert_eq!(commits(500, json, "{}"), None);
        assert_eq!(commits(302, json, "{}"), None);
    }

    #[test]
    fn a_broken_answer_fails_all_of_it_and_says_why() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(limits::HELD_RESPONSE.as_usize()));
        let broken = ["{", "{\"failed\":\"a\"}", "{\"failed\":[1]}", "{\"failed\":[\"c\"]}", long.as_str()];
        for body in broken {
            let Judged { outcome, verdict, commit } = judged(200, "application/json", body);
            assert!(matches!(outcome, Outcome::Failed { code: Code::E0518, .. }));
            assert!(matches!(verdict, Some(Verdict::Failed { reason }) if reason.starts_with("E0518")));
            assert_eq!(commit, None);
        }
    }
}
