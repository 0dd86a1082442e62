//! `dayfly server`: a node for many apps, until it is asked to end.

use std::fs;

use types::{Code, Problem};

use crate::{
    Context,
    args::Server,
    exit::Result,
    node::{NodeOptions, RunningNode},
    target::CONTROL_URL_FILE,
};

pub(crate) async fn run(context: &Context, args: Server) -> Result {
    let Server { data, listen, control, domain } = args;
    let options = NodeOptions {
        data_dir: data.clone(),
        gateway_addr: listen,
        control_addr: control,
        token: std::env::var("DAYFLY_TOKEN").ok(),
        default_app: None,
        domain,
    };
    let node = context.node.start(options).await?;
    announce(&data, &node)?;
    context.printer.note(format!("ready in {}", node.started_in));
    context.printer.note(format!(" gateway  {}", node.gateway_url));
    context.printer.note(format!(" control  {}   token in {}", node.control_url, data.join(crate::node::TOKEN_FILE).display()));
    Ok(node.run_until_signal().await?)
}

/// Leaves the control API's address in the data folder, where commands in that folder look for it.
pub(crate) fn announce(data: &std::path::Path, node: &RunningNode) -> Result<(), Problem> {
    fs::write(data.join(CONTROL_URL_FILE), &node.control_url)
        .map_err(|error| Problem::new(Code::E0601, format!("cannot write to {}: {error}", data.display())))
}
