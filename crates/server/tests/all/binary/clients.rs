//! The S3 clients that people use against a whole node, with a key that the node issued: what they store lies on the disk.
//! `cargo xtask clients` installs them; one that is not there fails its test.

use std::process::Command;

use super::support::{Folder, Node, assert_has, repository};

/// Runs a script of `tests/clients` in an empty folder against a node of its own.
fn run(script: &str) -> (Node, [Folder; 2]) {
    let (data, app) = (Folder::new(), Folder::app("shop", "rust-wasip2", "uses = [\"bucket.uploads\"]"));
    let node = Node::server(data.path(), &[]);
    node.deploy(app.path());
    let key = node.cli_in(app.path(), &["env", "aws", "--json"]).expect_done().json();
    let text = |name: &str| key[name].as_str().expect("a text").to_owned();
    let (root, work) = (repository(), Folder::new());
    let python = root.join("target/clients/bin/python");
    assert!(python.exists(), "{} is missing: run `cargo xtask clients`", python.display());
    // Nothing of the machine's own settings, keys and proxies reaches the clients. The script bounds its own time.
    let mut command = Command::new(python);
    command.arg("-B").arg(root.join("tests/clients").join(script)).current_dir(work.path()).env_clear();
    for name in ["PATH", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("HOME", work.path()).env("PYTHONUTF8", "1").env("AWS_DEFAULT_REGION", "us-east-1");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("DAYFLY_BUCKET", "uploads").env("DAYFLY_S3", text("endpoint_url"));
    command.env("AWS_ACCESS_KEY_ID", text("id")).env("AWS_SECRET_ACCESS_KEY", text("secret"));
    let done = command.output().expect("python starts");
    let (told, wrong) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{script}: {}\n{told}\n{wrong}\nnode:\n{}", done.status, node.stderr());
    assert_has(&told, "as it should be");
    (node, [data, app])
}

#[test]
fn boto3_does_what_applications_do_with_it() {
    run("s3_boto3.py");
}

#[test]
fn the_aws_command_line_does_what_people_type() {
    run("s3_awscli.py");
}

#[test]
fn rclone_syncs_both_ways_and_finds_both_sides_equal() {
    run("s3_rclone.py");
}

#[test]
fn s3cmd_syncs_both_ways() {
    run("s3_s3cmd.py");
}
