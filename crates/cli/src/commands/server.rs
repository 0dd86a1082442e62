//! `dayfly server`: a node for many apps, until it is asked to end.

use std::{fs, path::Path};

use serde::Serialize;
use types::{Code, Problem};

use crate::{
    Context,
    args::Server,
    exit::Result,
    node::{NodeOptions, RunningNode, TOKEN_FILE},
    print::{self, Printer},
    render::text,
    signals::{Signals, shut_down},
    target::CONTROL_URL_FILE,
};

pub(crate) async fn run(context: &Context, args: Server) -> Result {
    let Server { data, listen, control, aws, domain } = args;
    let options = NodeOptions {
        data_dir: data.clone(),
        gateway_addr: listen,
        control_addr: control,
        aws_addr: aws,
        token: std::env::var("DAYFLY_TOKEN").ok(),
        default_app: None,
        domain,
    };
    let node = context.node.start(options).await?;
    let ended = serve(context.printer, &data, &node).await;
    std::fs::remove_file(data.join(CONTROL_URL_FILE)).ok();
    shut_down(node).await;
    ended
}

/// Tells where the node is, and waits until the process is asked to end.
async fn serve(printer: Printer, data: &Path, node: &RunningNode) -> Result {
    // Before anybody is told that it is ready, and asks it to end.
    let mut signals = Signals::new()?;
    announce(data, node)?;
    let token_file = data.join(TOKEN_FILE);
    if printer.json {
        print::line(&print::to_json(&Ready::of(node)))?;
    }
    printer.note(format!("dayfly {} · data {}", env!("CARGO_PKG_VERSION"), data.display()));
    printer.note(format!(" ready    in {}", text::span(node.started_in.ns())));
    printer.note(format!(" gateway  {}", node.gateway_url));
    printer.note(format!(" aws      {}", node.aws_url));
    printer.note(format!(" control  {}   token in {}", node.control_url, token_file.display()));
    signals.next().await;
    Ok(())
}

/// What programs that start a node want to know once it listens.
#[derive(Serialize)]
pub(crate) struct Ready<'a> {
    ready: bool,
    gateway: &'a str,
    control: &'a str,
}

impl<'a> Ready<'a> {
    pub(crate) fn of(node: &'a RunningNode) -> Self {
        Self { ready: true, gateway: &node.gateway_url, control: &node.control_url }
    }
}

/// Leaves the control API's address in the data folder, where commands in that folder look for it.
pub(crate) fn announce(data: &std::path::Path, node: &RunningNode) -> Result<(), Problem> {
    fs::write(data.join(CONTROL_URL_FILE), &node.control_url)
        .map_err(|error| Problem::new(Code::E0601, format!("cannot write to {}: {error}", data.display())))
}
