//! `dayfly explain CODE`: the page of an error, offline.

use serde::Serialize;
use types::{Code, Problem};

use crate::{Context, args::Explain, exit::Result};

/// The pages of `docs/errors`, put into the program when it is built.
mod pages {
    include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));
}

#[derive(Serialize)]
struct Explained {
    code: &'static str,
    title: &'static str,
    page: &'static str,
}

pub(crate) fn run(context: &Context, args: &Explain) -> Result {
    let code: Code = args.code.to_uppercase().parse().map_err(|error: types::problem::UnknownCode| {
        Problem::new(Code::E0709, error.to_string()).help("dayfly explain E0207")
    })?;
    let page = pages::PAGES.iter().find(|(name, _)| *name == code.as_str()).map_or("", |(_, page)| *page);
    let explained = Explained { code: code.as_str(), title: code.title(), page };
    Ok(context.printer.data(
        &explained,
        |Explained { code, title, page }| {
            if page.is_empty() { format!("{code}: {title}") } else { (*page).to_owned() }
        },
    )?)
}
