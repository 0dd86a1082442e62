//! How long files and functions may be. Those that were too long when the rule came are listed, and may only shrink.

use super::{Broken, Workspace, text::functions};

/// A file, or a function as `file::name`, that may stay longer than the rule says: up to this many lines.
pub type Sinner = (&'static str, usize);

/// The distribution that is aimed for: so many of a hundred are at most this long.
struct Aim {
    percent: usize,
    lines: usize,
}

/// No file is longer than `lines_max`, half are at most 150 lines.
#[must_use]
pub fn file_sizes(workspace: &Workspace, lines_max: usize, sinners: &[Sinner]) -> Broken {
    let sizes = workspace.sources.iter().map(|(path, source)| (path.clone(), source.text.lines().count()));
    judge("file", sizes.collect(), lines_max, &Aim { percent: 50, lines: 150 }, sinners)
}

/// No function is longer than `lines_max`, 95 of 100 are at most 40 lines.
#[must_use]
pub fn function_sizes(workspace: &Workspace, lines_max: usize, sinners: &[Sinner]) -> Broken {
    let sizes = workspace.sources.iter().flat_map(|(path, source)| {
        functions(&source.code).into_iter().map(move |function| (format!("{path}::{}", function.name), function.lines))
    });
    judge("function", sizes.collect(), lines_max, &Aim { percent: 95, lines: 40 }, sinners)
}

fn judge(kind: &str, mut sizes: Vec<(String, usize)>, lines_max: usize, aim: &Aim, sinners: &[Sinner]) -> Broken {
    let mut broken = Broken::new();
    for (name, lines) in &sizes {
        let allowed = sinners.iter().find(|(sinner, _)| sinner == name).map_or(lines_max, |(_, lines)| *lines);
        if *lines > allowed {
            broken.push(format!("the {kind} {name} has {lines} lines, allowed {allowed}"));
        }
    }
    for (sinner, listed) in sinners {
        let lines = sizes.iter().find(|(name, _)| name == sinner).map_or(0, |(_, lines)| *lines);
        if lines < *listed {
            broken.push(format!("{sinner} shrank to {lines} lines: write that instead of {listed}, or take it off the list"));
        }
    }
    sizes.sort_by_key(|(_, lines)| *lines);
    if let Some((_, lines)) = sizes.get(sizes.len() * aim.percent / 100).filter(|(_, lines)| *lines > aim.lines) {
        broken.push(format!("{} of 100 {kind}s have up to {lines} lines, aimed for {}", aim.percent, aim.lines));
    }
    broken
}
