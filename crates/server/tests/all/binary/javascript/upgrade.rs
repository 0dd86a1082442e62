//! A new version of the engine: what an earlier one left is of no use, and everything is made again behind requests that do not fail.

use std::{fmt::Write as _, fs, path::PathBuf, thread};

use super::super::support::{Folder, Node, eventually};

const FUNCTIONS: usize = 120;
const CALLERS: usize = 4;

/// The folders of images, a folder for each engine.
fn images(data: &Folder) -> Vec<PathBuf> {
    let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = entries(data.file("aot")).filter(|path| path.is_dir()).flat_map(entries);
    below.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("js-"))).collect()
}

fn count(folder: &PathBuf) -> usize {
    fs::read_dir(folder)
        .map_or(0, |entries| entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "image")).count())
}

#[test]
fn every_function_is_made_again_for_another_engine_without_a_failed_request() {
    let folder = Folder::new();
    let mut manifest = String::from("app = \"many\"\n");
    for number in 0..FUNCTIONS {
        folder.write(
            &format!("f{number}.js"),
            format!("const n = {number};\nexport default {{ fetch: () => new Response(`function ${{n}}`) }};\n"),
        );
        writeln!(manifest, "[fn.f{number}]\npath = \"f{number}.js\"\nroute = \"/f{number}\"").expect("a string grows");
    }
    folder.write("dayfly.toml", manifest);
    let data = Folder::new();
    let node = Node::server(data.path(), &[]);
    node.deploy(folder.path());
    assert_eq!(node.stop(), 0);
    // As if all that is there came from another engine: images lie in a folder that has its engine's name.
    let own = images(&data).pop().expect("images are kept");
    assert_eq!(count(&own), FUNCTIONS);
    let other = own.with_file_name("js-00000000000000000000000000000000");
    fs::rename(&own, &other).expect("the folder is ours");

    let node = Node::server(data.path(), &[]);
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let node = &node;
            scope.spawn(move || {
                for number in (0..FUNCTIONS).rev().skip(caller).step_by(CALLERS) {
                    assert_eq!(node.get(&format!("/f{number}")).expect(200).text(), format!("function {number}"));
                }
            });
        }
    });
    eventually("all are made and kept again", || (count(&own) == FUNCTIONS).then_some(()));
    eventually("what the other engine left is gone", || (!other.exists()).then_some(()));
    // One that is damaged is made again when it is called.
    assert_eq!(node.stop(), 0);
    let one = fs::read_dir(&own).expect("it is there").flatten().next().expect("an image").path();
    fs::write(&one, b"damaged").expect("the folder is ours");
    let node = Node::server(data.path(), &[]);
    for number in 0..FUNCTIONS {
        assert_eq!(node.get(&format!("/f{number}")).expect(200).text(), format!("function {number}"));
    }
    assert!(fs::read(&one).expect("it is there").len() > 100, "the damaged one was made again");
    assert_eq!(node.stop(), 0);
}
