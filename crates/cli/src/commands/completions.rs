//! `dayfly completions SHELL`.

use crate::{args::Completions, exit::Result};

pub(crate) fn run(args: &Completions) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "dayfly", &mut script);
    Ok(crate::print::line(&String::from_utf8_lossy(&script))?)
}
