//! The host's end of the control socket: one thread that accepts, and one for each connection.
//!
//! No connection can hold up the host or another connection: each has its own thread, request lines and the number of
//! connections are limited, and what a peer does not read in time is abandoned or dropped.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hookrail_dispatch::{Condvar, reclaim};
use hookrail_model::error::ApiMisuse;
use hookrail_model::log;
use hookrail_model::wire::{Answer, Greeting, InvalidRequest, MAX_LINE, RawRequest, Reply, line};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendFlags, send};
use serde::Serialize;
use serde_json::Value;

use crate::call::Caller;
use crate::error::{ControlError, Error};
use crate::feed::Feed;
use crate::manager::Manager;
use crate::peer::Peer as Process;

/// The largest number of simultaneous connections.
const MAX_CONNECTIONS: usize = 64;

/// How long a connection may ask for nothing before it makes room for another one, once there are as many as there may be.
const IDLE: Duration = Duration::from_secs(30);

/// How long a write waits for a peer that does not read.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// How often a connection that waits for events is checked.
const SLICE: Duration = Duration::from_millis(200);

type Report = Box<dyn Fn() -> Value + Send + Sync>;

/// What the threads of a control channel share. The host may be dropped before it.
pub(super) struct Server {
    manager: Manager,
    report: Mutex<Option<Arc<Report>>>,
    open: Mutex<Open>,
    closed: Condvar,
}

/// The open connections, kept in order to close them.
#[derive(Default)]
struct Open {
    next: u64,
    peers: BTreeMap<u64, Arc<Peer>>,
    closed: bool,
}

/// The other end of a connection.
struct Peer {
    stream: UnixStream,
    /// Since when it has asked for nothing; `None` while something is done for it.
    idle: Mutex<Option<Instant>>,
}

/// An open connection. Dropping it frees its place.
struct Connection {
    server: Arc<Server>,
    number: u64,
    peer: Arc<Peer>,
}

impl Open {
    /// Makes room for one more connection, if there is none, by closing the one that has been idle the longest.
    fn make_room(&mut self) -> Result<(), ControlError> {
        if self.peers.len() < MAX_CONNECTIONS {
            return Ok(());
        }
        let idle = self.peers.iter().filter_map(|(number, peer)| Some(((*peer.idle.lock())?, *number)));
        match idle.min().filter(|(since, _)| since.elapsed() > IDLE) {
            Some((_, number)) => {
                let peer = self.peers.remove(&number).expect("it is one of them");
                // A peer that has hung up is already gone.
                let _ = peer.stream.shutdown(std::net::Shutdown::Both);
                Ok(())
            }
            None => Err(ControlError::TooManyConnections { limit: MAX_CONNECTIONS }),
        }
    }
}

impl Server {
    pub(super) fn new(manager: Manager) -> Arc<Self> {
        Arc::new(Server { manager, report: Mutex::default(), open: Mutex::default(), closed: Condvar::default() })
    }

    pub(super) fn report(&self, report: Report) {
        let before = self.report.lock().replace(Arc::new(report));
        // It holds values of the program, whose drop may do anything.
        drop(before);
    }

    /// Closes all connections, and admits no more.
    pub(super) fn close(&self) {
        let mut open = self.open.lock();
        open.closed = true;
        self.closed.notify_all();
        for peer in open.peers.values() {
            // A peer that has hung up is already gone.
            let _ = peer.stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Accepts connections until the server is closed.
    pub(super) fn accept(self: &Arc<Self>, listener: &UnixListener) {
        loop {
            match listener.accept() {
                Ok((stream, _)) => self.admit(stream),
                Err(error) => {
                    let mut open = self.open.lock();
                    if open.closed {
                        return;
                    }
                    log!(debug, "the control socket accepts no connection: {error}");
                    // Out of descriptors or memory: that may pass, and nothing signals when it does.
                    self.closed.wait(&mut open, Some(Instant::now() + SLICE));
                }
            }
        }
    }

    /// Starts a thread for a connection, or tells the peer why not.
    fn admit(self: &Arc<Self>, stream: UnixStream) {
        let Err(refused) = self.check(&stream).and_then(|()| Connection::open(self, &stream)) else { return };
        let answer = Answer::new(None, Reply::Error(refused.problem()));
        // The first line of a connection fits the system's buffer.
        let _ = write(&stream, &answer, true);
    }

    fn check(&self, stream: &UnixStream) -> Result<(), Error> {
        let failed = |source| Error::system("look at a connection".into(), source);
        stream.set_write_timeout(Some(WRITE_PATIENCE)).map_err(failed)?;
        let user = Process::of(stream).map_err(failed)?.user;
        let owner = rustix::process::geteuid().as_raw();
        if user == owner || user == 0 { Ok(()) } else { Err(ControlError::NotAllowed { user, owner }.into()) }
    }

    fn is_closed(&self) -> bool {
        self.open.lock().closed
    }
}

impl Connection {
    fn open(server: &Arc<Server>, stream: &UnixStream) -> Result<(), Error> {
        let failed = |source| Error::system("open a connection".into(), source);
        let mut open = server.open.lock();
        if open.closed {
            return Err(ApiMisuse::Closing.into());
        }
        open.make_room()?;
        let stream = stream.try_clone().map_err(failed)?;
        let peer = Arc::new(Peer { stream, idle: Mutex::new(Some(Instant::now())) });
        open.next += 1;
        let number = open.next;
        open.peers.insert(number, peer.clone());
        drop(open);
        // INVARIANT: from here on, dropping it frees its place.
        let connection = Connection { server: server.clone(), number, peer };
        let thread = thread::Builder::new().name("hookrail-control".into());
        thread.spawn(move || connection.serve()).map_err(failed)?;
        Ok(())
    }

    /// Answers requests one after the other, until the peer closes the connection.
    fn serve(&self) {
        if write(&self.peer.stream, &Greeting::here(), true).is_err() {
            return;
        }
        let mut input = BufReader::new(&self.peer.stream);
        let mut text = Vec::new();
        loop {
            text.clear();
            *self.peer.idle.lock() = Some(Instant::now());
            let read = input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut text);
            *self.peer.idle.lock() = None;
            let (id, outcome, then) = match (read, text.last()) {
                // An incomplete line is not a request.
                (Err(_), _) | (Ok(_), None) => return,
                (Ok(_), Some(b'\n')) => self.answer(&text),
                (Ok(length), _) if length <= MAX_LINE => return,
                (Ok(_), _) => (None, Err(ControlError::LineTooLong { limit: MAX_LINE }.into()), Then::Close),
            };
            let reply = outcome.map_or_else(|error| Reply::Error(error.problem()), Reply::Ok);
            let written = write(&self.peer.stream, &Answer::new(id, reply), true);
            match (written, then) {
                (Ok(()), Then::GoOn) => {}
                (Ok(()), Then::Tell(mut feed)) => return self.tell(&mut *feed),
                (Ok(()), Then::Close) | (Err(_), _) => return,
            }
        }
    }

    fn answer(&self, text: &[u8]) -> (Option<u64>, Result<Value, Error>, Then) {
        let request = match RawRequest::read(text) {
            Ok(request) => request,
            Err(InvalidRequest { id, why, .. }) => return (id, Err(ControlError::BadRequest(why).into()), Then::GoOn),
        };
        let id = Some(request.id);
        let RawRequest { command, params, .. } = &request;
        match self.server.manager.begin_to_tell(self, command, params) {
            None => (id, self.execute(request), Then::GoOn),
            Some(Ok(feed)) => (id, Ok(Value::Null), Then::Tell(feed)),
            Some(Err(error)) if self.server.manager.core().is_err() => (id, Err(error), Then::Close),
            Some(Err(error)) => (id, Err(error), Then::GoOn),
        }
    }

    fn execute(&self, request: RawRequest) -> Result<Value, Error> {
        let manager = &self.server.manager;
        let handler = manager.find(&request.command)?;
        let execute = || manager.call(self, |call| handler.execute(call, request.params));
        if !handler.requirements().plugins {
            return execute();
        }
        // On a thread that ends with the command: what plugins leave for the exit of a thread must not stay until the
        // connection is closed, since unloading them would wait for it.
        thread::scope(|scope| {
            let acting = thread::Builder::new().name("hookrail-act".into());
            let acting = acting
                .spawn_scoped(scope, || reclaim::running(execute))
                .map_err(|source| Error::system("start a thread".into(), source))?;
            acting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Tells the peer until it hangs up, or until there is no more to tell.
    fn tell(&self, feed: &mut dyn Feed) {
        loop {
            let mut news = Vec::new();
            let is_over =
                feed.next(SLICE, &mut news) || (news.is_empty() && (self.is_gone() || self.server.is_closed()));
            if news.iter().any(|told| write(&self.peer.stream, told, false).is_err()) || is_over {
                return;
            }
        }
    }
}

impl Caller for Connection {
    fn is_gone(&self) -> bool {
        // A peer that has only finished sending still counts: it may be waiting for its answers.
        let mut polled = [PollFd::new(&self.peer.stream, PollFlags::empty())];
        let asked = poll(&mut polled, Some(&Timespec::default()));
        asked.is_err() || polled[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
    }

    fn report(&self) -> Value {
        // Without the lock, since it is code of the program.
        let report = self.server.report.lock().clone();
        report.map_or(Value::Null, |report| report())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Others may still hold the stream; the peer must see the end now.
        let _ = self.peer.stream.shutdown(std::net::Shutdown::Both);
        self.server.open.lock().peers.remove(&self.number);
    }
}

/// What follows an answer.
enum Then {
    Close,
    GoOn,
    Tell(Box<dyn Feed>),
}

/// Writes a line. Where the peer `must_read`, a peer that does not read is given up after a while.
fn write(stream: &UnixStream, value: &impl Serialize, must_read: bool) -> io::Result<()> {
    let line = line(value)?;
    let mut left = &line[..];
    while !left.is_empty() {
        // No signal: a program that is not written in Rust may die of it.
        match send(stream, left, SendFlags::NOSIGNAL) {
            Ok(written) => left = &left[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) if !must_read => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_was_idle_the_longest_makes_room() {
        let now = Instant::now();
        let mut open = Open::default();
        let ago = |seconds: u64| now.checked_sub(Duration::from_secs(seconds)).expect("the machine runs for minutes");
        for number in 0..MAX_CONNECTIONS as u64 {
            assert!(open.make_room().is_ok());
            // Not yet, so that none becomes idle for long while this runs.
            let idle = Mutex::new(Some(now + Duration::from_secs(3600 - number % 30)));
            open.peers.insert(number, Arc::new(Peer { stream: UnixStream::pair().unwrap().0, idle }));
        }
        assert!(open.make_room().is_err(), "none has been idle for long");
        // What is worked on, or waits for events, is never closed.
        *open.peers[&7].idle.lock() = None;
        for (number, seconds) in [(3, 40), (5, 60), (9, 50)] {
            *open.peers[&number].idle.lock() = Some(ago(seconds));
        }
        for number in [5, 9, 3] {
            assert!(open.make_room().is_ok());
            assert!(!open.peers.contains_key(&number), "{number} made room");
            open.peers
                .insert(100 + number, Arc::new(Peer { stream: UnixStream::pair().unwrap().0, idle: Mutex::default() }));
        }
        assert!(open.make_room().is_err());
    }
}
