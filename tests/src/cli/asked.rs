//! Sending commands to a running host.

use std::process::Output;

use serde_json::Value;

use super::{hookrail, run, text};

/// The program's output.
pub fn ask(arguments: &[&str]) -> Output {
    run(&mut hookrail(arguments), b"")
}

/// The answer as JSON.
pub fn told(arguments: &[&str]) -> Value {
    let output = ask(&[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The answer as text.
pub fn shown(arguments: &[&str]) -> String {
    let output = ask(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).into()
}

/// The error message of a refusal, which must have this code and this exit code.
pub fn refused(arguments: &[&str], code: &str, exit: i32) -> String {
    let output = ask(arguments);
    let said = text(&output.stderr).to_owned();
    assert!(said.contains(&format!("error[{code}]: ")) && said.contains("\n  fix: "), "{arguments:?}: {said}");
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
    said
}
