//! The built binary, and what it says.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The binary with these arguments, without colours, proxies and tokens from outside.
pub fn manometer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manometer"));
    command.args(arguments).env_remove("MANOMETER_TOKEN").env_remove("NO_COLOR");
    command
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Output {
    manometer(arguments).stdin(Stdio::null()).output().expect("the binary was built")
}

/// Runs it with `page` on standard input.
pub fn run_with(arguments: &[&str], page: &[u8]) -> Output {
    let mut command = manometer(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    let mut stdin = child.stdin.take().expect("piped");
    let page = page.to_owned();
    // A thread, since the binary may write before it has read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&page)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic");
    output
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}
