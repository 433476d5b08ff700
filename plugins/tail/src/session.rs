//! One run of the source: which files there are, and whose turn it is.

mod arrivals;
mod begin;
mod turn;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::Closed;
use hookrail_abi::host::Instance;
use hookrail_abi::prelude::*;

use crate::config::{Config, StartAt};
use crate::counted::Share;
use crate::entries::{Rest, Rules};
use crate::followed::Followed;
use crate::globs::Globs;
use crate::identity::Identity;
use crate::kept::Kept;
use crate::outbox::Outbox;
use crate::reader::Reader;
use crate::said::Said;
use crate::topic::Topic;

/// What the operator wants, checked.
#[derive(Debug)]
pub(crate) struct Wanted {
    globs: Globs,
    start_at: StartAt,
    topic: Topic,
    rules: Rules,
    idle_flush: Duration,
    poll_every: Duration,
    rescan_every: Duration,
    forget_after: Duration,
    max_open: usize,
}

impl Wanted {
    /// Checks a configuration.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        Ok(Wanted {
            globs: Globs::new(&config.paths, &config.exclude)?,
            start_at: config.start_at,
            topic: Topic::new(&config.topic)?,
            rules: config.rules()?,
            idle_flush: config.idle_flush.duration(),
            poll_every: config.poll_every.duration(),
            rescan_every: config.rescan_every.duration(),
            forget_after: config.forget_after.duration(),
            max_open: config.max_open,
        })
    }

    /// What to think of the bytes behind a file that has not grown for that long.
    fn rest(&self, idle: Duration) -> Rest {
        match &self.rules.joined {
            _ if !self.idle_flush.is_zero() && idle >= self.idle_flush => Rest::None,
            Some(joined) if idle >= joined.idle => Rest::Late,
            _ => Rest::Expected,
        }
    }
}

/// One run.
///
/// # Invariants
/// - `queue` has the identities of the files that are queued, each once;
/// - `open` has those of the files that are open, the one that was read longest ago first.
pub(crate) struct Session {
    wanted: Arc<Wanted>,
    said: Said,
    kept: Kept,
    files: HashMap<Identity, Followed>,
    queue: VecDeque<Identity>,
    open: VecDeque<Identity>,
    /// The most files that are open: what the operator says, or what the system allows.
    max_open: usize,
    reader: Reader,
    outbox: Outbox,
    /// The value of a mark, kept to reuse its memory.
    mark: String,
    /// The number of the last rescan.
    round: u64,
    share: Share,
}

impl Session {
    pub(crate) fn new(wanted: Arc<Wanted>, host: Instance, kept: Kept) -> Self {
        Session {
            reader: Reader::new(wanted.rules.clone()),
            max_open: wanted.max_open,
            wanted,
            said: Said::new(host),
            kept,
            files: HashMap::new(),
            queue: VecDeque::new(),
            open: VecDeque::new(),
            outbox: Outbox::new(),
            mark: String::new(),
            round: 0,
            share: Share::default(),
        }
    }

    /// Follows the files until the host closes `io`.
    pub(crate) fn run(&mut self, io: &mut SourceIo<'_>) -> Result<Infallible, Closed> {
        self.begin(io)?;
        let mut poll = Instant::now();
        let mut rescan = poll + self.wanted.rescan_every;
        loop {
            let now = Instant::now();
            if now >= rescan {
                self.rescan(io)?;
                rescan = now + self.wanted.rescan_every;
            }
            if now >= poll {
                self.poll(now);
                poll = now + self.wanted.poll_every;
            }
            let next = poll.min(rescan);
            while let Some(identity) = self.queue.pop_front() {
                self.turn(identity, io)?;
                open(io)?;
                if Instant::now() >= next {
                    break;
                }
            }
            self.share.set(self.files.len(), self.files.values().map(Followed::unsent).sum());
            if self.queue.is_empty() && io.wait(next.saturating_duration_since(Instant::now())) {
                return Err(Closed);
            }
        }
    }

    /// Looks at the files that were written to not long ago.
    fn poll(&mut self, now: Instant) {
        let wanted = &self.wanted;
        for file in self.files.values_mut().filter(|file| !file.is_queued) {
            if file.is_over(now, wanted.forget_after) {
                file.is_leaving = true;
            } else if !file.is_awake(now) || !file.is_due(wanted.rest(now.duration_since(file.grown))) {
                continue;
            }
            file.is_queued = true;
            self.queue.push_back(file.identity);
        }
    }

    /// Gives a file its turn when those before it have had theirs.
    fn enqueue(&mut self, identity: Identity) {
        if let Some(file) = self.files.get_mut(&identity).filter(|file| !file.is_queued) {
            file.is_queued = true;
            self.queue.push_back(identity);
        }
    }

    /// Has the host forget the mark of a file that is followed no more.
    fn forget(&mut self, identity: Identity, io: &mut SourceIo<'_>) -> Result<(), Closed> {
        self.files.remove(&identity);
        self.open.retain(|open| *open != identity);
        self.queue.retain(|queued| *queued != identity);
        self.outbox.send(io, &identity.to_string(), "")
    }
}

/// Whether there is still somebody to read for.
fn open(io: &SourceIo<'_>) -> Result<(), Closed> {
    if io.is_closed() { Err(Closed) } else { Ok(()) }
}
