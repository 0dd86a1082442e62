//! `dayfly eval`: an expression in the environment of a function, or one after the other.

mod lines;
mod unfinished;

use std::time::Duration;

use types::{
    AppName, Code, EnvName, FunctionName, InvocationId, Problem,
    wire::{
        api::{Eval as Request, Evaluated},
        query::Search,
        view,
    },
};

use crate::{
    Context,
    args::Eval,
    client::Client,
    exit,
    exit::Failure,
    exit::Result,
    input, print, project,
    render::{request, text},
};

/// How often the record of an invocation is asked for, and the pause between. It is kept once all that the invocation began has ended, which
/// may be long after its value is there.
const ASKS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);
/// Lines of log of one expression that are shown.
const LINES_MAX: usize = 1_000;

/// Whose environment it is.
struct Session {
    client: Client,
    app: AppName,
    env: EnvName,
    function: Option<FunctionName>,
}

/// The exit code says whether each expression had a value.
pub(crate) async fn run(context: &Context, args: &Eval) -> Result<u8> {
    let client = context.client()?;
    let env = project::env(args.env.as_deref(), client.target())?;
    let (app, function) = match args.function.as_deref().map(|named| named.split_once('/').ok_or(named)) {
        Some(Ok((app, function))) => (project::name(app)?, Some(project::name(function)?)),
        Some(Err(function)) => (here(&env)?, Some(project::name(function)?)),
        None => (here(&env)?, None),
    };
    let session = Session { client, app, env, function };
    match &args.code {
        Some(code) => {
            let code = if code == "-" { input::text("-")? } else { code.clone() };
            session.show(context, &code).await
        }
        None => lines::run(&session, context).await,
    }
}

/// The app of this folder.
fn here(env: &EnvName) -> Result<AppName> {
    Ok(project::load(".".as_ref(), env)?.app.name)
}

impl Session {
    /// Evaluates one expression and prints what it logged and what came of it.
    async fn show(&self, context: &Context, code: &str) -> Result<u8> {
        let Self { client, app, env, function } = self;
        let request = Request { function: function.clone(), code: code.to_owned() };
        let done: Evaluated = client.post(&format!("/v1/apps/{app}/{env}/eval"), &request).await?;
        if context.printer.json {
            print::line(&print::to_json(&done))?;
        } else {
            if let Some(id) = done.invocation {
                let logs = self.logs(id).await;
                if !logs.is_empty() {
                    context.printer.note(logs);
                }
            }
            if let Some(value) = &done.value {
                // A value has lines; nothing that is in it may steer a terminal.
                print::line(&print::printable_lines(value))?;
            }
        }
        let Evaluated { problem, invocation, duration_ns, .. } = done;
        let Some(problem) = problem else { return Ok(exit::code::DONE) };
        if !context.printer.json {
            context.printer.failure(&Failure::from(problem));
            let id = invocation.map(|id| format!(" · dayfly trace {id}")).unwrap_or_default();
            context.printer.note(format!("after {}{id}", text::span(duration_ns)));
        }
        Ok(exit::code::FAILED)
    }

    /// What the invocation logged, as `up` prints it; how to see it, where that is not known yet.
    async fn logs(&self, id: InvocationId) -> String {
        let Some(record) = self.record(id).await else {
            return format!("it goes on: dayfly trace {id} tells what it logs");
        };
        if record.log_lines as usize == record.logs.len() {
            return request::logged(&record.logs);
        }
        let search = Search { trace: record.trace.parse().ok(), limit: Some(LINES_MAX), ..Search::default() };
        let found: Result<Vec<view::Log>, Problem> = self.client.search("/v1/logs", &search).await;
        let own = found.into_iter().flatten().filter(|line| line.invocation == record.invocation).collect::<Vec<_>>();
        request::logged(if own.is_empty() { &record.logs } else { &own })
    }

    /// The record, if it is kept soon.
    async fn record(&self, id: InvocationId) -> Option<view::Request> {
        for _ in 0..ASKS {
            match self.client.get(&format!("/v1/invocations/{id}")).await {
                Ok(record) => return Some(record),
                Err(Problem { code: Code::E0706, .. }) => tokio::time::sleep(PAUSE).await,
                Err(_) => return None,
            }
        }
        None
    }
}
