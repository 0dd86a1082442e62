//! What the reading routes of the control API take in their query strings.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::view::CostBy;
use crate::{AppName, EnvName, FunctionName, RevisionNumber, TraceId, journal::Level};

/// Which invocations or log lines are wanted. What is absent does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// Of this app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub app: Option<AppName>,
    /// Of this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub env: Option<EnvName>,
    /// Of this function.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub function: Option<FunctionName>,
    /// Of this revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<u32>)]
    pub revision: Option<RevisionNumber>,
    /// Of this trace: 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub trace: Option<TraceId>,
    /// Only errors (true) or only successes (false).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<bool>,
    /// Of this HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// At least this slow, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slower_than_ms: Option<u64>,
    /// Log lines: at least this grave.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub level: Option<Level>,
    /// Log lines that contain this text; invocations whose cause or outcome contains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// At or after this time, in milliseconds since 1970. By default, as far back as telemetry is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<u64>,
    /// Before this time, in milliseconds since 1970. By default, now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// At most so many: 100 by default, 10,000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Logs: goes on with lines as they are written, one JSON object a line, until the client closes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
}

/// What the cost is wanted of, and over what time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Period {
    /// Of this app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub app: Option<AppName>,
    /// Of this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub env: Option<EnvName>,
    /// Of this function.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub function: Option<FunctionName>,
    /// At or after this time, in milliseconds since 1970. By default, as far back as telemetry is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<u64>,
    /// Before this time, in milliseconds since 1970. By default, now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// `GET /v1/cost`: a [`Period`], and what its bill is grouped by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    /// Of this app.
    #[param(value_type = Option<String>)]
    pub app: Option<AppName>,
    /// Of this environment.
    #[param(value_type = Option<String>)]
    pub env: Option<EnvName>,
    /// Of this function.
    #[param(value_type = Option<String>)]
    pub function: Option<FunctionName>,
    /// At or after this time, in milliseconds since 1970. By default, as far back as telemetry is kept.
    pub from_ms: Option<u64>,
    /// Before this time, in milliseconds since 1970. By default, now.
    pub until_ms: Option<u64>,
    /// What the rows are: `function`, `app`, `day` or `total`.
    #[param(inline)]
    pub by: CostBy,
}

/// `GET /v1/invocations/{id}/export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Export {
    /// True: the caller knows that the file holds bodies and header fields in clear.
    pub unsealed: bool,
}
