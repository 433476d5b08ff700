//! The operator's end of the control socket.

use std::io::{self, Write};
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::{Duration, Instant};

use hookrail_model::command::{Command, Events, LONGEST_WAIT, Tap};
use hookrail_model::tap::TapItem;
use hookrail_model::wire::{self, Answer, Greeting, MAX_ANSWER, PROTOCOL, Reply, StreamItem};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::CallError;
use crate::lines::Lines;
use crate::manage::Manage;
use crate::peer::Peer;
use crate::socket::connect_within;

/// How long a host has for saying that it is there.
const GREETING: Duration = Duration::from_secs(30);

/// How often a call looks whether the host is stopped.
const SLICE: Duration = Duration::from_secs(1);

/// How long a call waits for its answer: no command may wait longer than that by itself.
const ANSWER: Duration = LONGEST_WAIT.saturating_add(GREETING);

/// A connection to a host that runs. A call waits for its answer for half a minute longer than any command may wait,
/// unless [`set_timeout`](Client::set_timeout) says otherwise.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    host: Peer,
    lines: Lines,
    /// How long an answer may take.
    timeout: Option<Duration>,
    next: u64,
}

impl Client {
    /// Connects to the host with this control socket.
    ///
    /// # Errors
    /// If the socket cannot be connected to.
    pub fn connect(socket: impl AsRef<Path>) -> Result<Self, CallError> {
        let socket = socket.as_ref().to_owned();
        let connected = connect_within(&socket, GREETING).and_then(|stream| Ok((Peer::of(&stream)?, stream)));
        let (host, stream) = match connected {
            Ok(connected) => connected,
            Err(cause) => return Err(CallError::Unreachable { socket, cause }),
        };
        let mut client = Client { socket, host, lines: Lines::new(stream, MAX_ANSWER), timeout: None, next: 1 };
        // A host that hangs must not hold up whoever looks which hosts there are.
        client.set_timeout(Some(GREETING))?;
        client.greeted()?;
        client.set_timeout(Some(ANSWER))?;
        Ok(client)
    }

    /// Reads what the host says first: that it speaks our protocol, or why it refuses the connection.
    fn greeted(&mut self) -> Result<(), CallError> {
        let line = self.line()?;
        match serde_json::from_slice::<Greeting>(&line) {
            Ok(greeting) if greeting.protocol == PROTOCOL => Ok(()),
            Ok(Greeting { protocol, version, .. }) => Err(self.unreadable(format_args!(
                "it is of version {version} and speaks protocol {protocol}, this program speaks {PROTOCOL}"
            ))),
            Err(_) => match self.read::<Answer>(&line)?.reply {
                Reply::Error(problem) => Err(CallError::Refused(problem)),
                Reply::Ok(_) => Err(self.unreadable("it answers before it is asked")),
            },
        }
    }

    /// The socket it is connected to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Sets how long a call waits for its answer from now on. After a call has timed out, the connection is unusable.
    ///
    /// # Errors
    /// If the system refuses the timeout, such as one of zero.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), CallError> {
        self.lines.stream.set_write_timeout(timeout).map_err(|cause| self.unreachable(cause))?;
        self.timeout = timeout;
        Ok(())
    }

    /// Executes a command on the host, and returns the answer as received.
    fn call<C: Command>(&mut self, command: &C) -> Result<Value, CallError> {
        let id = self.next;
        self.next += 1;
        let request = wire::request(id, command);
        // A path that is not UTF-8 has no JSON.
        let request = request.map_err(|error| self.unreachable(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let sent = self.lines.stream.write_all(&request);
        // A refused caller is sent the reason and disconnected, perhaps while we write: so read in any case.
        let answer = match (self.line(), sent) {
            (Ok(answer), _) => answer,
            (Err(_), Err(source)) => return Err(self.unreachable(source)),
            (Err(error), Ok(())) => return Err(error),
        };
        let Answer { id: answered, reply, .. } = self.read(&answer)?;
        match reply {
            Reply::Error(problem) => Err(CallError::Refused(problem)),
            Reply::Ok(value) if answered == Some(id) => Ok(value),
            Reply::Ok(_) => Err(self.unreadable("it answers another request")),
        }
    }

    /// Subscribes to what happens to plugins from now on.
    ///
    /// # Errors
    /// If the connection fails, or the host refuses.
    pub fn events(mut self) -> Result<EventStream, CallError> {
        self.call(&Events::new())?;
        Ok(ItemStream { client: self, is_over: false, items: PhantomData })
    }

    /// Subscribes to the messages that pass a place from now on.
    ///
    /// # Errors
    /// If the connection fails, or the host refuses.
    pub fn tap(mut self, tap: &Tap) -> Result<ItemStream<TapItem>, CallError> {
        self.call(tap)?;
        Ok(ItemStream { client: self, is_over: false, items: PhantomData })
    }

    fn line(&mut self) -> Result<Vec<u8>, CallError> {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let slice = Instant::now() + SLICE;
            match self.lines.next(Some(deadline.map_or(slice, |deadline| deadline.min(slice)))) {
                Err(cause) if cause.kind() == io::ErrorKind::TimedOut => {}
                line => return line.map_err(|cause| self.unreachable(cause)),
            }
            if let Some(pid) = self.host.stopped() {
                return Err(CallError::Stopped { pid });
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                let why = format!("{} did not answer in time", self.host);
                return Err(self.unreachable(io::Error::new(io::ErrorKind::TimedOut, why)));
            }
        }
    }

    fn read<T: DeserializeOwned>(&self, line: &[u8]) -> Result<T, CallError> {
        serde_json::from_slice(line).map_err(|error| self.unreadable(error))
    }

    fn unreachable(&self, cause: io::Error) -> CallError {
        CallError::Unreachable { socket: self.socket.clone(), cause }
    }

    fn unreadable(&self, why: impl ToString) -> CallError {
        CallError::Unreadable { socket: self.socket.clone(), why: why.to_string() }
    }
}

impl Manage for Client {
    type Error = CallError;

    fn ask<C: Command>(&mut self, command: C) -> Result<C::Answer, CallError> {
        let answer = self.call(&command)?;
        serde_json::from_value(answer).map_err(|error| self.unreadable(error))
    }
}

/// What happens to the plugins of a host, as it happens.
pub type EventStream = ItemStream<StreamItem>;

/// What a host tells, as it happens. Ends when the host ends, or has nothing more to tell; dropping it closes the
/// connection.
///
/// A thread iterates over it, or waits with [`recv_timeout`](ItemStream::recv_timeout). An event loop or a runtime
/// waits until its descriptor is readable, and then receives with a timeout of zero until that returns `Pending`.
#[derive(Debug)]
pub struct ItemStream<T> {
    client: Client,
    is_over: bool,
    items: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> ItemStream<T> {
    /// The next item; waits for it for at most `timeout`. `Pending` if there was none in time, `Ready(None)` if there
    /// will be none, since the host has ended.
    ///
    /// # Errors
    /// If the connection fails, or the host sends something else; then the stream is over.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Poll<Option<Result<T, CallError>>> {
        self.recv(Instant::now().checked_add(timeout))
    }

    fn recv(&mut self, deadline: Option<Instant>) -> Poll<Option<Result<T, CallError>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let item = match self.client.lines.next(deadline) {
            Ok(line) => self.client.read(&line),
            Err(cause) if cause.kind() == io::ErrorKind::TimedOut => return Poll::Pending,
            Err(cause) => Err(self.client.unreachable(cause)),
        };
        self.is_over = item.is_err();
        match item {
            Err(CallError::Unreachable { cause, .. }) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(None)
            }
            item => Poll::Ready(Some(item)),
        }
    }
}

/// Readable when something has come, perhaps only a part of an item, and when the stream is over.
impl<T> AsFd for ItemStream<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.client.lines.stream.as_fd()
    }
}

impl<T: DeserializeOwned> Iterator for ItemStream<T> {
    type Item = Result<T, CallError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Poll::Ready(item) = self.recv(None) {
                return item;
            }
        }
    }
}
