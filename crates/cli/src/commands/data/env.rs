//! `dayfly env`: what other tools need to speak to this node.

use types::wire::data::{AwsKey, AwsKeyIssue};

use super::Data;
use crate::{
    Context,
    args::{Env, Tools},
    exit::Result,
};

pub(crate) async fn run(context: &Context, Env { of, tools: Tools::Aws, read_only }: Env) -> Result {
    let data = Data::of(context, &of)?;
    let key: AwsKey = data.client.post(&data.path(&["aws-keys"]), &AwsKeyIssue { read_only }).await?;
    Ok(context.printer.data(&key, |key| {
        let secret = key.secret.as_deref().unwrap_or_default();
        format!(
            "export AWS_ENDPOINT_URL={}\nexport AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={secret}\nexport AWS_REGION=us-east-1\nexport AWS_DEFAULT_REGION=us-east-1",
            key.endpoint_url, key.id
        )
    })?)
}
