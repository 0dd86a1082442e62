//! From a path or a text to the loaded manifest.

use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use toml::de::DeTable;
use types::{App, ByteCount, Code, EnvName, Problem, limits, place};

use crate::{
    FILE_NAME, check,
    files::{Disk, Files},
    grammar::ROOT,
    leaf, model,
    origins::Origins,
    source::{At, Sources},
    tree::Table,
};

/// A manifest, merged for one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The model.
    pub app: App,
    /// Where each of its values came from.
    pub origins: Origins,
}

/// Loads the manifest of a folder, or a manifest by its own path, for one environment.
///
/// # Errors
/// Every problem of the manifest, in the order of its lines: `E0101` to `E0112`, and `E0301` for code that is not there.
pub fn load(dir_or_file: &Path, env: &EnvName) -> Result<Loaded, Vec<Problem>> {
    let file = if dir_or_file.is_dir() { dir_or_file.join(FILE_NAME) } else { dir_or_file.to_owned() };
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    let shown = file.strip_prefix(".").unwrap_or(&file).display().to_string();
    let source = read(&file, &shown).map_err(|problem| vec![problem])?;
    parse(&source, &shown, env, &Disk(folder))
}

fn read(file: &Path, shown: &str) -> Result<String, Problem> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Problem::new(Code::E0101, format!("there is no manifest at {shown}"))
            .help("write one with an example function:  dayfly new hello"),
        _ => Problem::new(Code::E0101, format!("the manifest at {shown} can't be read: {error}")),
    };
    let mut bytes = Vec::new();
    fs::File::open(file).and_then(|file| file.take(limits::MANIFEST.0 + 1).read_to_end(&mut bytes)).map_err(failed)?;
    check_size(bytes.len(), shown)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Problem::new(Code::E0102, format!("{shown} is not UTF-8: the byte at offset {at} is no text"))
    })
}

fn check_size(bytes: usize, shown: &str) -> Result<(), Problem> {
    let bytes = ByteCount(bytes as u64);
    if bytes <= limits::MANIFEST {
        return Ok(());
    }
    let measured = if bytes.0 == limits::MANIFEST.0 + 1 { format!("over {}", limits::MANIFEST) } else { bytes.to_string() };
    Err(Problem::limit(Code::E0112, shown, measured, limits::MANIFEST).note("a manifest holds settings, not data"))
}

/// Reads a manifest's text for one environment. `file_name` is how problems name it; `files` are the files around it.
///
/// # Errors
/// Every problem of the text, as [`load`] gives them.
pub fn parse(source: &str, file_name: &str, env: &EnvName, files: &dyn Files) -> Result<Loaded, Vec<Problem>> {
    let mut sources = Sources::default();
    let root = read_table(&mut sources, file_name, source).map_err(printable)?;
    let mut problems = check::table(&sources, &ROOT, &root, "");
    let made = model::make(&mut sources, &root, env, files);
    problems.extend(made.problems);
    match made.loaded {
        Some(loaded) if problems.is_empty() => Ok(loaded),
        _ => {
            problems
                .sort_by_key(|problem| problem.place.as_ref().map(|place| (place.file != file_name, place.line, place.column)));
            problems.truncate(PROBLEMS);
            Err(printable(problems))
        }
    }
}

/// The most problems that are told at once; who mends those finds the rest.
const PROBLEMS: usize = 100;

/// Problems quote what a person wrote, in many places; none of it may steer a terminal.
pub(crate) fn printable(mut problems: Vec<Problem>) -> Vec<Problem> {
    let clean = |text: &mut String| {
        if text.contains(char::is_control) {
            *text = text.chars().map(place::printable).collect();
        }
    };
    for problem in &mut problems {
        clean(&mut problem.message);
        problem.notes.iter_mut().for_each(clean);
        problem.help.iter_mut().for_each(clean);
    }
    problems
}

/// A text as a table.
///
/// # Errors
/// `E0112` if it is too large, `E0102` for each place that is not TOML.
pub(crate) fn read_table(sources: &mut Sources, name: &str, text: &str) -> Result<Table, Vec<Problem>> {
    check_size(text.len(), name).map_err(|problem| vec![problem])?;
    let file = sources.add(name.to_owned(), text.to_owned());
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(Table::from_toml(file, table.get_ref()));
    }
    // One slip can break every line after it: the first few tell all there is to know.
    const SHOWN: usize = 5;
    let problem = |error: &toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        let message = format!("{name} is not TOML: {}", error.message().trim().replace('\n', ", "));
        let bare = error.message().contains("must be quoted").then(|| text.get(span.clone())).flatten();
        let bare = bare.filter(|bare| !bare.contains(['"', '\'', '[', '{']));
        let at = At { file, start: span.start, end: span.end };
        let mut problem = Problem::new(Code::E0102, message).at(sources.place(at));
        problem.help = bare.and_then(|bare| sources.mended(at, &leaf::quote(bare)));
        problem
    };
    let mut errors: Vec<_> = errors.iter().take(SHOWN).collect();
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    Err(errors.into_iter().map(problem).collect())
}
