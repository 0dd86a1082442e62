//! Pairs of keys for AWS clients: issued for one app, shown once.

use std::sync::Arc;

use axum::extract::State;
use ports::secrets::{AccessKey, SecretValue};
use types::{
    Code, Problem,
    wire::data::{AwsKey, AwsKeyIssue, Count},
};

use super::{
    super::reply::{Answer, Input, Key, answer},
    Named,
};
use crate::core::Control;

/// The app's pairs, without what they sign with.
#[utoipa::path(get, operation_id = "keys", path = "/v1/apps/{app}/{env}/aws-keys", tag = "data",
    params(("app" = String, Path), ("env" = String, Path)), responses((status = 200, body = Vec<AwsKey>)))]
pub(crate) async fn keys(State(control): State<Arc<Control>>, Key(key): Key) -> Answer<Vec<AwsKey>> {
    let keys = control.data.access_keys.list(&key).await?;
    answer(keys.into_iter().map(|key| shown(&control, key, false)).collect())
}

/// Issues a pair for the app.
#[utoipa::path(post, operation_id = "keys_issue", path = "/v1/apps/{app}/{env}/aws-keys", tag = "data",
    params(("app" = String, Path), ("env" = String, Path)), request_body = AwsKeyIssue, responses((status = 200, body = AwsKey)))]
pub(crate) async fn issue(
    State(control): State<Arc<Control>>,
    Key(key): Key,
    Input(asked): Input<AwsKeyIssue>,
) -> Answer<AwsKey> {
    control.served(&key).await?;
    let issued = control.data.access_keys.issue(&key, asked.read_only).await?;
    tracing::info!(app = %key, id = issued.id, read_only = asked.read_only, "AWS key issued");
    answer(shown(&control, issued, true))
}

/// Ends a pair.
#[utoipa::path(delete, operation_id = "keys_revoke", path = "/v1/apps/{app}/{env}/aws-keys/{id}", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("id" = String, Path)), responses((status = 200, body = Count)))]
pub(crate) async fn revoke(State(control): State<Arc<Control>>, Named { key, name: id }: Named) -> Answer<Count> {
    let own = control.data.access_keys.find(&id).await?.is_some_and(|found| found.app == key);
    if !own || !control.data.access_keys.revoke(&id).await? {
        return Err(Problem::new(Code::E0609, format!("{key} has no key {id}")).into());
    }
    tracing::info!(app = %key, id, "AWS key revoked");
    answer(Count { count: 1 })
}

fn shown(
    control: &Control,
    AccessKey { id, secret: SecretValue(secret), app: _, read_only, issued }: AccessKey,
    whole: bool,
) -> AwsKey {
    AwsKey {
        id,
        secret: whole.then(|| String::from_utf8_lossy(&secret).into_owned()),
        read_only,
        issued: issued.to_rfc3339(),
        endpoint_url: control.data.aws.url(),
    }
}
