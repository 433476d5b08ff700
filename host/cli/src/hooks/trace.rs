//! What single dispatches did.

use std::fmt::Write;
use std::time::Duration;

use hookrail::Trace;
use hookrail::control::{Manage, command};
use serde_json::Value;

use crate::args::Common;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::part;
use crate::{duration, print, remote, stderr};

/// Requests traces and shows them; fewer than requested is a failure.
pub(super) fn run(command: command::Trace, common: &Common) -> Result<ExitCode, Error> {
    let wanted = command.count;
    let traces = remote::connect(&common.selection)?.ask(command)?;
    for trace in &traces {
        if common.json { print::compact(trace)? } else { print::lines(text(trace))? }
    }
    if traces.len() < wanted {
        stderr::line(format_args!("{} of {wanted} came in that time; `--wait` waits longer", traces.len()));
        return Ok(ExitCode::NotFound);
    }
    Ok(ExitCode::Ok)
}

fn text(trace: &Trace) -> String {
    let took = |nanoseconds| duration::text(Duration::from_nanos(nanoseconds));
    let mut text = format!(
        "{} in {}, on thread {}\n  payload {}",
        print::bold(&with_code(trace.decision.name(), trace.code)),
        took(trace.took_ns),
        part(trace.thread.clone()),
        payload(&trace.payload)
    );
    for step in &trace.steps {
        let _ = write!(
            text,
            "\n  {:<32} {:>9}  {}",
            part(step.callback.clone()),
            took(step.took_ns),
            with_code(step.verdict.name(), step.code)
        );
        if let Some(message) = &step.message {
            let _ = write!(text, ": {}", part(message.clone()));
        }
        if let Some(changed) = &step.payload {
            let _ = write!(text, "\n    payload {}", payload(changed));
        }
    }
    text
}

/// A word with the code of a denial.
fn with_code(word: &str, code: Option<u32>) -> String {
    code.map_or_else(|| word.to_owned(), |code| format!("{word} {code}"))
}

fn payload(payload: &Value) -> String {
    if payload.is_null() { "stays in the process".into() } else { payload.to_string() }
}
