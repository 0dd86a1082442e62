//! `dayfly config`: the merged manifest, with where each value came from.

use manifest::OriginRow;

use crate::{Context, args::Config, exit::Result, print, project};

pub(crate) fn run(context: &Context, args: &Config) -> Result {
    let loaded = project::load(&args.dir, &project::name(&args.env)?)?;
    Ok(context.printer.data(&loaded.origins, |origins| {
        let line = |OriginRow { key, value, origin }: &OriginRow| vec![key.clone(), value.clone(), format!("# {origin}")];
        print::table(&origins.rows().iter().map(line).collect::<Vec<_>>())
    })?)
}
