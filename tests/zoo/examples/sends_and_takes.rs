//! Has a source of numbers and a sink that writes lines, and misbehaves in both as its configurations say.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;

/// Numbers, from the one that the mark `next` says.
#[config]
#[derive(Default)]
#[serde(default)]
struct Numbers {
    /// The first number that is not sent.
    until: u64,
    /// How many are sent at once.
    batch: u64,
    /// How long it waits after each batch, in microseconds.
    pause_us: u64,
    /// The length to which each body is filled up with spaces.
    pads_to: usize,
    /// The topic; the number of the message, when one says so.
    topic: String,
    /// Fails once, before it sends this number.
    fails_at: Option<u64>,
    /// Panics once, before it sends this number.
    panics_at: Option<u64>,
    /// Sends neither this number nor what comes after it before there is the file that `waits_for` names.
    waits_at: Option<u64>,
    /// That file.
    waits_for: String,
    /// Is not accepted while there is a file of that name.
    refused_while: String,
    /// Does not return when it is closed, but after so many milliseconds.
    ends_late_ms: u64,
}

/// Lines of a file.
#[config]
#[derive(Default)]
#[serde(default)]
struct Lines {
    /// The file to which each body is appended, with a line break.
    file: String,
    /// How long each message takes, in microseconds.
    takes_us: u64,
    /// When it has received so many messages, it goes on once there is the file that `waits_for` names.
    waits_after: u64,
    /// That file.
    waits_for: String,
    /// Wants what it was given again, once per so many batches.
    retries_every: u64,
    /// Fails once per so many batches, before it has answered.
    fails_every: u64,
    /// Panics once per so many batches, before it has answered.
    panics_every: u64,
    /// Rejects numbers that are divisible by this.
    rejects: u64,
    /// Returns at once.
    returns: bool,
    /// Does not return when it is closed, but after so many milliseconds.
    ends_late_ms: u64,
    /// Does not return when it is closed, but once there is a file of that name.
    ends_when: String,
}

struct Specimen {
    has_failed: Mutex<bool>,
}

impl Specimen {
    fn numbers(&self, config: Numbers) -> Result<impl Source> {
        if !config.refused_while.is_empty() && Path::new(&config.refused_while).exists() {
            return Err("it is refused, as its configuration says".into());
        }
        let has_failed = std::mem::replace(&mut *self.has_failed.lock().unwrap(), true);
        Ok(move |io: &mut SourceIo<'_>| {
            let ended = count(&config, has_failed, io);
            std::thread::sleep(Duration::from_millis(config.ends_late_ms));
            ended
        })
    }

    fn lines(&self, config: Lines) -> Result<impl Sink> {
        Ok(move |io: &mut SinkIo<'_>| {
            let ended = if config.returns { Ok(()) } else { take(&config, io) };
            std::thread::sleep(Duration::from_millis(config.ends_late_ms));
            // Not for ever: who makes the file may have failed.
            let latest = Instant::now() + Duration::from_secs(300);
            while !is_there(&config.ends_when) && Instant::now() < latest {
                std::thread::sleep(SOON);
            }
            ended
        })
    }
}

thread_local! {
    /// What the host's threads keep of this library, until they end.
    static LEFT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

const SOON: Duration = Duration::from_millis(1);

/// Whether there is something of that name, or none is named.
fn is_there(file: &str) -> bool {
    file.is_empty() || Path::new(file).exists()
}

fn count(config: &Numbers, has_failed: bool, io: &mut SourceIo<'_>) -> Result<()> {
    LEFT.with_borrow_mut(|left| left.push(config.topic.clone()));
    let mut next = match io.marks().as_slice() {
        [(_, next)] => next.parse()?,
        _ => 0,
    };
    while next < config.until {
        let end = config.until.min(next + config.batch.max(1));
        if !has_failed && config.fails_at.is_some_and(|at| (next..end).contains(&at)) {
            return Err("it fails, as its configuration says".into());
        }
        if !has_failed && config.panics_at.is_some_and(|at| (next..end).contains(&at)) {
            panic!("it panics, as its configuration says");
        }
        while config.waits_at.is_some_and(|at| at < end) && !is_there(&config.waits_for) {
            if io.wait(SOON) {
                return Ok(());
            }
        }
        let topic = if config.topic.is_empty() { "number" } else { &config.topic };
        let mut messages: Vec<_> = (next..end).map(|number| Message::new(topic, body(number, config))).collect();
        io.send_batch(&mut messages, Some(Mark { key: "next", value: &end.to_string() }))?;
        next = end;
        if config.pause_us > 0 && io.wait(Duration::from_micros(config.pause_us)) {
            break;
        }
    }
    Ok(())
}

fn body(number: u64, config: &Numbers) -> Vec<u8> {
    let mut body = number.to_string().into_bytes();
    body.resize(body.len().max(config.pads_to), b' ');
    body
}

/// What a body was filled up from.
fn line(body: &[u8]) -> String {
    let end = body.iter().position(|byte| *byte == b' ').unwrap_or(body.len());
    String::from_utf8_lossy(&body[..end]).into_owned()
}

fn take(config: &Lines, io: &mut SinkIo<'_>) -> Result<()> {
    LEFT.with_borrow_mut(|left| left.push(config.file.clone()));
    let mut file = OpenOptions::new().create(true).append(true).open(&config.file)?;
    let is_due = |every: u64, batch: u64| every > 0 && batch.is_multiple_of(every);
    let mut received = 0;
    for batch in 1.. {
        while received >= config.waits_after && !is_there(&config.waits_for) {
            if io.wait(SOON) {
                return Ok(());
            }
        }
        let bodies: Vec<_> = match io.recv(16, None) {
            Received::Closed => break,
            Received::Nothing => continue,
            Received::Messages(messages) => messages.iter().map(|message| line(&message.body)).collect(),
        };
        received += bodies.len() as u64;
        if is_due(config.retries_every, batch) {
            io.retry("its configuration says so");
            continue;
        }
        if is_due(config.fails_every, batch) {
            return Err("it fails, as its configuration says".into());
        }
        if is_due(config.panics_every, batch) {
            panic!("it panics, as its configuration says");
        }
        for body in bodies {
            std::thread::sleep(Duration::from_micros(config.takes_us));
            if config.rejects > 0 && body.parse::<u64>()?.is_multiple_of(config.rejects) {
                io.reject(1, "it is divisible");
                continue;
            }
            file.write_all(format!("{body}\n").as_bytes())?;
            io.ack(1);
        }
    }
    Ok(())
}

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "deny" => Self::deny, priority = 500, effects = pure];
    const ENDPOINTS: Endpoints<Self> = endpoints![
        source "numbers" => Self::numbers, guarantee = at_least_once;
        sink "lines" => Self::lines, guarantee = at_least_once;
    ];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen { has_failed: Mutex::new(false) })
    }
}

impl Specimen {
    /// Denies numbers that end in 7, where the topic says so.
    fn deny(&self, message: &mut Message) -> Verdict {
        let is_denied = message.topic == *"denied" && message.body.ends_with(b"7");
        if is_denied { Verdict::deny(7, "it ends in 7") } else { Verdict::Continue }
    }
}

export!(Specimen, name = "sends-and-takes");
