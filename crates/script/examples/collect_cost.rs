//! What making a script costs: `cargo run -p script --example collect_cost -- FILE`.
//!
//! Prints the script's size, and the time for the first walk, for one with nothing changed, and for one after the entry was saved again.

use std::{path::Path, time::Instant};

use script::Collector;
use types::{App, Build, Function, Problem};

#[expect(clippy::disallowed_methods, reason = "it measures, and shows what it measured")]
fn main() {
    let entry = std::env::args().nth(1).expect("a file");
    let entry = Path::new(&entry);
    let root = entry.parent().expect("a folder");
    let app = App::empty("app".parse().expect("a name"), "dev".parse().expect("a name"));
    let function = Function::empty("api".parse().expect("a name"), "api".into(), Build::Script);
    let mut collector = Collector::new();
    for what in ["first", "again", "again", "saved", "saved"] {
        if what == "saved" {
            let text = std::fs::read(entry).expect("the entry");
            std::fs::write(entry, text).expect("saved");
        }
        let began = Instant::now();
        match collector.collect(entry, root, &app, &function) {
            Ok(collected) => {
                let walked = began.elapsed();
                let artifact = collected.artifact();
                let (modules, bytes) = (collected.modules.len(), artifact.len());
                println!("{what}: {modules} modules, {bytes} bytes, walk {walked:?}, whole {:?}", began.elapsed());
            }
            Err(problems) => {
                print!("{}", problems.iter().map(Problem::render).collect::<String>());
                std::process::exit(1);
            }
        }
    }
}
