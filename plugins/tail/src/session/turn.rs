//! A file's turn: a bounded part of it is read and sent.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::mem::take;
use std::time::Instant;

use hookrail_abi::Closed;
use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;

use super::Session;
use crate::entries::Rest;
use crate::followed::Followed;
use crate::identity::Identity;
use crate::places::{self, Stamp};
use crate::position::Position;
use crate::reader::{Read, Window};

/// How a turn has ended.
enum Then {
    /// There is more to read.
    Again,
    /// The file is followed no more.
    Forget,
    /// It was read to its end, or cannot be read.
    Wait,
}

/// Why a turn was cut short.
enum Short {
    Closed(Closed),
    Failed(io::Error),
}

impl From<Closed> for Short {
    fn from(closed: Closed) -> Self {
        Short::Closed(closed)
    }
}

impl From<io::Error> for Short {
    fn from(error: io::Error) -> Self {
        Short::Failed(error)
    }
}

impl Session {
    /// Reads a part of the file, and sends it.
    pub(super) fn turn(&mut self, identity: Identity, io: &mut SourceIo<'_>) -> Result<(), Closed> {
        // Taken out, since to open it another one may have to be closed.
        let Some(mut file) = self.files.remove(&identity) else { return Ok(()) };
        let is_queued = |other| self.files.get(&other).is_some_and(|other| other.is_queued);
        let then = if file.after.is_some_and(is_queued) {
            Then::Again
        } else {
            file.after = None;
            match self.read(&mut file, io) {
                Ok(then) => then,
                Err(Short::Closed(closed)) => return Err(closed),
                Err(Short::Failed(error)) => self.fail(&mut file, &error),
            }
        };
        match then {
            Then::Forget => return self.forget(identity, io),
            Then::Again => self.queue.push_back(identity),
            Then::Wait => file.is_queued = false,
        }
        self.files.insert(identity, file);
        Ok(())
    }

    fn read(&mut self, file: &mut Followed, io: &mut SourceIo<'_>) -> Result<Then, Short> {
        self.open(file)?;
        let (metadata, now) = (file.opened().metadata()?, Instant::now());
        let size = file.note(Stamp::of(&metadata), now);
        if let Some(end) = file.end {
            self.begin_at_end(file, end, &metadata, io)?;
        }
        let rest = if file.is_leaving { Rest::None } else { self.wanted.rest(now.duration_since(file.grown)) };
        let (open, is_fresh) = (file.file.as_ref().expect("it was opened above"), take(&mut file.is_fresh));
        let read = self.reader.read(open, &mut file.position, size, is_fresh, rest)?;
        self.said.settle(&file.place);
        let is_more = match read {
            Read::Rewritten => return Ok(self.begin_again(file, io)?),
            Read::Nothing(is_more) => is_more,
            Read::Long(body, cut, next) => {
                self.outbox.push(&file.topic, &file.path, self.reader.bytes(body), cut);
                file.position = next;
                self.send(file, io)?;
                next.offset < size
            }
            Read::Window(window) => self.send_window(window, file, size, io)?,
        };
        Ok(if is_more {
            Then::Again
        } else if file.is_leaving {
            Then::Forget
        } else {
            file.waited = rest;
            Then::Wait
        })
    }

    /// Begins a file behind what was there when it was found, and says so to the host.
    fn begin_at_end(
        &mut self,
        file: &mut Followed,
        end: u64,
        metadata: &Metadata,
        io: &mut SourceIo<'_>,
    ) -> Result<(), Short> {
        let idle = self.wanted.idle_flush;
        let is_settled = !idle.is_zero() && places::is_older(metadata, idle);
        // One that is shorter by now was begun anew.
        if end <= metadata.len() {
            file.position = self.reader.end(file.opened(), end, is_settled)?;
        }
        file.end = None;
        Ok(self.send(file, io)?)
    }

    /// Sends the messages in the window; returns whether there is more to read.
    fn send_window(
        &mut self,
        mut window: Window,
        file: &mut Followed,
        size: u64,
        io: &mut SourceIo<'_>,
    ) -> Result<bool, Closed> {
        while let Some((body, cut)) = self.reader.next(&mut window) {
            self.outbox.push(&file.topic, &file.path, body, cut);
            if self.outbox.is_full() {
                self.reader.advance(&window, &mut file.position);
                self.send(file, io)?;
            }
        }
        if !self.outbox.is_empty() {
            self.reader.advance(&window, &mut file.position);
            self.send(file, io)?;
        }
        Ok(self.reader.close(&window, &mut file.position, size))
    }

    /// Sends the messages up to the position of the file.
    fn send(&mut self, file: &Followed, io: &mut SourceIo<'_>) -> Result<(), Closed> {
        file.position.mark(&mut self.mark, &file.path);
        self.outbox.send(io, &file.identity.to_string(), &self.mark)
    }

    /// What was read of the file is not there any more: it was truncated, or another one has its inode.
    fn begin_again(&mut self, file: &mut Followed, io: &mut SourceIo<'_>) -> Result<Then, Closed> {
        if file.missing.is_some() {
            // It has the inode of the one that is gone, but nobody wants it.
            return Ok(Then::Forget);
        }
        let place = file.place.display();
        self.said
            .say(Level::Info, format_args!("{place}: it was truncated or replaced; it is read from its beginning"));
        file.path = place.to_string();
        file.topic = self.wanted.topic.of(&file.place);
        file.position = Position::START;
        self.send(file, io)?;
        Ok(Then::Again)
    }

    fn fail(&mut self, file: &mut Followed, error: &io::Error) -> Then {
        file.file = None;
        file.has_failed = true;
        self.open.retain(|open| *open != file.identity);
        // The rescan finds out where it is now.
        if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::StaleNetworkFileHandle) {
            self.said.once(&file.place, format_args!("cannot read it: {error}; that is tried again at each rescan"));
        }
        if file.is_leaving { Then::Forget } else { Then::Wait }
    }

    fn open(&mut self, file: &mut Followed) -> io::Result<()> {
        if file.file.is_some() {
            if self.open.back() == Some(&file.identity) {
                return Ok(());
            }
            self.open.retain(|open| *open != file.identity);
        } else {
            while self.open.len() >= self.max_open {
                self.close_one();
            }
            let mut opened = places::open(&file.place, file.identity);
            while opened.as_ref().is_err_and(places::has_none_left) && self.make_room() {
                opened = places::open(&file.place, file.identity);
            }
            file.file = Some(opened?);
            file.is_fresh = true;
        }
        self.open.push_back(file.identity);
        Ok(())
    }

    /// Leaves some descriptors to others, since the system has no more; returns whether there were any.
    pub(super) fn make_room(&mut self) -> bool {
        const ROOM: usize = 8;
        let had = self.open.len();
        let most = had.saturating_sub(ROOM).max(1);
        while self.open.len() > most.min(had.saturating_sub(1)) {
            self.close_one();
        }
        if std::mem::replace(&mut self.max_open, most) != most {
            let said = format_args!("no descriptors are left: from now on, at most {most} files are open");
            self.said.say(Level::Warn, said);
        }
        had > 0
    }

    /// Closes the file that was read longest ago, of those that can be opened again; returns whether there was one.
    fn close_one(&mut self) -> bool {
        let find =
            |is_it: fn(&Followed) -> bool| self.open.iter().position(|open| self.files.get(open).is_some_and(is_it));
        let last = || (!self.open.is_empty()).then_some(0);
        let found = find(|file| file.missing.is_none()).or_else(|| find(|file| file.unsent() == 0)).or_else(last);
        let closed = found.and_then(|at| self.open.remove(at));
        if let Some(file) = closed.and_then(|closed| self.files.get_mut(&closed)) {
            file.file = None;
        }
        closed.is_some()
    }
}
