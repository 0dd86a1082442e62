//! Building a Cargo package into a component.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use types::{Code, FunctionName, Problem};

use super::guest_toolchain::{GuestToolchain, TARGET};

/// Builds the package and gives the component's file.
///
/// # Errors
/// `E0309` with the compiler's own words if it does not compile; `E0310` if there is no toolchain.
pub(crate) async fn build(package: &Path, function: &FunctionName) -> Result<PathBuf, Problem> {
    let toolchain = GuestToolchain::find().await?;
    let mut cargo = toolchain.cargo();
    cargo.args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    cargo.current_dir(package).stdin(Stdio::null()).kill_on_drop(true);
    let output = cargo.output().await;
    let output = output
        .map_err(|error| Problem::new(Code::E0310, format!("cargo can't be started: {error}")).help("install Rust: rustup.rs"))?;
    if !output.status.success() {
        let mut problem = Problem::new(Code::E0309, format!("{function} does not build: cargo ended with {}", output.status));
        // One note of many lines: what the compiler drew keeps its columns.
        problem.notes = vec![format!("cargo says:\n    {}", last_lines(&output.stderr, 60).join("\n    "))];
        return Err(problem.help(format!("cd {} && cargo build --target {TARGET}", package.display())));
    }
    component_of(&output.stdout).ok_or_else(|| {
        Problem::new(Code::E0309, format!("{function} builds, but makes no component")).help("[lib]\ncrate-type = [\"cdylib\"]")
    })
}

/// The `.wasm` that cargo says it made last: that of the package itself.
fn component_of(messages: &[u8]) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(messages);
    let mut files = text.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let files = message.get("filenames")?.as_array()?;
        files.iter().filter_map(|file| file.as_str()).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
    });
    files.next_back()
}

/// The end of what a compiler printed, without colour.
fn last_lines(stderr: &[u8], count: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("Compiling ")).collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| (*line).trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_component_is_the_packages_own() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/libdep.rlib\"]}\n",
            "{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/api.wasm\"]}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(component_of(messages.as_bytes()), Some(PathBuf::from("/t/api.wasm")));
        assert_eq!(component_of(b"not json\n"), None);
    }
}
