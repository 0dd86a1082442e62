//! Expressions one after the other, from a terminal or a pipe: each is an invocation of its own, and none that fails ends the others.

use std::io::{self, IsTerminal as _};

use rustyline::{DefaultEditor, error::ReadlineError};
use types::{Code, Problem};

use super::{Session, unfinished::is_unfinished};
use crate::{Context, exit, exit::Result};

/// Evaluates what comes until it ends. The exit code says whether each had a value; on a terminal, where that was seen, it is always done.
pub(super) async fn run(session: &Session, context: &Context) -> Result<u8> {
    if io::stdin().is_terminal() { terminal(session, context).await } else { pipe(session, context).await }
}

fn unreadable(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::E0513, format!("cannot read the expressions: {error}"))
}

/// Reading blocks a thread for as long as a person thinks, or whoever writes into the pipe.
async fn blocking<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(read).await.map_err(|error| unreadable(&error))
}

async fn pipe(session: &Session, context: &Context) -> Result<u8> {
    let (mut code, mut text, mut is_empty) = (exit::code::DONE, String::new(), true);
    loop {
        let line = blocking(|| io::stdin().lines().next().transpose()).await?.map_err(|error| unreadable(&error))?;
        let is_last = line.is_none();
        line.into_iter().for_each(|line| text += &(line + "\n"));
        if !text.trim().is_empty() && (is_last || !is_unfinished(&text)) {
            is_empty = false;
            code = code.max(evaluate(session, context, &std::mem::take(&mut text)).await);
        }
        if is_last && is_empty {
            return Err(Problem::new(Code::E0707, "the expression is missing, and there is no one to ask")
                .help("dayfly eval EXPRESSION, or expressions on standard input: dayfly eval < FILE")
                .into());
        }
        if is_last {
            return Ok(code);
        }
    }
}

/// Shows what comes of it; a failure of the call itself too.
async fn evaluate(session: &Session, context: &Context, code: &str) -> u8 {
    session.show(context, code).await.unwrap_or_else(|failure| {
        context.printer.failure(&failure);
        failure.exit_code()
    })
}

async fn terminal(session: &Session, context: &Context) -> Result<u8> {
    let of = session.function.as_ref().map(|function| format!("/{function}")).unwrap_or_default();
    let prompt = format!("{}{of}> ", session.app);
    let more = format!("{:>1$} ", "…", prompt.chars().count() - 1);
    context
        .printer
        .note("each expression is a request of its own in a fresh instance: variables don't last, what is stored does");
    context
        .printer
        .note("an expression that is open goes on in the next line, an empty line ends it · ctrl-c drops it · ctrl-d ends");
    let mut editor = DefaultEditor::new().map_err(|error| unreadable(&error))?;
    let (mut text, mut was_dropped) = (String::new(), false);
    loop {
        let asked = if text.is_empty() { prompt.clone() } else { more.clone() };
        let line;
        (editor, line) = blocking(move || {
            let line = editor.readline(&asked);
            (editor, line)
        })
        .await?;
        match line {
            Ok(line) => {
                was_dropped = false;
                let is_ended = line.trim().is_empty();
                text += &(line + "\n");
                if text.trim().is_empty() {
                    text.clear();
                } else if is_ended || !is_unfinished(&text) {
                    let code = std::mem::take(&mut text);
                    // The next line may bring it up again; a person's history is nobody else's, so it is not kept.
                    drop(editor.add_history_entry(code.trim_end()));
                    interruptible(session, context, &code).await;
                }
            }
            Err(ReadlineError::Interrupted) if !text.is_empty() || !was_dropped => {
                text.clear();
                was_dropped = true;
                context.printer.note("ctrl-c again or ctrl-d ends");
            }
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(exit::code::DONE),
            Err(error) => return Err(unreadable(&error).into()),
        }
    }
}

/// Evaluates until a person has had enough of it: whose caller leaves is ended.
async fn interruptible(session: &Session, context: &Context, code: &str) {
    tokio::select! {
        _ = evaluate(session, context, code) => {}
        _ = tokio::signal::ctrl_c() => context.printer.note("ended"),
    }
}
