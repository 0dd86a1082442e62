//! `dayfly trace`: what one request did, as a waterfall, or a list of requests.

use types::wire::view;

use super::which;
use crate::{Context, args::Trace, client::escape, exit::Result, print, render};

pub(crate) async fn run(context: &Context, args: &Trace) -> Result {
    let client = context.client()?;
    if args.list {
        let requests: Vec<view::Request> = client.search("/v1/invocations", &which::requests(&args.which)?).await?;
        if context.printer.json {
            return Ok(requests.iter().try_for_each(|request| print::line(&print::to_json(request)))?);
        }
        if requests.is_empty() {
            context.printer.note(format!("no requests in the last {}", args.which.since));
        }
        // Newest last, where the eye is.
        return Ok(requests.iter().rev().try_for_each(|request| print::line(&render::request::line(request)))?);
    }
    let id = args.id.strip_prefix("t:").unwrap_or(&args.id);
    let trace: view::Trace = client.get(&format!("/v1/traces/{}", escape(id))).await?;
    Ok(context.printer.data(&trace, render::trace::waterfall)?)
}
