//! The clients that people use, unmodified: boto3, the AWS command line, rclone, s3cmd. `cargo xtask clients` installs them; a client that
//! is not there fails its test.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use aws::{S3Limits, Verification};

use crate::rig::Endpoint;

/// Runs a script of `tests/clients` in an empty folder against an endpoint of its own.
async fn run(script: &'static str) {
    let node = Endpoint::with(Verification::On, S3Limits::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/clients/bin/python");
    assert!(python.exists(), "{} is missing: run `cargo xtask clients`", python.display());
    let mut command = command(&python, &root.join("tests/clients").join(script), folder.path());
    command.env("DAYFLY_S3", format!("http://{}", node.address)).env("DAYFLY_BUCKET", "uploads");
    command
        .env("AWS_ACCESS_KEY_ID", &node.key.id)
        .env("AWS_SECRET_ACCESS_KEY", String::from_utf8_lossy(&node.key.secret.0).as_ref());
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output()).await.expect("a run").expect("python starts");
    let (told, wrong) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{script}: {status}\n{told}\n{wrong}");
}

/// Nothing of the machine's own settings, keys and proxies reaches the clients.
fn command(python: &Path, script: &Path, folder: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg("-B").arg(script).current_dir(folder).env_clear();
    for name in ["PATH", "LANG", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        .env("HOME", folder)
        .env("PYTHONUTF8", "1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_does_what_applications_do_with_it() {
    run("s3_boto3.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_aws_command_line_does_what_people_type() {
    run("s3_awscli.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rclone_syncs_both_ways_and_finds_both_sides_equal() {
    run("s3_rclone.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3cmd_syncs_both_ways() {
    run("s3_s3cmd.py").await;
}
