//! The program's own endpoints: stdin and stdout. They are no plugins, since what the code of plugins prints goes to
//! stderr.

use std::io::{self, BufRead, BufReader};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hookrail::stream::NewStreams;
use hookrail::{Message, Received, SinkIo, SourceIo};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::Deserialize;
use serde_json::Value;

use crate::stdout;

/// How many messages are written at once.
const BATCH: usize = 256;
/// The longest line of stdin, in bytes.
const LONGEST: u64 = 16 << 20;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What an operator says of stdin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Stdin {
    topic: String,
}

impl Default for Stdin {
    fn default() -> Self {
        Stdin { topic: "stdin".into() }
    }
}

/// What an operator says of stdout.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Stdout {
    format: Format,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    #[default]
    Text,
}

/// Offers both. When whoever reads stdout has gone, `is_read` becomes false, and messages wait; without it they are rejected.
pub(crate) fn offer(streams: &mut NewStreams, is_read: Option<&Arc<AtomicBool>>) {
    let is_read = is_read.cloned();
    streams.offer_source("stdin", |config| {
        let Stdin { topic } = parse(config)?;
        Ok(move |io: &mut SourceIo<'_>| read(io, &topic))
    });
    streams.offer_sink("stdout", move |config| {
        let (Stdout { format }, is_read) = (parse(config)?, is_read.clone());
        Ok(move |io: &mut SinkIo<'_>| write(io, format, is_read.as_deref()))
    });
}

fn parse<T: for<'a> Deserialize<'a>>(config: &Value) -> Result<T> {
    T::deserialize(config).map_err(|error| format!("the configuration does not fit: {error}").into())
}

/// Sends each line of stdin.
fn read(io: &mut SourceIo<'_>, topic: &str) -> Result<()> {
    let closed = io.watch().ok_or("the system has no more descriptors")?;
    let mut stdin = BufReader::new(std::fs::File::from(io::stdin().as_fd().try_clone_to_owned()?));
    let mut line = Vec::new();
    loop {
        if stdin.buffer().is_empty() {
            let mut both = [PollFd::new(stdin.get_ref(), PollFlags::IN), PollFd::new(&closed, PollFlags::IN)];
            match poll(&mut both, None) {
                Ok(_) if !both[1].revents().is_empty() => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        line.clear();
        if io::Read::take(&mut stdin, LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let body = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut message = Message::new(topic, body.strip_suffix(b"\r").unwrap_or(body));
        message.source.set("stdin");
        io.send(&mut message)?;
    }
}

/// Writes each message as a line of stdout.
fn write(io: &mut SinkIo<'_>, format: Format, is_read: Option<&AtomicBool>) -> Result<()> {
    let mut lines = Vec::new();
    loop {
        lines.clear();
        let taken = match io.recv(BATCH, None) {
            Received::Closed => return Ok(()),
            Received::Nothing => continue,
            Received::Messages(messages) => {
                for message in messages {
                    match format {
                        Format::Json => serde_json::to_writer(&mut lines, message)?,
                        Format::Text => lines.extend_from_slice(&message.body),
                    }
                    lines.push(b'\n');
                }
                messages.len()
            }
        };
        match stdout::write_all(&lines) {
            Ok(()) => io.ack(taken),
            // Whoever read it has gone, and nobody will come again.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => match is_read {
                Some(is_read) => {
                    // Relaxed: it guards no other data.
                    is_read.store(false, Ordering::Relaxed);
                    while !matches!(io.recv(BATCH, None), Received::Closed) {}
                    return Ok(());
                }
                None => io.reject(taken, "stdout is closed"),
            },
            Err(error) => return Err(error.into()),
        }
    }
}
