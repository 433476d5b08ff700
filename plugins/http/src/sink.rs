//! The sink: batches of messages are posted until they are taken.
//!
//! 1. Messages are received and encoded until a batch is full, or its time is over.
//! 2. It is sent until it is answered for good, with pauses that grow. The host keeps the messages until then.
//! 3. If its content is refused, half of it is sent, so that in the end a message that is refused is alone, and dead.
//! 4. When there will be no more messages, those that it has are delivered, for a time; the host keeps the rest.

mod client;
mod config;
mod dead;
mod outcome;
mod pause;
mod pending;
mod target;
mod tls;

use std::time::{Duration, Instant};

use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;
use tokio::runtime::{self, Runtime};
use tokio::time::sleep;

use crate::shown::shown;
use crate::token::Token;
use client::Client;
pub(crate) use config::Config;
use config::Wanted;
use dead::DeadLetters;
use outcome::{Later, Outcome};
use pause::Pauses;
use pending::{Batch, Pending};

/// The most messages that are received at once.
const TOGETHER: usize = 64;

/// How often it is looked whether the endpoint is to end while a request is under way.
const LOOK: Duration = Duration::from_millis(50);

/// After how many batches in a row that were delivered larger ones are tried again, if some were refused.
const GROWS: usize = 16;

/// How long it waits for room for a dead letter before it tries again.
const DEAD_PAUSE: Duration = Duration::from_secs(1);

/// One use of the sink in a pipeline.
pub(crate) struct Sending {
    wanted: Wanted,
    host: Instance,
}

/// The time to deliver what there is is over.
struct Ended;

/// One run.
struct Run<'a, 'b> {
    wanted: &'a Wanted,
    host: Instance,
    io: &'a mut SinkIo<'b>,
    runtime: Runtime,
    client: Client,
    dead: DeadLetters,
    pending: Pending,
    /// The most bytes of one of those that were received last, as it is sent.
    largest: usize,
    /// The most messages of the next batch: less than the operator allows after some were refused.
    most: usize,
    /// How many batches in a row were delivered since then.
    good: usize,
    /// Until when it delivers, once there will be no more messages.
    until: Option<Instant>,
}

impl Sending {
    /// Refuses what could not work, and connects to nobody: it may be that it never runs.
    pub(crate) fn new(config: Config, host: Instance) -> Result<Self> {
        let wanted = config.wanted()?;
        if let Some(path) = &wanted.dead_letters {
            dead::check(path).map_err(|error| format!("`dead_letters`: {}: {error}", path.display()))?;
        }
        Ok(Sending { wanted, host })
    }
}

impl Sink for Sending {
    fn run(&mut self, io: &mut SinkIo<'_>) -> Result<()> {
        let (wanted, host) = (&self.wanted, self.host);
        let token = wanted.token_file.as_deref().map(Token::new).transpose()?;
        if token.is_some() && !wanted.target.is_secure && !is_loopback(&wanted.target.host) {
            host.log(Level::Warn, "`url` is not `https://`: whoever is on the way can read the token and the messages");
        }
        let tls = wanted.target.is_secure.then(|| tls::client(wanted.ca_file.as_deref())).transpose()?;
        let client =
            Client::new(wanted.target.clone(), wanted.headers.clone(), wanted.gzip, token, tls, wanted.timeout)?;
        let mut run = Run {
            wanted,
            host,
            io,
            runtime: runtime::Builder::new_current_thread().enable_all().build()?,
            client,
            dead: DeadLetters::new(wanted.dead_letters.clone(), wanted.form),
            pending: Pending::new(wanted.form, wanted.max_messages > 1),
            // The first one comes alone.
            largest: wanted.max_bytes,
            most: wanted.max_messages,
            good: 0,
            until: None,
        };
        while run.collect()? {
            if let Err(Ended) = run.deliver()? {
                break;
            }
        }
        // What was not answered for is with the host, which gives it to the endpoint that follows.
        Ok(())
    }
}

impl Run<'_, '_> {
    /// Waits for a batch; false if there will be none.
    fn collect(&mut self) -> Result<bool> {
        let mut since = Instant::now();
        while self.pending.len() < self.most && self.pending.bytes() < self.wanted.max_bytes {
            let is_first = self.pending.is_empty();
            let left = self.wanted.linger.saturating_sub(since.elapsed());
            if !is_first && left.is_zero() {
                break;
            }
            // As many as fit if they are as large as the last ones: what is encoded beyond that only needs memory.
            let fit = 1 + (self.wanted.max_bytes - self.pending.bytes()) / self.largest.max(1);
            let most = TOGETHER.min(self.most - self.pending.len()).min(fit);
            match self.io.recv(most, (!is_first).then_some(left)) {
                Received::Messages(messages) => {
                    self.largest = 0;
                    for message in messages {
                        let before = self.pending.bytes();
                        self.pending.put(message)?;
                        self.largest = self.largest.max(self.pending.bytes() - before);
                    }
                }
                Received::Nothing if is_first => continue,
                Received::Closed | Received::Nothing => break,
            }
            if is_first {
                since = Instant::now();
            }
        }
        Ok(!self.pending.is_empty())
    }

    /// Sends a batch until it is answered for, or is to be made smaller.
    fn deliver(&mut self) -> Result<Result<(), Ended>> {
        if let Some(fault) = self.pending.fault() {
            return Ok(self.bury(fault));
        }
        let batch = self.pending.batch(self.most, self.wanted.max_bytes, self.wanted.gzip)?;
        let mut pauses = Pauses::new(self.wanted.retry_from, self.wanted.retry_to);
        let mut last: Option<Later> = None;
        for tries in 1_u64.. {
            match self.send_once(&batch) {
                Err(Ended) => return Ok(Err(Ended)),
                Ok(Outcome::Delivered) => {
                    if tries > 1 {
                        self.host.log(Level::Info, format_args!("it delivers again, at try {tries}"));
                    }
                    self.io.ack(batch.count);
                    self.pending.remove(batch.count);
                    self.good += 1;
                    if self.good.is_multiple_of(GROWS) {
                        self.most = self.most.saturating_mul(2).min(self.wanted.max_messages);
                    }
                    break;
                }
                Ok(Outcome::Refused(why)) if batch.count == 1 => return Ok(self.bury(&why)),
                Ok(Outcome::Refused(why)) => {
                    (self.most, self.good) = (batch.count / 2, 0);
                    let (all, half) = (batch.count, self.most);
                    self.host.log(Level::Debug, format_args!("{all} messages are refused, {half} are tried: {why}"));
                    break;
                }
                Ok(Outcome::Later(later)) => {
                    let pause = pauses.next(later.after);
                    if last.as_ref().is_none_or(|last| last.why != later.why) {
                        self.say(&later);
                    }
                    last = Some(later);
                    if let Err(Ended) = self.rest(pause) {
                        return Ok(Err(Ended));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// Sends a batch once, unless the time is over meanwhile.
    fn send_once(&mut self, batch: &Batch) -> Result<Outcome, Ended> {
        let (io, client, until, finish) = (&*self.io, &mut self.client, &mut self.until, self.wanted.finish);
        self.runtime.block_on(async {
            let ended = async {
                while left(io, until, finish).is_none_or(|left| !left.is_zero()) {
                    sleep(LOOK).await;
                }
            };
            tokio::select! {
                biased;
                () = ended => Err(Ended),
                outcome = client.send(batch) => Ok(outcome),
            }
        })
    }

    /// Waits for that long, if there is still time to go on afterwards.
    fn rest(&mut self, pause: Duration) -> Result<(), Ended> {
        let over = Instant::now() + pause;
        while let Some(rest) = over.checked_duration_since(Instant::now()) {
            match left(self.io, &mut self.until, self.wanted.finish) {
                Some(left) if left < rest => return Err(Ended),
                Some(_) => std::thread::sleep(rest),
                None => _ = self.io.wait(rest),
            }
        }
        Ok(())
    }

    /// Has the oldest message dropped, and keeps it as a dead letter first.
    fn bury(&mut self, why: &str) -> Result<(), Ended> {
        let mut last = String::new();
        while let Err(error) = self.dead.write(self.pending.first(), why) {
            let failed = error.to_string();
            if last != failed {
                self.host.log(Level::Error, format_args!("`dead_letters` cannot be written, and waits: {failed}"));
                last = failed;
            }
            self.rest(DEAD_PAUSE)?;
        }
        self.io.reject(1, why);
        self.pending.remove(1);
        // If it was the culprit, those behind it can be sent together again.
        self.most = self.wanted.max_messages;
        Ok(())
    }

    fn say(&self, later: &Later) {
        let why = shown(&later.why);
        if later.is_mistake {
            let hint = "look at `url` and `token_file`; messages wait meanwhile";
            self.host.log(Level::Error, format_args!("the receiver does not take messages: {why}; {hint}"));
        } else {
            self.host.log(Level::Warn, format_args!("not delivered, and tried again: {why}"));
        }
    }
}

/// How long there is to deliver, if there will be no more messages.
fn left(io: &SinkIo<'_>, until: &mut Option<Instant>, finish: Duration) -> Option<Duration> {
    if until.is_none() && io.is_closed() {
        *until = Some(Instant::now() + finish);
    }
    until.map(|until| until.saturating_duration_since(Instant::now()))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests;
