//! What the documents must say.

use std::collections::BTreeSet;

use types::Code;

use super::{Broken, Workspace, children, name_of, read};

/// A page with less than this says nothing.
const PAGE_BYTES_MIN: usize = 120;

/// Each code has a page in `docs/errors/` whose heading names it and its title, and each page has a code.
#[must_use]
pub fn error_pages(workspace: &Workspace, codes: &[Code]) -> Broken {
    let folder = workspace.root.join("docs/errors");
    let pages = children(&folder).into_iter().map(|page| name_of(&page)).filter(|name| name.starts_with('E'));
    let mut orphans: BTreeSet<String> = pages.collect();
    let mut broken = Broken::new();
    for code in codes {
        let name = format!("{code}.md");
        if !orphans.remove(&name) {
            broken.push(format!("docs/errors/{name} is missing"));
            continue;
        }
        let page = read(&folder.join(&name));
        let heading = page.lines().next().unwrap_or_default();
        if !heading.starts_with("# ") || !heading.contains(code.as_str()) || !heading.contains(code.title()) {
            broken.push(format!("docs/errors/{name} must open with \"# {code}\" and \"{}\"", code.title()));
        }
        if page.len() < PAGE_BYTES_MIN {
            broken.push(format!("docs/errors/{name} says nothing"));
        }
    }
    broken.extend(orphans.into_iter().map(|name| format!("docs/errors/{name} is a page for no code")));
    broken
}
