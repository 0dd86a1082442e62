//! Loading from a real folder.

use std::{fs, path::PathBuf};

use expect_test::expect;
use types::Code;

use crate::support::{env, render};

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dayfly-manifest-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("the folder is ours");
    }
}

#[test]
fn a_folder_and_its_file_load_alike() {
    let folder = Folder::new("alike");
    folder.write("dayfly.toml", b"app = \"a\"\n[fn.api]\npath = \"api\"\n");
    folder.write("api/Cargo.toml", b"");
    folder.write("api/fn.toml", b"record = \"off\"\n");
    let by_folder = manifest::load(&folder.0, &env("dev")).expect("a good manifest");
    let by_file = manifest::load(&folder.0.join("dayfly.toml"), &env("dev")).expect("a good manifest");
    assert_eq!(by_folder, by_file);
    let origin = by_folder.origins.of("fn.api.record").expect("it is set");
    assert!(origin.ends_with("api/fn.toml:1"), "{origin}");
}

#[test]
fn a_folder_without_a_manifest_says_how_to_make_one() {
    let folder = Folder::new("none");
    let problems = manifest::load(&folder.0, &env("dev")).expect_err("there is none");
    let shown = render(&problems).replace(&folder.0.display().to_string(), "DIR");
    expect![[r#"
        error[E0101]: there is no manifest at DIR/dayfly.toml
          = help: write one with an example function:  dayfly new hello
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_file_that_is_no_text_or_too_large_is_refused() {
    let folder = Folder::new("large");
    folder.write("dayfly.toml", b"app = \"\xff\"\n");
    assert_eq!(manifest::load(&folder.0, &env("dev")).expect_err("not UTF-8")[0].code, Code::E0102);
    folder.write("dayfly.toml", &vec![b'#'; 2 << 20]);
    let problems = manifest::load(&folder.0, &env("dev")).expect_err("too large");
    let shown = render(&problems).replace(&folder.0.display().to_string(), "DIR");
    expect![[r#"
        error[E0112]: the manifest is too large: DIR/dayfly.toml over 1 MiB, allowed 1 MiB
          = a manifest holds settings, not data
    "#]]
    .assert_eq(&shown);
}

#[test]
fn the_published_schema_is_the_generated_one() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/dayfly.schema.json");
    let schema = serde_json::to_string_pretty(&manifest::schema()).expect("it is JSON") + "\n";
    expect_test::expect_file![file].assert_eq(&schema);
}
