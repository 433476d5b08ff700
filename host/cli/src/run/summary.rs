//! The results of a run, for people and for programs.

use std::fmt::Write;
use std::time::Duration;

use hookrail::Host;
use indicatif::{BinaryBytes, HumanCount};
use serde::Serialize;

use super::counters::Counters;
use super::denials::ByCause;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::table::{Column, Target, table};

#[derive(Serialize)]
pub(super) struct Summary {
    r#in: u64,
    out: u64,
    denied: u64,
    denied_by: Vec<DeniedBy>,
    faults: u64,
    /// How often a callback was not called, since it was quarantined or absent.
    missed: u64,
    faults_of: Vec<FaultsOf>,
    bad_lines: u64,
    long_lines: u64,
    bytes: u64,
    seconds: f64,
    messages_per_second: f64,
    interrupted: bool,
    /// By Ctrl-C: a supervisor's SIGTERM is no failure.
    #[serde(skip)]
    by_ctrl_c: bool,
}

#[derive(Serialize)]
struct DeniedBy {
    callback: String,
    code: u32,
    count: u64,
    /// The reason of the first one.
    reason: String,
}

#[derive(Serialize)]
struct FaultsOf {
    point: String,
    callback: String,
    count: u64,
    /// The dispatches after that for which it did nothing.
    missed: u64,
}

impl Summary {
    pub(super) fn new(
        host: &Host,
        counters: &Counters,
        denials: ByCause,
        time: Duration,
        interrupt: &Interrupt,
    ) -> Self {
        let mut denied_by: Vec<_> = denials
            .into_iter()
            .map(|((_, code), denials)| DeniedBy {
                callback: denials.why.by,
                code,
                count: denials.count,
                reason: denials.why.reason,
            })
            .collect();
        denied_by.sort_by(|a, b| (b.count, &a.callback, a.code).cmp(&(a.count, &b.callback, b.code)));
        let mut faults_of = Vec::new();
        for view in host.point_views() {
            for entry in view.chain.iter().filter(|entry| entry.faults > 0 || entry.missed > 0) {
                let (point, callback) = (view.point.clone(), entry.callback.clone());
                faults_of.push(FaultsOf { point, callback, count: entry.faults, missed: entry.missed });
            }
        }
        let messages = counters.messages();
        let seconds = time.as_secs_f64();
        Summary {
            r#in: messages,
            out: counters.delivered.value(),
            denied: counters.denied.value(),
            denied_by,
            faults: faults_of.iter().map(|of| of.count).sum(),
            missed: faults_of.iter().map(|of| of.missed).sum(),
            faults_of,
            bad_lines: counters.bad_lines.value(),
            long_lines: counters.long_lines.value(),
            bytes: counters.bytes.value(),
            seconds,
            messages_per_second: messages as f64 / seconds.max(1e-9),
            interrupted: interrupt.has_come(),
            by_ctrl_c: interrupt.has_come() && interrupt.is_ctrl_c(),
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Summary { by_ctrl_c: true, .. } => ExitCode::Interrupted,
            Summary { faults: 1.., .. } | Summary { missed: 1.., .. } => ExitCode::CallbackFailed,
            Summary { bad_lines: 1.., .. } | Summary { long_lines: 1.., .. } => ExitCode::BadInput,
            _ => ExitCode::Ok,
        }
    }

    pub(super) fn to_text(&self) -> String {
        let count = |number: u64| HumanCount(number).to_string();
        let mut text = format!(
            "in {}   out {}   denied {}   faults {}",
            count(self.r#in),
            count(self.out),
            count(self.denied),
            count(self.faults)
        );
        for (number, what) in [(self.missed, "missed"), (self.bad_lines, "no message"), (self.long_lines, "too long")] {
            if number > 0 {
                let _ = write!(text, "   {what} {}", count(number));
            }
        }
        let _ = write!(
            text,
            "\n{} in {:.2} s: {} messages/s{}",
            BinaryBytes(self.bytes),
            self.seconds,
            count(self.messages_per_second as u64),
            if self.interrupted { ", interrupted" } else { "" }
        );
        if !self.denied_by.is_empty() {
            let columns = [
                Column::Text("denied by"),
                Column::Number("code"),
                Column::Number("count"),
                Column::Text("first reason"),
            ];
            let rows = self
                .denied_by
                .iter()
                .map(|by| vec![by.callback.clone(), by.code.to_string(), count(by.count), by.reason.clone()]);
            let _ = write!(text, "\n\n{}", table(Target::Stderr, &columns, rows));
        }
        if !self.faults_of.is_empty() {
            let columns = [
                Column::Text("faults of"),
                Column::Text("on"),
                Column::Number("count"),
                Column::Number("missed, not called"),
            ];
            let rows = self
                .faults_of
                .iter()
                .map(|of| vec![of.callback.clone(), of.point.clone(), count(of.count), count(of.missed)]);
            let _ = write!(text, "\n\n{}", table(Target::Stderr, &columns, rows));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            r#in: 12_345,
            out: 12_343,
            denied: 2,
            denied_by: vec![DeniedBy { callback: "a/b".into(), code: 429, count: 2, reason: "too many".into() }],
            faults: 0,
            missed: 0,
            faults_of: Vec::new(),
            bad_lines: 0,
            long_lines: 0,
            bytes: 2048,
            seconds: 0.5,
            messages_per_second: 24_690.0,
            interrupted: false,
            by_ctrl_c: false,
        }
    }

    #[test]
    fn a_summary_reads_well() {
        let text = summary().to_text();
        assert!(
            text.starts_with("in 12,345   out 12,343   denied 2   faults 0\n2.00 KiB in 0.50 s: 24,690 messages/s"),
            "{text}"
        );
        assert!(text.contains("a/b"), "{text}");
    }

    #[test]
    fn the_exit_code_says_the_gravest() {
        assert_eq!(summary().exit_code(), ExitCode::Ok);
        assert_eq!(Summary { long_lines: 1, ..summary() }.exit_code(), ExitCode::BadInput);
        assert_eq!(Summary { bad_lines: 1, ..summary() }.exit_code(), ExitCode::BadInput);
        assert_eq!(Summary { bad_lines: 1, missed: 1, ..summary() }.exit_code(), ExitCode::CallbackFailed);
        assert_eq!(Summary { bad_lines: 1, faults: 1, ..summary() }.exit_code(), ExitCode::CallbackFailed);
        assert_eq!(Summary { by_ctrl_c: true, ..summary() }.exit_code(), ExitCode::Interrupted);
        assert_eq!(Summary { interrupted: true, ..summary() }.exit_code(), ExitCode::Ok);
    }
}
