//! `dayfly logs`: lines of log, newest last. Piped, each line is a JSON object, so that other programs can read it.

use std::io::IsTerminal as _;

use types::wire::{query::Search, view};

use super::which;
use crate::{Context, args::Logs, client::with_query, exit::Result, print, render};

pub(crate) async fn run(context: &Context, args: &Logs) -> Result {
    let level = args.level.as_deref().map(which::level).transpose()?;
    let search = Search { level, follow: args.follow, ..which::lines(&args.which)? };
    let as_json = context.printer.json || !std::io::stdout().is_terminal();
    let show = |log: &view::Log| print::line(&if as_json { print::to_json(log) } else { render::logs::line(log) });
    let client = context.client()?;
    if args.follow {
        let mut lines = client.lines(&with_query("/v1/logs", &search)).await?;
        while let Some(log) = lines.next::<view::Log>().await? {
            show(&log)?;
        }
        return Ok(());
    }
    let logs: Vec<view::Log> = client.search("/v1/logs", &search).await?;
    if logs.is_empty() {
        context.printer.note(format!("no log lines in the last {}", args.which.since));
    }
    Ok(logs.iter().try_for_each(show)?)
}
