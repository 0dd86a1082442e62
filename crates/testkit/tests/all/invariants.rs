//! The rules of this workspace. A rule that is broken names each place and what to do.

use testkit::invariants::{self, Edge, Exception, Only, Sinner, Workspace};
use types::Code;

/// Edges beyond the star. A new one is its own commit and changes ARCHITECTURE.md.
const EDGES: &[Edge] = &[
    Edge { from: "cli", to: "manifest", reason: "commands read and edit a manifest before there is a node to ask" },
    Edge { from: "cli", to: "script", reason: "a script is made where the developer's folder is, before there is a node to ask" },
    Edge {
        from: "control",
        to: "manifest",
        reason: "what comes over the network is judged by the rules that manifests are judged by",
    },
    Edge { from: "control", to: "observe", reason: "the control API serves the views; a trait would only repeat each of them" },
];

/// Libraries that stay behind one border, so that a new version of one rebuilds one crate.
const BORDERS: &[Only] = &[
    Only { library: "wasmtime", crates: &["runtime-wasm"] },
    Only { library: "wasmparser", crates: &["runtime-wasm"] },
    Only { library: "wasm-encoder", crates: &["runtime-wasm"] },
    Only { library: "rusqlite", crates: &["store-embedded"] },
    Only { library: "axum", crates: &["control"] },
    Only { library: "clap", crates: &["cli"] },
    Only { library: "toml_edit", crates: &["manifest"] },
    Only { library: "getrandom", crates: &["system"] },
    Only { library: "oxc_parser", crates: &["script"] },
    Only { library: "oxc_resolver", crates: &["script"] },
    Only { library: "oxc_transformer", crates: &["script"] },
    Only { library: "s3s", crates: &["aws"] },
];

/// Where the machine's clock is read outside `system`.
const CLOCKS: &[Exception] = &[
    Exception { file: "crates/cli/src/stopwatch.rs", reason: "shows a person how long a build took; nothing depends on it" },
    Exception { file: "crates/cli/src/commands/which.rs", reason: "`--since` counts back from when the person typed it" },
];

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// Longer than the rule allows, and only allowed to shrink.
const LONG_FILES: &[Sinner] = &[];
const LONG_FUNCTIONS: &[Sinner] = &[];

fn kept(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn crates_form_a_star() {
    kept(&invariants::star(&Workspace::ours(), EDGES));
}

#[test]
fn heavy_libraries_stay_behind_their_border() {
    kept(&invariants::only_one_names(&Workspace::ours(), BORDERS));
}

#[test]
fn files_stay_short() {
    kept(&invariants::file_sizes(&Workspace::ours(), FILE_LINES_MAX, LONG_FILES));
}

#[test]
fn functions_stay_short() {
    kept(&invariants::function_sizes(&Workspace::ours(), FUNCTION_LINES_MAX, LONG_FUNCTIONS));
}

#[test]
fn every_error_has_its_page() {
    kept(&invariants::error_pages(&Workspace::ours(), Code::ALL));
}

#[test]
fn time_comes_from_the_clock() {
    kept(&invariants::clocks(&Workspace::ours(), CLOCKS));
}

#[test]
fn every_file_says_what_it_owns() {
    kept(&invariants::headers(&Workspace::ours()));
}

#[test]
fn no_test_is_left_out() {
    kept(&invariants::ignored_tests(&Workspace::ours()));
}

#[test]
fn no_file_names_a_folder_of_this_machine() {
    kept(&invariants::machine_paths(&Workspace::ours()));
}
