//! Running one function by its name: a request for it, or an expression for its environment.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FunctionName, InvocationId, Problem, wire::Base64};

/// `POST …/eval`: an expression for the environment of a function in JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Eval {
    /// The function; absent if the app has only one in JavaScript.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub function: Option<FunctionName>,
    /// An expression, which may await, or statements.
    pub code: String,
}

/// What came of an expression: its value or its problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evaluated {
    /// In whose environment it ran.
    #[schema(value_type = String)]
    pub function: FunctionName,
    /// Its value, as `console.log` writes it; none if it failed.
    pub value: Option<String>,
    /// Its value as JSON, where there is a form for it.
    pub json: Option<String>,
    /// How it failed: the exception, and in the notes where.
    pub problem: Option<Problem>,
    /// The invocation, to ask for its trace. None if it was not admitted.
    #[schema(value_type = Option<String>)]
    pub invocation: Option<InvocationId>,
    /// Until the answer was complete, in nanoseconds.
    pub duration_ns: u64,
}

/// `POST …/invoke`: a request for one function, past the route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invoke {
    /// The function.
    #[schema(value_type = String)]
    pub function: FunctionName,
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// Path and query.
    #[serde(default = "root")]
    pub path: String,
    /// Header fields in order. Those that are the platform's to set are left out.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default)]
    #[schema(value_type = String, format = Byte)]
    pub body: Base64,
}

fn get() -> String {
    "GET".into()
}
fn root() -> String {
    "/".into()
}

/// The function's answer, or how it failed: then the body is a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invoked {
    /// The invocation, to ask for its trace. None if it was not admitted.
    #[schema(value_type = Option<String>)]
    pub invocation: Option<InvocationId>,
    /// The response's status.
    pub status: u16,
    /// Its header fields in order; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Its body.
    #[schema(value_type = String, format = Byte)]
    pub body: Base64,
    /// Until the last byte of the body, in nanoseconds.
    pub duration_ns: u64,
}
