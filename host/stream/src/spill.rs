//! A queue on disk: what comes in is written before its source goes on, and what goes out is forgotten when it is
//! answered for.
//!
//! A queue is a directory:
//!
//! | file | what |
//! |---|---|
//! | `NUMBER.queue` | a segment: eight bytes that say so, then records, oldest first |
//! | `index` | from where on messages are not answered for: a segment and a place in it |
//! | `lock` | locked by the host whose queue it is |
//! | `damaged/NUMBER-PLACE` | bytes of a segment that were no record when they were read |
//!
//! # What is on disk when
//!
//! A message is written when its source goes on, so it outlives the process. It is synced at most a moment later,
//! and only then its source may keep a mark behind it. The data is synced before the index is written, and the index is
//! durable before a segment is removed: whatever ends the machine, nothing that is not answered for is missing, and what was
//! answered for in the last moment comes again.

mod check;
mod flush;
pub(crate) mod place;
mod reader;
mod record;
mod segment;

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hookrail_abi::{DropKind, Message};
use hookrail_model::log;

use crate::item::{Item, Kept, Refused};
pub use check::{DamagedPart, QueueReport, check};
pub(crate) use flush::Flush;
use flush::Index;
use place::Place;
use reader::{Found, Reader};
use segment::Segment;

/// From this length on a segment gets no more records, in bytes.
const SEGMENT: u64 = 16 << 20;
/// So long a queue is waited for that somebody else has open.
const PATIENCE: Duration = Duration::from_secs(1);

/// A queue on disk.
///
/// # Invariants
/// `answered <= read <= written`, and the segments from that of `answered` on are there, the last one with room for more.
#[derive(Debug)]
pub(crate) struct Spill {
    directory: PathBuf,
    /// Oldest first; the last one is written to.
    segments: VecDeque<Segment>,
    /// Up to there messages are answered for.
    answered: Place,
    /// Up to there messages were given out.
    read: Place,
    /// Up to there messages are written.
    written: Place,
    /// What was damaged and given up, and is not before `answered` yet: from there to there.
    lost: VecDeque<(Place, Place)>,
    /// What was found damaged and put aside: the segment and where it begins there.
    damaged: BTreeSet<(u64, u64)>,
    flush: Flush,
    /// The lock lasts as long as this is open.
    _lock: File,
}

impl Spill {
    /// Opens the queue of a directory, which is made if it is missing.
    ///
    /// # Errors
    /// If it is another host's, or the system refuses. What is damaged in it is put aside, and is no error.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let lock = lock(&directory.join("lock"))?;
        let index = Index::read(directory)?;
        let (segments, gone) = segment::open(directory, &index)?;
        let mut segments = VecDeque::from(segments);
        if segments.is_empty() {
            segments.push_back(Segment::create(directory, index.segment + 1, 0)?);
        }
        let first = &segments[0];
        let at = if first.number == index.segment { index.at.clamp(segment::START, first.end) } else { segment::START };
        let start = Place { number: 0, segment: first.number, at };
        let mut spill = Spill {
            directory: directory.to_owned(),
            segments,
            answered: start,
            read: start,
            written: start,
            lost: VecDeque::new(),
            damaged: BTreeSet::new(),
            flush: Flush::new(directory, gone),
            _lock: lock,
        };
        spill.count()?;
        Ok(spill)
    }

    /// Looks at all records from `answered` on: counts them, puts aside what is damaged, and cuts off what was being written
    /// when the host ended.
    fn count(&mut self) -> io::Result<()> {
        let (mut number, last) = (0, self.segments.len() - 1);
        for place in 0..=last {
            let at = if place == 0 { self.answered.at } else { segment::START };
            let segment = &mut self.segments[place];
            segment.first = number;
            let mut reader = Reader::new(&segment.file, at, segment.end);
            let (mut until, mut torn) = (at, None);
            while let Some(found) = reader.next()? {
                match found {
                    Found::Record { until: end, .. } => (until, number) = (end, number + 1),
                    Found::Damaged { until: end } => {
                        if place == last && end == segment.end && reader.is_torn(until)? {
                            torn = Some(until);
                            break;
                        }
                        segment.put_aside(&self.directory, until, end);
                        self.damaged.insert((segment.number, until));
                        until = end;
                    }
                }
            }
            if let Some(end) = torn {
                log!(warn, "{}: what was being written when its host ended is cut off", segment.path.display());
                segment.cut(end)?;
            }
            self.written = Place { number, segment: segment.number, at: segment.end };
        }
        Ok(())
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many messages are not answered for.
    pub(crate) fn held(&self) -> usize {
        let lost: u64 = self.lost.iter().map(|(from, to)| to.number - from.number).sum();
        (self.written.number - self.answered.number - lost) as usize
    }

    /// How many messages were not given out.
    pub(crate) fn waiting(&self) -> usize {
        (self.written.number - self.read.number) as usize
    }

    /// How much of the disk they take, in bytes; what is answered for in the oldest segment is not counted.
    pub(crate) fn size(&self) -> u64 {
        let all: u64 = self.segments.iter().map(|segment| segment.end).sum();
        all.saturating_sub(self.answered.at)
    }

    /// How many places in it were damaged since it was opened.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged.len() as u64
    }

    /// Writes messages behind the others: all of them, or none. Their sources are told that they are settled when they are
    /// synced. Those that can be no record are moved to `refused`.
    ///
    /// # Errors
    /// If the system refuses: then the items are as they were.
    pub(crate) fn append(&mut self, items: &mut Vec<Item>, refused: &mut Vec<Refused>) -> io::Result<()> {
        let (mut records, mut ends) = (Vec::new(), Vec::with_capacity(items.len()));
        for item in items.extract_if(.., |item| match record::append(&mut records, &item.message) {
            Ok(()) => {
                ends.push(records.len() as u64);
                false
            }
            Err(why) => {
                log!(error, "{}: a message cannot be written: {why}", self.directory.display());
                true
            }
        }) {
            refused.push((item, DropKind::Fault));
        }
        if self.last().end >= SEGMENT {
            let next = Segment::create(&self.directory, self.last().number + 1, self.written.number)?;
            self.flush.name_is_new();
            self.segments.push_back(next);
        }
        let last = self.segments.back_mut().expect("one is written to");
        let (number, start) = (last.number, last.end);
        last.append(&records)?;
        self.flush.wrote(&last.file);
        for (item, end) in items.iter_mut().zip(ends) {
            self.written = Place { number: self.written.number + 1, segment: number, at: start + end };
            if let Kept::Source(receipt) = std::mem::replace(&mut item.kept, Kept::Disk(self.written)) {
                self.flush.settle_later(receipt);
            }
        }
        Ok(())
    }

    fn last(&self) -> &Segment {
        self.segments.back().expect("one is written to")
    }

    /// What was appended last is given out, without being read again.
    pub(crate) fn skip_to(&mut self, item: &Item) {
        if let Kept::Disk(place) = item.kept {
            self.read = place;
        }
    }

    /// The next messages, and how many were lost before them because their records are damaged: `most` at most, and no more
    /// once they have `enough` bytes.
    ///
    /// # Errors
    /// If the system refuses to read: then nothing was given out.
    pub(crate) fn read(&mut self, most: usize, enough: u64) -> io::Result<(Vec<Item>, u64)> {
        let (mut items, mut lost, mut bytes) = (Vec::new(), 0, 0);
        while items.len() < most && bytes < enough && self.waiting() > 0 {
            let Some(segment) = self.segments.iter().find(|segment| segment.number == self.read.segment) else {
                break;
            };
            let next = self.segments.iter().find(|other| other.number > segment.number);
            let segment_end = next.map_or(self.written.number, |next| next.first);
            let mut reader = Reader::new(&segment.file, self.read.at, segment.end);
            let mut damaged = Vec::new();
            let before = self.read;
            let mut at = self.read;
            while items.len() < most && bytes < enough {
                match reader.next() {
                    Ok(Some(Found::Record { payload, until })) => {
                        let end = Place { number: at.number + 1, segment: at.segment, at: until };
                        bytes += until - at.at;
                        match rmp_serde::from_slice::<Message>(&payload) {
                            Ok(message) => {
                                items.push(Item::new(Arc::new(message), Kept::Disk(end)));
                            }
                            Err(_) => damaged.push((at, end)),
                        }
                        at = end;
                    }
                    Ok(Some(Found::Damaged { until })) => {
                        // How many records it was is known at the end of the segment.
                        damaged.push((at, Place { at: until, ..at }));
                        at.at = until;
                    }
                    Ok(None) => {
                        if at.number < segment_end {
                            damaged.push((at, Place { number: segment_end, ..at }));
                        }
                        at = match next {
                            Some(next) => Place { number: segment_end, segment: next.number, at: segment::START },
                            None => Place { number: segment_end, ..at },
                        };
                        break;
                    }
                    Err(error) if items.is_empty() => return Err(error),
                    Err(_) => break,
                }
            }
            for (from, to) in damaged {
                lost += self.give_up(from, to);
            }
            self.read = at;
            if at == before {
                break;
            }
        }
        Ok((items, lost))
    }

    /// What is between these places is damaged; returns how many messages that costs.
    fn give_up(&mut self, from: Place, to: Place) -> u64 {
        let is_new = to.at > from.at && self.damaged.insert((from.segment, from.at));
        if is_new && let Some(segment) = self.segments.iter().find(|segment| segment.number == from.segment) {
            segment.put_aside(&self.directory, from.at, to.at);
        }
        let is_known = self.lost.iter().any(|(known, _)| *known == from);
        if to.number == from.number || is_known {
            return 0;
        }
        self.lost.push_back((from, to));
        self.pass_lost();
        to.number - from.number
    }

    /// Messages are answered for up to that place.
    pub(crate) fn answer(&mut self, place: Place) {
        if place <= self.answered {
            return;
        }
        self.answered = place;
        self.pass_lost();
        self.read = self.read.max(self.answered);
        while self.segments.front().is_some_and(|first| first.number < self.answered.segment) {
            let gone = self.segments.pop_front().expect("it is there");
            self.flush.remove(gone.path);
        }
        self.flush.answered(self.answered);
    }

    /// What was lost behind what is answered for is over with it.
    fn pass_lost(&mut self) {
        while let Some((from, to)) = self.lost.front().copied()
            && from.number <= self.answered.number
        {
            self.answered = self.answered.max(to);
            self.lost.pop_front();
            self.flush.answered(self.answered);
        }
    }

    /// What was given out and not answered for is given out again.
    pub(crate) fn rewind(&mut self) {
        self.read = self.answered;
    }

    /// What is to be made durable, if anything is; it is done without this queue's lock.
    pub(crate) fn flush(&mut self) -> Option<Flush> {
        self.flush.take()
    }

    /// What could not be made durable is tried again.
    pub(crate) fn flush_again(&mut self, flush: Flush) {
        self.flush.put_back(flush);
    }

    /// Whether something is to be made durable.
    pub(crate) fn is_flush_due(&self) -> bool {
        self.flush.is_due()
    }
}

/// Locks that file for this host. Whoever looks at the queue, and a host that is just ending, have it for a moment.
fn lock(file: &Path) -> io::Result<File> {
    let lock = File::options().create(true).truncate(false).write(true).open(file)?;
    let until = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(PATIENCE / 20),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::WouldBlock, "another host has it open"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
