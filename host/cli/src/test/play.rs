//! Running a case: its messages one after the other, and what differs from what is expected.

use std::collections::BTreeMap;

use hookrail::stream::{Fate, Trial};
use hookrail::{CallbackView, Denial, Host, Message, MessagePublish};
use hookrail_abi::Point;
use serde::Serialize;

use super::form::{Dropped, Expected};
use super::read::Ready;
use crate::error::Error;

/// What differs.
#[derive(Serialize)]
pub(super) struct Failure {
    /// The line of what is expected.
    pub(super) line: usize,
    /// The message, from 1.
    pub(super) message: usize,
    pub(super) what: &'static str,
    pub(super) expected: String,
    pub(super) came: String,
}

/// Runs a case in a host whose plugins have just started.
pub(super) fn run(case: &Ready, host: &Host) -> Result<Vec<Failure>, Error> {
    let mut trial = match &case.pipeline {
        Some(name) => Trial::of_pipeline(host, name, &host.config().pipelines[name])?,
        None => Trial::of_chain(host)?,
    };
    let (mut failures, mut known) = (Vec::new(), faults(host));
    for (number, (given, line, expected)) in case.steps.iter().enumerate() {
        let mut message = given.message(&case.topic);
        let fate = trial.send(&mut message);
        let mut differs = |what, expected: String, came: String| {
            failures.push(Failure { line: *line, message: number + 1, what, expected, came });
        };
        let now = faults(host);
        for (callback, (count, why)) in &now {
            if known.get(callback).is_none_or(|(before, _)| before < count) {
                differs("callback", format!("{callback} does not fail"), why.clone());
            }
        }
        known = now;
        if expected.fate() != name_of(&fate) {
            differs("outcome", expected.fate().into(), told(&fate, &message));
            continue;
        }
        compare_message(expected, &message, &mut differs);
        compare_fate(expected, &fate, &mut differs);
    }
    Ok(failures)
}

/// How often each callback of `message.publish` has failed or was passed over, and what it said last.
fn faults(host: &Host) -> BTreeMap<String, (u64, String)> {
    let points = host.point_views();
    let chain = points.into_iter().filter(|view| view.point == MessagePublish::NAME).flat_map(|view| view.chain);
    let failed = chain.filter(|entry| entry.faults > 0 || entry.missed > 0);
    let row = |entry: CallbackView| {
        let why = entry.last_fault.map_or_else(|| "it was passed over".into(), |fault| fault.message);
        (entry.callback, (entry.faults + entry.missed, why))
    };
    failed.map(row).collect()
}

impl Expected {
    fn fate(&self) -> &'static str {
        match self.dropped {
            Some(Dropped::Denied) => "denied",
            Some(Dropped::Unrouted) => "unrouted",
            None => "passed",
        }
    }
}

fn name_of(fate: &Fate) -> &'static str {
    match fate {
        Fate::Denied(_) => "denied",
        Fate::Unrouted => "unrouted",
        _ => "passed",
    }
}

/// What has come in place of what is expected, for people.
fn told(fate: &Fate, message: &Message) -> String {
    let topic = message.topic.as_str();
    match fate {
        Fate::Denied(denial) => denial.to_string(),
        Fate::Passed { sinks, .. } if sinks.is_empty() => format!("passed: {}", text(&message.body)),
        Fate::Passed { sinks, .. } => format!("passed to {}: {}", sinks.join(", "), text(&message.body)),
        _ => format!("unrouted: no sink wants its headers and the topic {topic:?}"),
    }
}

fn compare_message(expected: &Expected, message: &Message, differs: &mut impl FnMut(&'static str, String, String)) {
    if let Some(body) = expected.body.as_deref().filter(|body| message.body[..] != **body) {
        differs("body", text(body), text(&message.body));
    }
    if let Some(topic) = expected.topic.as_deref().filter(|topic| message.topic != **topic) {
        differs("topic", format!("{topic:?}"), format!("{:?}", message.topic.as_str()));
    }
    for (key, value) in &expected.headers.0 {
        let there: Vec<_> = message.headers.iter().filter(|header| header.key == **key).collect();
        if !there.iter().any(|header| header.value == **value) {
            let values: Vec<_> = there.iter().map(|header| format!("{:?}", header.value.as_str())).collect();
            let came = if values.is_empty() { "none".into() } else { values.join(", ") };
            differs("header", format!("{key:?} = {value:?}"), came);
        }
    }
}

fn compare_fate(expected: &Expected, fate: &Fate, differs: &mut impl FnMut(&'static str, String, String)) {
    match fate {
        Fate::Passed { sinks, .. } => {
            let Some(wanted) = &expected.sinks else { return };
            let mut wanted: Vec<_> = wanted.iter().map(|sink| sink.get_ref().as_str()).collect();
            wanted.sort_unstable();
            wanted.dedup();
            if wanted != *sinks {
                differs("sinks", wanted.join(", "), sinks.join(", "));
            }
        }
        Fate::Denied(Denial { by, code, reason, .. }) => {
            let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
            if expected.by.is_some() && expected.by != *by {
                differs("by", known(&expected.by), known(by));
            }
            if let Some(wanted) = expected.code.filter(|wanted| wanted != code) {
                differs("code", wanted.to_string(), code.to_string());
            }
            if expected.reason.is_some() && expected.reason != *reason {
                differs("reason", known(&expected.reason), known(reason));
            }
        }
        _ => {}
    }
}

/// A body as it may be shown: what is not UTF-8, as bytes.
fn text(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("\"{}\"", body.escape_ascii()),
    }
}
