//! `dayfly cost`: what functions cost, exactly.

use types::wire::{query::Period, view};

use super::which;
use crate::{
    Context,
    args::{Cost, CostBy},
    client::with_query,
    exit::Result,
    project, render,
};

pub(crate) async fn run(context: &Context, args: &Cost) -> Result {
    let (app, function) = which::app_and_function(args.of.as_deref())?;
    let env = args.env.as_deref().map(project::name).transpose()?;
    let period = Period { app, env, function, from_ms: Some(which::ago_ms(&args.since)?), until_ms: None };
    let by = match args.by {
        CostBy::Fn => "function",
        CostBy::App => "app",
        CostBy::Day => "day",
    };
    let path = with_query("/v1/cost", &period);
    let joint = if path.contains('?') { '&' } else { '?' };
    let bill: view::Bill = context.client()?.get(&format!("{path}{joint}by={by}")).await?;
    Ok(context.printer.data(&bill, render::cost::bill)?)
}
