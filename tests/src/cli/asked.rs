//! Asking a running host.

use std::process::Output;

use serde_json::Value;

use super::{hookrail, run, text};

/// Its answer.
pub fn ask(arguments: &[&str]) -> Output {
    run(&mut hookrail(arguments), b"")
}

/// What it returns as JSON.
pub fn told(arguments: &[&str]) -> Value {
    let output = ask(&[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What it prints for people.
pub fn shown(arguments: &[&str]) -> String {
    let output = ask(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).into()
}

/// What it says when it refuses: with that code, and that exit code.
pub fn refused(arguments: &[&str], code: &str, exit: i32) -> String {
    let output = ask(arguments);
    let said = text(&output.stderr).to_owned();
    assert!(said.contains(&format!("error[{code}]: ")) && said.contains("\n  fix: "), "{arguments:?}: {said}");
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
    said
}
