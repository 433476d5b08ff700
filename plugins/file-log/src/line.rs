//! Messages as lines.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use hookrail_abi::prelude::*;

use crate::config::Format;

/// A value that can be written as a line of the log.
pub(crate) trait Line {
    /// Appends itself to `line` as one line, including the newline.
    fn put(&self, line: &mut Vec<u8>, format: Format) -> Result<()>;
}

impl Line for Message {
    fn put(&self, line: &mut Vec<u8>, format: Format) -> Result<()> {
        match format {
            Format::Json => serde_json::to_writer(&mut *line, self)?,
            Format::Text => {
                put_head(line, self)?;
                put_escaped(line, &self.body)?;
            }
        }
        line.push(b'\n');
        Ok(())
    }
}

impl Line for Dropped {
    fn put(&self, line: &mut Vec<u8>, format: Format) -> Result<()> {
        match format {
            Format::Json => serde_json::to_writer(&mut *line, self)?,
            Format::Text => {
                put_head(line, &self.message)?;
                write!(line, "[dropped by ")?;
                put_escaped(line, self.decided_by.as_bytes())?;
                write!(line, ", code {}: ", self.code)?;
                put_escaped(line, self.reason.as_bytes())?;
                write!(line, "] ")?;
                // Only the host withholds a body; a message that has one may have any header.
                match self.message.header(Dropped::WITHHELD).filter(|_| self.message.body.is_empty()) {
                    Some(length) => {
                        write!(line, "(withheld, bytes: ")?;
                        put_escaped(line, length.as_bytes())?;
                        write!(line, ")")?;
                    }
                    None => put_escaped(line, &self.message.body)?,
                }
            }
        }
        line.push(b'\n');
        Ok(())
    }
}

fn put_head(line: &mut Vec<u8>, message: &Message) -> Result<()> {
    let time = UNIX_EPOCH + Duration::from_nanos(message.timestamp);
    write!(line, "{} ", humantime::format_rfc3339_nanos(time))?;
    for word in [&message.source, &message.topic] {
        put_escaped(line, if word.is_empty() { b"-" } else { word.as_bytes() })?;
        line.push(b' ');
    }
    Ok(())
}

/// Appends text on one line: control characters, which could end the line or control a terminal, are escaped, and so
/// are bytes that are not UTF-8.
fn put_escaped(line: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(at) = rest.find(char::is_control) {
            let control = rest[at..].chars().next().expect("it was found there");
            line.extend_from_slice(&rest.as_bytes()[..at]);
            write!(line, "{}", control.escape_default())?;
            rest = &rest[at + control.len_utf8()..];
        }
        line.extend_from_slice(rest.as_bytes());
        write!(line, "{}", chunk.invalid().escape_ascii())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &[u8]) -> Message {
        let mut message = Message::new("log.app", body);
        message.timestamp = 1_700_000_000_123_456_789;
        message.source.set("stdin");
        message
    }

    fn dropped(body: &[u8]) -> Dropped {
        Dropped::denied(message(body), "throttle/limit", 429, "too\nmany")
    }

    fn line(of: &impl Line, format: Format) -> String {
        let mut line = Vec::new();
        of.put(&mut line, format).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn text_is_one_line_whatever_the_body_is() {
        for (body, expected) in [
            (&b"hello"[..], "hello"),
            (b"", ""),
            ("na\u{ef}ve \u{20ac}".as_bytes(), "na\u{ef}ve \u{20ac}"),
            (b"a\nb\r\tc", "a\\nb\\r\\tc"),
            (b"\x1b[31mred", "\\u{1b}[31mred"),
            (b"ok \xff\xfe\0 ok", "ok \\xff\\xfe\\u{0} ok"),
        ] {
            let expected = format!("2023-11-14T22:13:20.123456789Z stdin log.app {expected}\n");
            assert_eq!(line(&message(body), Format::Text), expected);
        }
    }

    #[test]
    fn text_shows_what_is_not_there() {
        let mut message = message(b"hi");
        message.source.clear();
        assert_eq!(line(&message, Format::Text), "2023-11-14T22:13:20.123456789Z - log.app hi\n");
    }

    #[test]
    fn text_says_who_dropped_a_message_and_why() {
        let expected = "2023-11-14T22:13:20.123456789Z stdin log.app \
            [dropped by throttle/limit, code 429: too\\nmany] hello\n";
        assert_eq!(line(&dropped(b"hello"), Format::Text), expected);
    }

    #[test]
    fn text_says_that_the_content_is_withheld() {
        let mut dropped = dropped(b"hello");
        dropped.withhold();
        let expected = "2023-11-14T22:13:20.123456789Z stdin log.app \
            [dropped by throttle/limit, code 429: too\\nmany] (withheld, bytes: 5)\n";
        assert_eq!(line(&dropped, Format::Text), expected);
    }

    #[test]
    fn json_is_one_line_and_loses_nothing() {
        for body in [&b"a\nb"[..], b"\xff\n"] {
            let message = message(body);
            let json = line(&message, Format::Json);
            assert_eq!(json.find('\n'), Some(json.len() - 1));
            assert_eq!(serde_json::from_str::<Message>(&json).unwrap(), message);
            let dropped = dropped(body);
            let json = line(&dropped, Format::Json);
            assert_eq!(json.find('\n'), Some(json.len() - 1));
            assert_eq!(serde_json::from_str::<Dropped>(&json).unwrap(), dropped);
        }
    }
}
