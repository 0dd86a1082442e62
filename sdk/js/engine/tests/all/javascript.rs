//! Runs `tests/js/*.test.mjs`, each in a machine of its own.

use std::fs;
use std::thread;

use engine::host::fake::files;
use engine::machine::Machine;

/// QuickJS checks its own stack limit, which has to be reached first.
const STACK_BYTES: usize = 8 << 20;

#[test]
fn every_test_in_javascript_passes() {
    let mut files: Vec<String> = fs::read_dir("tests/js")
        .expect("the folder is part of the crate")
        .map(|entry| entry.expect("a folder can be read").path().to_string_lossy().into_owned())
        .filter(|path| path.ends_with(".test.mjs"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are tests");
    let failures: Vec<String> = files.into_iter().filter_map(|file| run(file).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// A thread of its own has a machine and a host of its own.
fn run(file: String) -> Result<(), String> {
    let body = move || {
        let machine = Machine::new().map_err(|thrown| format!("the prelude threw: {thrown:?}"))?;
        machine
            .run(files::script(&file))
            .map_err(|(failure, thrown)| format!("{file}: {failure:?} {}\n{}", thrown.message, thrown.stack))
    };
    thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(body)
        .expect("a thread can be made")
        .join()
        .unwrap_or_else(|_| Err("panicked".to_owned()))
}
