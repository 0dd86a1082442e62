//! The verbs for an app's data.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Which app's data.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The app [default: the app of this folder]
    #[arg(long, global = true)]
    pub(crate) app: Option<String>,
    /// The environment [default: dev on this folder's node, else prod]
    #[arg(long, global = true)]
    pub(crate) env: Option<String>,
}

/// Which part of a listing.
#[derive(Debug, Args)]
pub(crate) struct Listed {
    /// Only what begins with this
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// Only what comes after this
    #[arg(long)]
    pub(crate) after: Option<String>,
    /// At most so many
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 100)]
    pub(crate) limit: usize,
}

/// `kv`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly kv ls sessions --prefix user/\n  dayfly kv put sessions user/ada '{\"cart\":[]}' --expire 1h\n  dayfly kv get sessions user/ada"
)]
pub(crate) struct Kv {
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(subcommand)]
    pub(crate) verb: KvVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KvVerb {
    /// List stores, or the entries of one
    Ls {
        /// The store
        store: Option<String>,
        #[command(flatten)]
        listed: Listed,
    },
    /// Print a value
    Get {
        /// The store
        store: String,
        /// The key
        key: String,
    },
    /// Write a value
    Put {
        /// The store
        store: String,
        /// The key
        key: String,
        /// The value; `-` reads it from standard input, `@FILE` from a file
        value: String,
        /// How long it lives: 90s, 15m, 1h, 7d
        #[arg(long, value_name = "SPAN")]
        expire: Option<String>,
        /// Only if it was last written at this revision; 0: only if it is not there
        #[arg(long, value_name = "REV")]
        if_rev: Option<u64>,
    },
    /// Remove an entry
    Rm {
        /// The store
        store: String,
        /// The key
        key: String,
    },
}

/// `queue`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly queue ls\n  dayfly queue send orders '{\"id\":7}'\n  dayfly queue dead orders\n  dayfly queue redrive orders"
)]
pub(crate) struct Queue {
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(subcommand)]
    pub(crate) verb: QueueVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueueVerb {
    /// List queues and how each is doing
    Ls,
    /// Show messages without taking them, oldest first
    Peek {
        /// The queue
        queue: String,
        #[command(flatten)]
        listed: Listed,
    },
    /// Send a message
    Send {
        /// The queue
        queue: String,
        /// The body; `-` reads it from standard input, `@FILE` from a file
        body: String,
        /// Not delivered before this has passed: 90s, 15m
        #[arg(long, value_name = "SPAN")]
        delay: Option<String>,
        /// Messages of one group are delivered in order
        #[arg(long)]
        group: Option<String>,
        /// Messages with the same key within five minutes are one
        #[arg(long, value_name = "KEY")]
        dedup: Option<String>,
    },
    /// Remove every message
    Purge {
        /// The queue
        queue: String,
        /// Remove without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Show dead letters: those of a queue, of a function, or in a queue of dead letters
    Dead {
        /// The queue
        queue: String,
        #[command(flatten)]
        listed: Listed,
    },
    /// Send dead letters back to where they came from
    Redrive {
        /// The queue that they came from, or the queue of dead letters
        queue: String,
        /// At most so many
        #[arg(long, short = 'n', value_name = "COUNT")]
        max: Option<usize>,
    },
}

/// `stream`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly stream ls\n  dayfly stream append clicks '{\"page\":\"/\"}' --key ada\n  dayfly stream tail clicks --follow"
)]
pub(crate) struct Stream {
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(subcommand)]
    pub(crate) verb: StreamVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StreamVerb {
    /// List streams, their partitions, and how far behind each consumer is
    Ls,
    /// Show the newest records
    Tail {
        /// The stream
        stream: String,
        /// So many of the newest, a partition
        #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 10)]
        last: u64,
        /// Go on with records as they are appended
        #[arg(long, short)]
        follow: bool,
    },
    /// Append a record
    Append {
        /// The stream
        stream: String,
        /// The body; `-` reads it from standard input, `@FILE` from a file
        body: String,
        /// Records of one key go to one partition
        #[arg(long)]
        key: Option<String>,
    },
}

/// `bucket`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly bucket ls uploads/2026/\n  dayfly bucket cp cat.jpg bucket:uploads/cat.jpg\n  dayfly bucket presign uploads/cat.jpg --expires 1h"
)]
pub(crate) struct Bucket {
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(subcommand)]
    pub(crate) verb: BucketVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BucketVerb {
    /// List buckets, or the objects of one
    Ls {
        /// BUCKET or BUCKET/PREFIX
        place: Option<String>,
        /// Every object below, not only this level
        #[arg(long, short)]
        recursive: bool,
    },
    /// Copy a file to a bucket or an object to a file
    Cp {
        /// A file, or bucket:BUCKET/KEY
        source: String,
        /// A file or folder, or bucket:BUCKET/KEY
        target: String,
    },
    /// Remove an object
    Rm {
        /// BUCKET/KEY
        place: String,
    },
    /// Print a link to an object that holds for a while
    Presign {
        /// BUCKET/KEY
        place: String,
        /// How long it holds: 15m, 1h, 7d
        #[arg(long, value_name = "SPAN", default_value = "1h")]
        expires: String,
        /// For writing the object instead of reading it
        #[arg(long)]
        put: bool,
    },
}

/// `sql`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly sql exec shop 'select * from orders limit 5'\n  dayfly sql shell shop\n  dayfly sql dump shop --output shop.sqlite"
)]
pub(crate) struct Sql {
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(subcommand)]
    pub(crate) verb: SqlVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SqlVerb {
    /// List databases
    Ls,
    /// Run statements line by line
    Shell {
        /// The database
        database: String,
        /// Allow statements that write
        #[arg(long, short)]
        write: bool,
    },
    /// Run one statement
    Exec {
        /// The database
        database: String,
        /// The statement; `-` reads it from standard input, `@FILE` from a file
        sql: String,
        /// Its parameters, by position: JSON values, anything else is text
        parameters: Vec<String>,
        /// Allow it to write
        #[arg(long, short)]
        write: bool,
    },
    /// Write the whole database to a file
    Dump {
        /// The database
        database: String,
        /// The file [default: standard output]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Replace the whole database by a file
    Restore {
        /// The database
        database: String,
        /// The file
        file: PathBuf,
        /// Replace without asking
        #[arg(long, short)]
        yes: bool,
    },
}

/// `secret`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly secret set STRIPE_KEY < key.txt\n  dayfly secret ls\n  dayfly secret rm STRIPE_KEY")]
pub(crate) struct Secret {
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(subcommand)]
    pub(crate) verb: SecretVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretVerb {
    /// Set a secret to what standard input holds, without a last line break
    Set {
        /// Its name
        name: String,
    },
    /// List secrets, without their values
    Ls,
    /// Remove a secret
    Rm {
        /// Its name
        name: String,
    },
    /// Seal every secret of the node under a new key; values stay as they are
    Rotate,
}

/// `cron`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dayfly cron ls\n  dayfly cron run report")]
pub(crate) struct Cron {
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(subcommand)]
    pub(crate) verb: CronVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CronVerb {
    /// List schedules: last and next times
    Ls,
    /// Start a function as its schedule would, now
    Run {
        /// The function
        function: String,
    },
}

/// `events`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dayfly events send order.created '{\"id\":7}' --subject orders/7\n  dayfly events tail --follow"
)]
pub(crate) struct Events {
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(subcommand)]
    pub(crate) verb: EventsVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventsVerb {
    /// Publish an event
    Send {
        /// What happened
        kind: String,
        /// What it says; `-` reads it from standard input, `@FILE` from a file
        data: Option<String>,
        /// What it is about
        #[arg(long)]
        subject: Option<String>,
        /// The media type of the data
        #[arg(long, default_value = "application/json")]
        content_type: String,
        /// The bus
        #[arg(long)]
        bus: Option<String>,
    },
    /// Show the newest events
    Tail {
        /// So many of the newest
        #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 10)]
        last: u64,
        /// Go on with events as they are published
        #[arg(long, short)]
        follow: bool,
        /// The bus
        #[arg(long)]
        bus: Option<String>,
    },
}

/// `env`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  eval \"$(dayfly env aws)\" && aws s3 ls")]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) of: Of,
    /// For which tools
    #[arg(value_enum)]
    pub(crate) tools: Tools,
    /// Keys that may only read
    #[arg(long)]
    pub(crate) read_only: bool,
}

/// Tools that are set by environment variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tools {
    /// The AWS command line and SDKs.
    Aws,
}
