//! What a node is set to: the caller's options, the defaults, and the few settings that only matter to operators and tests.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, thread};

use cli::node::NodeOptions;
use types::{PriceSheet, revision::AppKey};

/// Version of dayfly.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The first argument that makes this program the compiler's child instead of the command line.
pub const COMPILE_CHILD: &str = "compile-component";
/// Filters what is logged to standard error, in the form `warn,invoke=debug`.
pub const LOG_VARIABLE: &str = "DAYFLY_LOG";

/// Everything that a node is set to. No `Default`: whoever adds a field decides on it here.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where the gateway listens.
    pub gateway_addr: SocketAddr,
    /// Where the control API listens.
    pub control_addr: SocketAddr,
    /// Where AWS clients are served.
    pub aws_addr: SocketAddr,
    /// The token of the control API, if the caller gives one.
    pub token: Option<String>,
    /// The app that answers to hosts which no app names.
    pub default_app: Option<AppKey>,
    /// The domain below which apps answer.
    pub domain: Option<String>,
    /// What usage costs.
    pub prices: PriceSheet,
    /// The program that compiles components when called with [`COMPILE_CHILD`].
    pub compiler: PathBuf,
    /// Threads of each lane.
    pub lane_threads: usize,
}

impl Settings {
    /// The caller's options with this machine's defaults. `compiler` is this very program, wherever it lies.
    #[must_use]
    pub fn new(options: NodeOptions, compiler: PathBuf) -> Self {
        let NodeOptions { data_dir, gateway_addr, control_addr, aws_addr, token, default_app, domain } = options;
        let lane_threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let prices = PriceSheet::default();
        Self { data_dir, gateway_addr, control_addr, aws_addr, token, default_app, domain, prices, compiler, lane_threads }
    }
}
