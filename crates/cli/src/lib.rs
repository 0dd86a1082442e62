//! The commands of dayfly, for people. They speak the control API and print; a node in this process comes through [`node`].
//!
//! Standard output is data, standard error is the rest. Every command takes `--json`, asks nothing where there is no terminal, and ends with
//! one of the [exit codes](exit::code).

mod args;
mod build;
mod client;
mod commands;
mod declare;
pub mod exit;
mod input;
mod migrations;
pub mod node;
mod print;
mod progress;
mod project;
mod render;
mod signals;
mod site;
mod stopwatch;
mod target;
mod transfer;
mod watch;

use std::{ffi::OsString, sync::Arc};

use clap::Parser as _;

use crate::{
    args::{Cli, Command},
    client::Client,
    node::Node,
    print::Printer,
    target::Target,
};

pub use crate::target::CONTROL_URL_FILE;

/// What every command has at hand.
pub(crate) struct Context {
    pub(crate) printer: Printer,
    to: Option<String>,
    pub(crate) node: Arc<dyn Node>,
}

impl Context {
    /// A client of the target.
    pub(crate) fn client(&self) -> exit::Result<Client> {
        Ok(Client::new(Target::find(self.to.as_deref())?))
    }
}

/// Runs one command line, the program's name first, and gives the exit code.
pub async fn run(args: Vec<OsString>, node: Arc<dyn Node>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors, and go to standard output; clap knows which is which.
            let code = if error.use_stderr() { exit::code::USAGE } else { exit::code::DONE };
            drop(error.print());
            return code;
        }
    };
    let context = Context { printer: Printer { json: cli.json }, to: cli.to, node };
    match dispatch(&context, cli.command).await {
        Ok(code) => code,
        Err(failure) => {
            context.printer.failure(&failure);
            failure.exit_code()
        }
    }
}

async fn dispatch(context: &Context, command: Command) -> exit::Result<u8> {
    match command {
        Command::New(args) => commands::new::run(context, &args)?,
        Command::Up(args) => commands::up::run(context, args).await?,
        Command::Server(args) => commands::server::run(context, args).await?,
        Command::Deploy(args) => commands::deploy::run(context, &args).await?,
        Command::Apps(args) => commands::apps::run(context, &args).await?,
        Command::Rollback(args) => commands::rollback::run(context, &args).await?,
        Command::Invoke(args) => return commands::invoke::run(context, &args).await,
        Command::Eval(args) => return commands::eval::run(context, &args).await,
        Command::Logs(args) => commands::logs::run(context, &args).await?,
        Command::Trace(args) => commands::trace::run(context, &args).await?,
        Command::Cost(args) => commands::cost::run(context, &args).await?,
        Command::Replay(args) => return commands::replay::run(context, &args).await,
        Command::Kv(args) => commands::data::kv::run(context, args).await?,
        Command::Queue(args) => commands::data::queue::run(context, args).await?,
        Command::Stream(args) => commands::data::stream::run(context, args).await?,
        Command::Bucket(args) => commands::data::bucket::run(context, args).await?,
        Command::Sql(args) => commands::data::sql::run(context, args).await?,
        Command::Secret(args) => commands::data::secret::run(context, args).await?,
        Command::Cron(args) => commands::data::cron::run(context, args).await?,
        Command::Events(args) => commands::data::events::run(context, args).await?,
        Command::Env(args) => commands::data::env::run(context, args).await?,
        Command::Limits => commands::limits::run(context)?,
        Command::Types(args) => commands::types::run(context, &args)?,
        Command::Config(args) => commands::config::run(context, &args)?,
        Command::Allow(args) => commands::allow::run(context, &args)?,
        Command::Explain(args) => commands::explain::run(context, &args)?,
        Command::Doctor => return commands::doctor::run(context).await,
        Command::Completions(args) => commands::completions::run(&args)?,
        Command::Schema => print::line(&serde_json::to_string_pretty(&manifest::schema()).unwrap_or_default())?,
    }
    Ok(exit::code::DONE)
}

/// The command line's own description, for generating its reference and its completions.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}
