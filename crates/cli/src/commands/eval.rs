//! `dayfly eval`: an expression in the environment of a function, or one line after the other.

use rustyline::{DefaultEditor, error::ReadlineError};
use types::{
    AppName, Code, EnvName, FunctionName, Problem,
    wire::api::{Eval as Request, Evaluated},
};

use crate::{Context, args::Eval, client::Client, exit, exit::Failure, exit::Result, input, print, project, render::text};

/// Whose environment it is.
struct Session {
    client: Client,
    app: AppName,
    env: EnvName,
    function: Option<FunctionName>,
}

/// The exit code says whether the expression had a value.
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
        None if print::can_ask() => session.lines(context).await,
        None => Err(Problem::new(Code::E0707, "the expression is missing, and there is no one to ask")
            .help("dayfly eval EXPRESSION, or dayfly eval - to read it from standard input")
            .into()),
    }
}

/// The app of this folder.
fn here(env: &EnvName) -> Result<AppName> {
    Ok(project::load(".".as_ref(), env)?.app.name)
}

impl Session {
    /// Evaluates one expression and prints what came of it.
    async fn show(&self, context: &Context, code: &str) -> Result<u8> {
        let Self { client, app, env, function } = self;
        let request = Request { function: function.clone(), code: code.to_owned() };
        let done: Evaluated = client.post(&format!("/v1/apps/{app}/{env}/eval"), &request).await?;
        if context.printer.json {
            print::line(&print::to_json(&done))?;
        } else if let Some(value) = &done.value {
            // A value has lines; nothing that is in it may steer a terminal.
            print::line(&print::printable_lines(value))?;
        }
        let Evaluated { problem, invocation, duration_ns, .. } = done;
        let Some(problem) = problem else { return Ok(exit::code::DONE) };
        if !context.printer.json {
            let id = invocation.map(|id| format!(" · dayfly trace {id}")).unwrap_or_default();
            context.printer.failure(&Failure::from(problem));
            context.printer.note(format!("after {}{id}", text::span(duration_ns)));
        }
        Ok(exit::code::FAILED)
    }

    /// Reads lines from a terminal until it ends.
    async fn lines(&self, context: &Context) -> Result<u8> {
        let of = self.function.as_ref().map(|function| format!("/{function}")).unwrap_or_default();
        let prompt = format!("{}{of}> ", self.app);
        context.printer.note("each line is a request of its own in a fresh instance: variables don't last. ctrl-d ends");
        let failed = |error: &dyn std::fmt::Display| Problem::new(Code::E0513, format!("cannot read the terminal: {error}"));
        let mut editor = DefaultEditor::new().map_err(|error| failed(&error))?;
        loop {
            let asked = prompt.clone();
            // Reading blocks a thread for as long as a person thinks.
            let read = tokio::task::spawn_blocking(move || {
                let line = editor.readline(&asked);
                (editor, line)
            });
            let (returned, line) = read.await.map_err(|error| failed(&error))?;
            editor = returned;
            match line {
                Ok(line) if line.trim().is_empty() => {}
                Ok(line) => {
                    // The next line may bring it up again; a person's history is nobody else's, so it is not kept.
                    drop(editor.add_history_entry(&line));
                    match self.show(context, &line).await {
                        Ok(_) => {}
                        Err(failure) => context.printer.failure(&failure),
                    }
                }
                Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(exit::code::DONE),
                Err(error) => return Err(failed(&error).into()),
            }
        }
    }
}
