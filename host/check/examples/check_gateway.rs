//! `hookrail check` for plugins of the example gateway, whose hook points no other program declares.
//!
//!     cargo run --release -p hookrail-check --example check_gateway -- FILE [CONFIG]
//!
//! It runs each check in a process of its own, as this program with one more argument.

use std::env::{args, current_exe};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use gateway_points::{Request, RequestReceived, SignIn, SignInAsked};
use hookrail_check::{One, Plan, Points, choose, run, run_one};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = args().skip(1).collect();
    match &arguments[..] {
        [word, check, seed, file, config @ ..] if word == "one" => one(check, seed.parse()?, file, config.first()),
        [file, config @ ..] => all(file, config.first()),
        [] => Err("usage: check_gateway FILE [CONFIG]".into()),
    }
}

/// Our points, with payloads as we dispatch them.
fn points() -> Points {
    let request = |number| Request {
        client: "192.0.2.7".into(),
        path: format!("/{}", "a/".repeat(number as usize % 100)).as_str().into(),
        headers: Default::default(),
    };
    let sign_in = |number| SignIn {
        user: ["ada", "", "\u{1f600}"][number as usize % 3].into(),
        password: "lovelace".into(),
        roles: Default::default(),
    };
    Points::new().with(RequestReceived, request).with(SignInAsked, sign_in)
}

fn one(check: &str, seed: u64, file: &str, config: Option<&String>) -> Result<ExitCode, Box<dyn Error>> {
    points().declare();
    let (check, file, config) = (check.into(), file.into(), config.map(PathBuf::from));
    run_one(&One { check, file, config, seed, is_quick: true, is_isolated: false })?;
    Ok(ExitCode::SUCCESS)
}

fn all(file: &str, config: Option<&String>) -> Result<ExitCode, Box<dyn Error>> {
    let plan = Plan::new(Path::new(file), config.map(Path::new), None, true, Duration::from_secs(60))?;
    let child = |one: &One| {
        let mut command = Command::new(current_exe()?);
        command.args(["one", &one.check, &one.seed.to_string()]).arg(&one.file).args(&one.config);
        Ok(command)
    };
    let outcomes = run(&plan, &choose(&[], &[], 5)?, child, |_, _| {})?;
    for outcome in &outcomes {
        println!("{}: {}: {}", outcome.check.name, outcome.answer.status.name(), outcome.answer.detail);
    }
    let is_bad = outcomes.iter().any(|outcome| outcome.answer.status.is_bad());
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
