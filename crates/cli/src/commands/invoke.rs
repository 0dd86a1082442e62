//! `dayfly invoke`: one request for one function, past the route table.

use std::io::Write as _;

use types::{
    Code, Problem,
    wire::{
        Base64,
        api::{Invoke as Request, Invoked},
    },
};

use crate::{Context, args::Invoke, exit, exit::Result, input, print, project, render::text};

/// The exit code says whether the function answered with success.
pub(crate) async fn run(context: &Context, args: &Invoke) -> Result<u8> {
    let client = context.client()?;
    let env = project::env(args.env.as_deref(), client.target())?;
    let (app, function) = match args.function.split_once('/') {
        Some((app, function)) => (project::name(app)?, function),
        None => (project::load(".".as_ref(), &env)?.app.name, args.function.as_str()),
    };
    let request = Request {
        function: project::name(function)?,
        method: args.method.to_uppercase(),
        path: args.path.clone(),
        headers: args.headers.iter().map(|field| header(field)).collect::<Result<_, _>>()?,
        body: Base64(args.body.as_deref().map(input::bytes).transpose()?.unwrap_or_default().into()),
    };
    let answer: Invoked = client.post(&format!("/v1/apps/{app}/{env}/invoke"), &request).await?;
    if context.printer.json {
        print::line(&print::to_json(&answer))?;
    } else {
        let id = answer.invocation.map(|id| id.to_string()).unwrap_or_default();
        context.printer.note(format!("{} in {}   {id}", answer.status, text::span(answer.duration_ns)));
        std::io::stdout().write_all(&answer.body.0)?;
    }
    Ok(if answer.status < 400 { exit::code::DONE } else { exit::code::FAILED })
}

fn header(field: &str) -> Result<(String, String), Problem> {
    let (name, value) = field
        .split_once(':')
        .ok_or_else(|| Problem::new(Code::E0709, format!("{field:?} is not a header field")).help("--header 'name: value'"))?;
    Ok((name.trim().to_lowercase(), value.trim().to_owned()))
}
