//! `hookrail tap`: messages as they pass a place in the pipelines of a running host.

use std::io;
use std::task::Poll;
use std::time::Duration;

use hookrail::control::command;
use hookrail::tap::{TapItem, TapMissed, Tapped};
use serde_json::Value;

use crate::args::Tap;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::{harmless, print, remote, stderr, stdout};

/// How often it is looked whether to end.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) fn run(options: &Tap) -> Result<ExitCode, Error> {
    let mut asked = command::Tap::new(options.topics.to_string());
    (asked.at, asked.limit, asked.rate) = (options.at, options.limit, options.rate);
    asked.pipeline.clone_from(&options.pipeline);
    asked.headers = options.headers.iter().cloned().collect();
    let interrupt = Interrupt::install()?;
    let mut items = remote::connect(&options.common.selection)?.tap(&asked)?;
    let (mut shown, mut missed) = (0, TapMissed::default());
    let is_done = |shown| options.limit.is_some_and(|limit| shown >= limit);
    let has_ended = loop {
        match items.recv_timeout(LOOK) {
            _ if interrupt.has_come() => break false,
            // Whoever reads has seen enough.
            Poll::Pending if stdout::has_no_reader() => return Ok(ExitCode::Ok),
            Poll::Pending => {}
            Poll::Ready(None) => break true,
            Poll::Ready(Some(item)) => match item? {
                TapItem::Message(tapped) => {
                    let printed =
                        if options.common.json { print::compact(&tapped) } else { print::line(line(&tapped)) };
                    match printed {
                        // Whoever reads has seen enough, as in `hookrail tap | head`.
                        Err(Error::Stdout(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => {
                            return Ok(ExitCode::Ok);
                        }
                        printed => printed?,
                    }
                    shown += 1;
                }
                TapItem::Missed(now) => missed = now,
                _ => {}
            },
        }
        if is_done(shown) {
            break false;
        }
    };
    if missed.unread > 0 {
        stderr::line(format_args!("{} more messages were not shown: they came too fast", missed.unread));
    }
    if missed.over_rate > 0 {
        stderr::line(format_args!("{} more messages were not shown: --rate left them out", missed.over_rate));
    }
    if has_ended && !is_done(shown) {
        stderr::line("the host has ended");
    }
    Ok(ExitCode::Ok)
}

/// The time of day, where it was, the topic, the headers and the body; and why it was dropped.
fn line(tapped: &Tapped) -> String {
    let text = |key: &str| tapped.message[key].as_str().unwrap_or_default().to_owned();
    let time = text("timestamp");
    let time = time.split_once('T').map_or(&*time, |(_, of_day)| of_day);
    let time = time.get(..12).map_or_else(|| time.to_owned(), |of_day| format!("{of_day}Z"));
    let place = match (&*tapped.pipeline, &*tapped.endpoint) {
        ("", _) => "-".into(),
        (pipeline, "") => pipeline.to_owned(),
        (pipeline, endpoint) => format!("{pipeline}/{endpoint}"),
    };
    let headers: String = tapped.message["headers"].as_array().into_iter().flatten().map(header).collect();
    let body = match tapped.message.get("body").and_then(Value::as_str) {
        Some(body) => body.to_owned(),
        None => format!("base64:{}", text("body_base64")),
    };
    let mut line = format!("{time}  {place}  {}{headers}  {body}", text("topic"));
    if tapped.headers_left_out > 0 {
        line.push_str(&format!("  [{} headers left out]", tapped.headers_left_out));
    }
    for (part, bytes) in [("the topic", tapped.topic_bytes), ("it", tapped.body_bytes)] {
        if let Some(bytes) = bytes {
            line.push_str(&format!("  [cut: {part} has {bytes} bytes]"));
        }
    }
    if !tapped.kind.is_empty() {
        line.push_str(&format!("  [{}", tapped.kind));
        if !tapped.decided_by.is_empty() {
            line.push_str(&format!(" by {}", tapped.decided_by));
        }
        if !tapped.reason.is_empty() {
            line.push_str(&format!(": {}", tapped.reason));
        }
        line.push(']');
    }
    harmless::part(line)
}

/// ` KEY=VALUE`
fn header(header: &Value) -> String {
    let part = |index: usize| header[index].as_str().unwrap_or_default();
    format!(" {}={}", part(0), part(1))
}

#[cfg(test)]
mod tests {
    use hookrail::tap::TapPlace;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_one_line_that_commands_no_terminal() {
        let message = json!({
            "timestamp": "2026-11-28T13:04:05.006000000Z", "topic": "log.app", "headers": [["level", "error"]],
            "body": "two\nlines \u{1b}[2J",
        });
        let mut tapped = Tapped::new(TapPlace::Dropped, message);
        (tapped.pipeline, tapped.endpoint) = ("logs".into(), "files".into());
        (tapped.kind, tapped.decided_by, tapped.reason) = ("denied".into(), "mask/mask".into(), "no".into());
        (tapped.topic_bytes, tapped.body_bytes) = (Some(5000), Some(70_000));
        assert_eq!(
            line(&tapped),
            r"13:04:05.006Z  logs/files  log.app level=error  two\nlines \u{1b}[2J  [cut: the topic has 5000 bytes]  [cut: it has 70000 bytes]  [denied by mask/mask: no]"
        );
    }
}
