//! The command line as clap reads it: one place that shows every verb and flag.

mod data;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::data::{
    Bucket, BucketVerb, Cron, CronVerb, Env, Events, EventsVerb, Kv, KvVerb, Listed, Of, Queue, QueueVerb, Secret, SecretVerb,
    Sql, SqlVerb, Stream, StreamVerb, Tools,
};

/// A serverless cloud in one binary.
#[derive(Debug, Parser)]
#[command(
    name = "dayfly",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  dayfly new hello && cd hello && dayfly up\n  dayfly trace last\n  dayfly deploy --to https://apps.example.com --yes"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print JSON: one object, or one a line where there are many
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The target: a name from the targets file or the URL of a control API [default: the node of this folder]
    #[arg(long, global = true, value_name = "TARGET", env = "DAYFLY_TARGET", hide_env_values = true)]
    pub(crate) to: Option<String>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new app in a new folder
    New(New),
    /// Run the app of a folder: build, serve, watch, reload
    Up(Up),
    /// Run a node for many apps
    Server(Server),
    /// Deploy the app of a folder as a new revision
    Deploy(Deploy),
    /// List what is deployed, or the revisions of one app
    Apps(Apps),
    /// Serve an earlier revision again
    Rollback(Rollback),
    /// Call a function
    Invoke(Invoke),
    /// Run an expression in the environment of a JavaScript function
    Eval(Eval),
    /// Show log lines
    Logs(Logs),
    /// Show what one request did, or list requests
    Trace(Trace),
    /// Show what it cost
    Cost(Cost),
    /// Run a recorded request again, offline
    Replay(Replay),
    /// Look at and change key-value stores
    Kv(Kv),
    /// Look at queues, send messages, send dead letters back
    Queue(Queue),
    /// Look at streams and append records
    Stream(Stream),
    /// List buckets, copy objects, make links
    Bucket(Bucket),
    /// Run SQL, dump and restore databases
    Sql(Sql),
    /// Set, list and remove secrets
    Secret(Secret),
    /// Look at schedules and run them now
    Cron(Cron),
    /// Publish events and look at them
    Events(Events),
    /// Print environment variables for other tools
    Env(Env),
    /// Print every limit
    Limits,
    /// Write TypeScript declarations of what functions get
    Types(Types),
    /// Print the merged manifest and where each value comes from
    Config(Config),
    /// Let a function call a host
    Allow(Allow),
    /// Explain an error code
    Explain(Explain),
    /// Say what this machine lacks, and how to get it
    Doctor,
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manifest's JSON schema
    Schema,
}

/// `new`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly new hello\n  dayfly new hello --ts\n  dayfly new hello --wasm component.wasm")]
pub(crate) struct New {
    /// The app's name, and the folder's
    pub(crate) name: String,
    /// The language of its function [default: js]
    #[arg(long, value_enum, conflicts_with = "wasm")]
    pub(crate) lang: Option<Lang>,
    /// TypeScript, with declarations for editors: --lang ts
    #[arg(long, conflicts_with_all = ["lang", "wasm"])]
    pub(crate) ts: bool,
    /// A component that is ready
    #[arg(long, value_name = "FILE")]
    pub(crate) wasm: Option<PathBuf>,
}

/// What a new app's function is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// JavaScript: one file, nothing to install.
    Js,
    /// TypeScript: the same with types.
    Ts,
    /// A Rust component.
    Rust,
}

/// `up`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly up\n  dayfly up examples/hello --listen 127.0.0.1:8080\n  dayfly up --no-watch --json"
)]
pub(crate) struct Up {
    /// The app's folder
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The environment
    #[arg(long, default_value = "dev")]
    pub(crate) env: String,
    /// Where requests are served
    #[arg(long, default_value = crate::node::GATEWAY_ADDR)]
    pub(crate) listen: SocketAddr,
    /// Where the control API is served
    #[arg(long, default_value = crate::node::CONTROL_ADDR)]
    pub(crate) control: SocketAddr,
    /// Where AWS clients are served
    #[arg(long, default_value = crate::node::AWS_ADDR)]
    pub(crate) aws: SocketAddr,
    /// Build and deploy once: don't watch for changes
    #[arg(long)]
    pub(crate) no_watch: bool,
}

/// `server`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dayfly server --data /var/lib/dayfly --listen 0.0.0.0:80 --domain apps.example.com")]
pub(crate) struct Server {
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = "/var/lib/dayfly")]
    pub(crate) data: PathBuf,
    /// Where requests are served
    #[arg(long, default_value = crate::node::GATEWAY_ADDR)]
    pub(crate) listen: SocketAddr,
    /// Where the control API is served
    #[arg(long, default_value = crate::node::CONTROL_ADDR)]
    pub(crate) control: SocketAddr,
    /// Where AWS clients are served
    #[arg(long, default_value = crate::node::AWS_ADDR)]
    pub(crate) aws: SocketAddr,
    /// Apps answer below this domain, as <app>.<domain>
    #[arg(long)]
    pub(crate) domain: Option<String>,
}

/// `deploy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly deploy --plan\n  dayfly deploy --to https://apps.example.com --yes")]
pub(crate) struct Deploy {
    /// The app's folder
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The environment [default: dev on this folder's node, else prod]
    #[arg(long)]
    pub(crate) env: Option<String>,
    /// Deploy without asking
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Show the plan and stop
    #[arg(long, conflicts_with = "yes")]
    pub(crate) plan: bool,
    /// Delete the data of a resource that is used no more, such as kv.sessions
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) drop: Vec<types::Resource>,
    /// Leave the data of a resource that is used no more where it is
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) keep: Vec<types::Resource>,
}

/// `apps`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly apps\n  dayfly apps shop --env prod")]
pub(crate) struct Apps {
    /// The app whose revisions are listed
    pub(crate) app: Option<String>,
    /// The environment [default: dev on this folder's node, else prod]
    #[arg(long, requires = "app")]
    pub(crate) env: Option<String>,
}

/// `rollback`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly rollback\n  dayfly rollback shop --env prod --revision 12")]
pub(crate) struct Rollback {
    /// The app [default: the app of this folder]
    pub(crate) app: Option<String>,
    /// The environment [default: dev on this folder's node, else prod]
    #[arg(long)]
    pub(crate) env: Option<String>,
    /// The revision to serve [default: the one before]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) revision: Option<u32>,
}

/// `invoke`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly invoke api --path /ada\n  dayfly invoke shop/api -X POST --path /orders --body @order.json"
)]
pub(crate) struct Invoke {
    /// APP/FUNCTION, or FUNCTION of the app of this folder
    pub(crate) function: String,
    /// The environment [default: dev on this folder's node, else prod]
    #[arg(long)]
    pub(crate) env: Option<String>,
    /// The request's method
    #[arg(long, short = 'X', default_value = "GET")]
    pub(crate) method: String,
    /// The request's path and query
    #[arg(long, default_value = "/")]
    pub(crate) path: String,
    /// A header field, as `name: value`; may be given more than once
    #[arg(long = "header", short = 'H', value_name = "FIELD")]
    pub(crate) headers: Vec<String>,
    /// The body; `-` reads it from standard input, `@FILE` from a file
    #[arg(long, short)]
    pub(crate) body: Option<String>,
}

/// `eval`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly eval 'await env.kv.sessions.keys().next()'\n  dayfly eval --fn shop/api 'Object.keys(env)'\n  dayfly eval - < script.js\n  dayfly eval < one-after-the-other.js"
)]
pub(crate) struct Eval {
    /// An expression, which may await, or statements; `-` reads it from standard input. Without it, one after the other, each an invocation
    /// of its own in a fresh instance: variables don't last
    #[arg(value_name = "EXPRESSION")]
    pub(crate) code: Option<String>,
    /// APP/FUNCTION, or FUNCTION of the app of this folder [default: its only one in JavaScript]
    #[arg(long = "fn", value_name = "FUNCTION")]
    pub(crate) function: Option<String>,
    /// The environment [default: dev on this folder's node, else prod]
    #[arg(long)]
    pub(crate) env: Option<String>,
}

/// `types`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly types\n  dayfly types examples/shop")]
pub(crate) struct Types {
    /// The app's folder
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The environment
    #[arg(long, default_value = "dev")]
    pub(crate) env: String,
}

/// Which requests or lines are wanted.
#[derive(Debug, Args, Default)]
pub(crate) struct Which {
    /// APP or APP/FUNCTION
    pub(crate) of: Option<String>,
    /// Of this environment
    #[arg(long)]
    pub(crate) env: Option<String>,
    /// Not older than this: 90s, 15m, 1h, 7d
    #[arg(long, value_name = "SPAN", default_value = "1d")]
    pub(crate) since: String,
    /// Only with this outcome: error, ok, or an HTTP status
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Containing this text
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// Of this revision
    #[arg(long, value_name = "NUMBER")]
    pub(crate) revision: Option<u32>,
    /// Of this trace
    #[arg(long, value_name = "ID")]
    pub(crate) trace: Option<String>,
    /// At most so many
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) limit: Option<usize>,
}

/// `logs`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly logs --since 1h --level warn\n  dayfly logs shop/api --follow | jq .text")]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// At least this grave: trace, debug, info, warn, error, critical
    #[arg(long)]
    pub(crate) level: Option<String>,
    /// Go on with lines as they are written
    #[arg(long, short)]
    pub(crate) follow: bool,
}

/// `trace`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly trace last\n  dayfly trace 7f3a\n  dayfly trace --list --status error --since 1h")]
pub(crate) struct Trace {
    /// `last`, or the id of a trace or an invocation, or the beginning of one
    #[arg(default_value = "last", conflicts_with = "list")]
    pub(crate) id: String,
    /// List requests instead
    #[arg(long, short)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) which: ListWhich,
}

/// Filters of `trace --list`.
#[derive(Debug, Args)]
pub(crate) struct ListWhich {
    /// APP or APP/FUNCTION
    #[arg(long, value_name = "APP", requires = "list")]
    pub(crate) of: Option<String>,
    /// Of this environment
    #[arg(long, requires = "list")]
    pub(crate) env: Option<String>,
    /// Not older than this: 90s, 15m, 1h, 7d
    #[arg(long, value_name = "SPAN", default_value = "1d")]
    pub(crate) since: String,
    /// Only with this outcome: error, ok, or an HTTP status
    #[arg(long, requires = "list")]
    pub(crate) status: Option<String>,
    /// At least this slow: 200ms, 1s
    #[arg(long, value_name = "SPAN", requires = "list")]
    pub(crate) slower: Option<String>,
    /// At most so many
    #[arg(long, short = 'n', value_name = "COUNT", requires = "list")]
    pub(crate) limit: Option<usize>,
}

/// `cost`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly cost\n  dayfly cost shop --by day --since 7d")]
pub(crate) struct Cost {
    /// APP or APP/FUNCTION
    pub(crate) of: Option<String>,
    /// Of this environment
    #[arg(long)]
    pub(crate) env: Option<String>,
    /// What the rows are
    #[arg(long, value_enum, default_value = "fn")]
    pub(crate) by: CostBy,
    /// Not older than this: 1h, 7d
    #[arg(long, value_name = "SPAN", default_value = "30d")]
    pub(crate) since: String,
}

/// What the rows of a cost table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CostBy {
    /// Functions.
    Fn,
    /// Apps.
    App,
    /// Days.
    Day,
}

/// `replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly replay last\n  dayfly replay 81bc --with api/target/wasm32-wasip2/release/api.wasm\n  dayfly replay 81bc --with src/api.ts\n  dayfly replay 81bc --export failure.dayfly"
)]
pub(crate) struct Replay {
    /// The invocation's id, or the beginning of its id or its trace's; `last` is the last failure that was recorded
    #[arg(required_unless_present = "from")]
    pub(crate) id: Option<String>,
    /// Replay from an exported file instead
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    pub(crate) from: Option<PathBuf>,
    /// Run another component, or another JavaScript or TypeScript file, against the record
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,
    /// Stop before this step of the record
    #[arg(long, value_name = "STEP")]
    pub(crate) until: Option<u32>,
    /// Write the record and its component to a file, in clear, and don't replay
    #[arg(long, value_name = "FILE", conflicts_with_all = ["with", "until", "from"])]
    pub(crate) export: Option<PathBuf>,
}

/// `config`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dayfly config --env prod")]
pub(crate) struct Config {
    /// The app's folder
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The environment
    #[arg(long, default_value = "dev")]
    pub(crate) env: String,
}

/// `allow`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dayfly allow api https://api.example.com")]
pub(crate) struct Allow {
    /// The function
    pub(crate) function: String,
    /// The host, with its scheme: https://api.example.com
    pub(crate) host: String,
    /// The app's folder
    #[arg(long, default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dayfly explain E0207")]
pub(crate) struct Explain {
    /// The code, such as E0207
    pub(crate) code: String,
}

/// `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dayfly completions bash > /etc/bash_completion.d/dayfly")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
