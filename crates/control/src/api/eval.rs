//! Evaluating an expression in the environment of a function: an invocation like any other, metered and recorded, whose request says `eval`.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderValue, Method, Request, header};
use ports::{Body, Invocation};
use serde::Deserialize;
use types::{
    Code, FunctionName, LiveApp, LiveFunction, Outcome, Place, Problem,
    app::Build,
    field::{EVAL, TRIGGER},
    journal::Failure,
    limits,
    wire::{
        api::{Eval, Evaluated},
        view,
    },
};

use super::{
    invoke,
    reply::{Answer, Input, Key, answer},
};
use crate::core::{Control, no_app};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the engine answers to an expression.
#[derive(Deserialize)]
struct Said {
    value: String,
    /// Not there where JSON has no form for it, which is not `null`.
    #[serde(default, deserialize_with = "there")]
    json: Option<serde_json::Value>,
}

fn there<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(json).map(Some)
}

/// Evaluates an expression in the environment of a function in JavaScript.
#[utoipa::path(post, path = "/v1/apps/{app}/{env}/eval", tag = "invocations",
    params(("app" = String, Path), ("env" = String, Path)), request_body = Eval, responses((status = 200, body = Evaluated)))]
pub(crate) async fn eval(State(control): State<Arc<Control>>, Key(key): Key, Input(eval): Input<Eval>) -> Answer<Evaluated> {
    let Eval { function, code } = eval;
    if code.len() as u64 > limits::SCRIPT_EVAL.0 {
        return Err(Problem::limit(Code::E0709, "script eval", format!("{} B", code.len()), limits::SCRIPT_EVAL).into());
    }
    let live = control.publisher.app(&key).ok_or_else(|| no_app(&key))?;
    let function = script(&live, function.as_ref())?;
    let name = function.function.name.clone();
    let received_ns = control.clock.monotonic_ns();
    let request = request(&name, &code);
    let invocation = Invocation { function, request, parent: None, received_ns, depth: 0, batch: None };
    let mut response = control.invoker.invoke(invocation).await;
    let failure = response.extensions_mut().remove::<Failure>();
    let said = invoke::whole(response).await?;
    let duration_ns = control.clock.monotonic_ns() - received_ns;
    let invocation = said.invocation;
    let empty = Evaluated { function: name, value: None, json: None, problem: None, invocation, duration_ns };
    answer(match failure {
        Some(failure) => Evaluated { problem: Some(problem(failure)), ..empty },
        None => {
            let Said { value, json } = understood(said.status, &said.body.0)?;
            Evaluated { value: Some(value), json: json.map(|json| json.to_string()), ..empty }
        }
    })
}

/// The function in JavaScript of that name, or the only one.
fn script(live: &LiveApp, name: Option<&FunctionName>) -> Result<Arc<LiveFunction>, Problem> {
    let is_script = |function: &LiveFunction| function.function.build == Build::Script;
    let refused = |message: String| Problem::new(Code::E0709, message);
    if let Some(name) = name {
        let function = invoke::named(live, name)?;
        return match is_script(&function) {
            true => Ok(function),
            false => Err(refused(format!("{name} is no function in JavaScript: expressions are evaluated in those only"))
                .help(format!("dayfly invoke {}/{name}", live.key.app))),
        };
    }
    let scripts: Vec<_> = live.pick(0).functions.values().filter(|function| is_script(function)).collect();
    match scripts.as_slice() {
        [only] => Ok(Arc::clone(only)),
        [] => Err(refused(format!("{} has no function in JavaScript: expressions are evaluated in those only", live.key))),
        several => {
            let names: Vec<&str> = several.iter().map(|function| function.function.name.as_str()).collect();
            let help = format!("dayfly eval --fn {}/{} '1 + 1'", live.key.app, names[0]);
            Err(refused(format!("{} has several functions in JavaScript, say which: {}", live.key, names.join(", "))).help(help))
        }
    }
}

fn request(name: &FunctionName, code: &str) -> Request<Body> {
    let host = format!("{name}.internal");
    let body = serde_json::json!({ "code": code }).to_string();
    let mut request = Request::new(Body::from(body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("http://{host}/").parse().expect("a function's name is a DNS label");
    let headers = request.headers_mut();
    headers.insert(header::HOST, HeaderValue::try_from(host).expect("a function's name is a DNS label"));
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(TRIGGER, HeaderValue::from_static(EVAL));
    request
}

/// The exception as a problem: what happened, where, and the calls that led there.
fn problem(Failure { code, message }: Failure) -> Problem {
    let outcome = Outcome::Failed { code, message, status: code.status() };
    let Some(view::Failure { title, message, source, backtrace, .. }) = observe::failure(&outcome) else {
        return Problem::new(code, code.title());
    };
    let problem = match place(&message, &source) {
        Some((what, place)) => Problem::new(code, what).at(place),
        None => Problem::new(code, if message.is_empty() { title } else { message }),
    };
    backtrace.iter().fold(problem, |problem, frame| problem.note(frame.trim()))
}

/// What happened, and the place that its message and the excerpt of the source name: `… at src/api.ts:12:7`, `12 | text`, `   |   ^`.
fn place<'a>(message: &'a str, source: &[String]) -> Option<(&'a str, Place)> {
    let [line_of_source, marks] = source else { return None };
    let (what, at) = message.rsplit_once(" at ")?;
    let (rest, column) = at.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    let (_, text) = line_of_source.split_once("| ")?;
    let (_, marks) = marks.split_once("| ")?;
    let column: u32 = column.parse().ok()?;
    // Of a long line a part is shown, and the mark says where in it the column is.
    let before = u32::try_from(marks.chars().take_while(|c| *c == ' ').count()).ok()?;
    let skipped = column.saturating_sub(1).saturating_sub(before);
    Some((what, Place { file: file.to_owned(), line: line.parse().ok()?, column, text: text.to_owned(), skipped, width: 1 }))
}

fn understood(status: u16, body: &[u8]) -> Result<Said, Problem> {
    let unknown = |why: String| Problem::new(Code::E0521, format!("what the engine answered to the expression {why}"));
    if !(200..300).contains(&status) {
        return Err(unknown(format!("has status {status}")));
    }
    serde_json::from_slice(body).map_err(|error| unknown(format!("can't be read: {error}")))
}
