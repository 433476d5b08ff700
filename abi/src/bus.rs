//! Publishing and subscribing: messages from any plugin of a host to any other. A test without a host publishes and sees what
//! was published by [`Running::publish`](crate::testing::Running::publish) and what stands beside it.

mod subscribe;

use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Duration;

pub use subscribe::Subscribe;

use crate::boundary::{BusService, STREAM_CLOSED, STREAM_OK, STREAM_OWN_QUEUE, STREAM_TOO_DEEP, StreamIo};
use crate::error::{Error, Result};
use crate::host::{Instance, service};
use crate::stream::{End, Received, SinkIo};
use crate::{Message, Text};

/// Publishes messages on the bus of the host. Dropping it closes it.
///
/// ```no_run
/// use hookrail_abi::prelude::*;
///
/// fn greet(instance: Instance) -> Result<()> {
///     let mut publisher = instance.publisher()?;
///     publisher.send(&mut Message::new("greetings", "hello"))?;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Publisher {
    end: End<'static>,
    /// Dropped last: it ends what `end` is for.
    _open: Open,
}

/// Receives messages from the bus of the host. Dropping it ends the subscription: what it has not answered for is dropped,
/// unless a newer generation of the instance has a subscription of the same name.
///
/// ```no_run
/// use hookrail_abi::bus::Subscribe;
/// use hookrail_abi::prelude::*;
///
/// /// Runs on a thread of the plugin, until the instance is stopped.
/// fn follow(instance: Instance) -> Result<()> {
///     let mut errors = instance.subscribe(&Subscribe::to("errors", "log.>").header("level", "error"))?;
///     loop {
///         let taken = match errors.recv(64, None) {
///             Received::Messages(messages) => {
///                 messages.iter().for_each(|message| eprintln!("{}", message.body.to_display()));
///                 messages.len()
///             }
///             Received::Nothing => continue,
///             Received::Closed => return Ok(()),
///         };
///         errors.ack(taken);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Subscription {
    io: SinkIo<'static>,
    /// Dropped last: it ends what `io` is for.
    _open: Open,
}

/// Why messages were not published: none was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotPublished {
    /// The instance is being stopped, or the bus has ended.
    Closed,
    /// A subscription that blocks wants them and is full, and it is this thread that has received from it last: waiting
    /// for room would never end. The log of the host names it.
    OwnQueue,
    /// Messages are being published on this thread too deep already: a callback that publishes was called for what it has
    /// published itself.
    TooDeep,
}

impl fmt::Display for NotPublished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotPublished::Closed => "the host has closed the bus for this instance",
            NotPublished::OwnQueue => {
                "a subscription that blocks is full, and this thread is to empty it: answer for what was received first, \
                 publish from another thread, or subscribe with a policy that drops"
            }
            NotPublished::TooDeep => {
                "a callback publishes while its own message is being published; publish from another thread, or pass over \
                 what this instance has published"
            }
        })
    }
}

impl std::error::Error for NotPublished {}

/// An end that is open.
#[derive(Debug)]
struct Open {
    instance: Instance,
    id: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(service) = service::<BusService>("bus/1") {
            // SAFETY: the service takes the handle that the host gave us; whoever drops this uses the end no more.
            unsafe { (service.close)(self.instance.handle(), self.id) };
        }
    }
}

impl Instance {
    /// Opens an end that publishes on the bus of the host, until it is dropped or the instance is stopped.
    ///
    /// # Errors
    /// If the host does not offer `bus/1`, or refuses: the instance has too many, say, or is being stopped.
    pub fn publisher(&self) -> Result<Publisher> {
        let service = bus()?;
        // SAFETY: the service takes the handle that the host gave us, and writes to variables of our own.
        let open =
            |io: *mut StreamIo, id: &mut u64, why: &mut Text| unsafe { (service.publish)(self.handle(), io, id, why) };
        let (end, open) = opened(self, open)?;
        Ok(Publisher { end, _open: open })
    }

    /// Subscribes to messages of the bus of the host, until the subscription is dropped or the instance is stopped.
    ///
    /// # Errors
    /// As for [`publisher`](Self::publisher), and if the instance has a subscription of that name, or something in it is
    /// malformed.
    pub fn subscribe(&self, wanted: &Subscribe) -> Result<Subscription> {
        let service = bus()?;
        let open = |io: *mut StreamIo, id: &mut u64, why: &mut Text| {
            // SAFETY: as above, and the specification holds for the call.
            wanted.crossing(|spec| unsafe { (service.subscribe)(self.handle(), spec, io, id, why) })
        };
        let (end, open) = opened(self, open)?;
        Ok(Subscription { io: SinkIo::of(end), _open: open })
    }
}

fn bus() -> Result<BusService> {
    service("bus/1").ok_or_else(|| "the host has no service bus/1".into())
}

fn opened(
    instance: &Instance,
    open: impl FnOnce(*mut StreamIo, &mut u64, &mut Text) -> u32,
) -> Result<(End<'static>, Open)> {
    let (mut io, mut id, mut why) = (MaybeUninit::<StreamIo>::zeroed(), 0, Text::new());
    let io = io.as_mut_ptr();
    // SAFETY: it is ours, and begins with its size.
    unsafe { io.cast::<u32>().write(size_of::<StreamIo>() as u32) };
    match open(io, &mut id, &mut why) {
        0 => {
            let open = Open { instance: *instance, id };
            // SAFETY: the host has written it, and it holds until `open` is dropped, which whoever has the end has too.
            let end = unsafe { End::new(io) }.map_err(|incomplete| Error::from(incomplete.to_string()))?;
            Ok((end, open))
        }
        _ => Err(Error::from(why.as_str())),
    }
}

impl Publisher {
    /// Publishes a message, which is left empty: it is decided by the chain of `message.publish`, on this thread, and put
    /// into the queue of each subscription that wants it. Waits while one of those whose policy is to block is full.
    ///
    /// # Errors
    /// If it is not taken.
    pub fn send(&mut self, message: &mut Message) -> Result<(), NotPublished> {
        self.send_batch(std::slice::from_mut(message))
    }

    /// As [`send`](Self::send), for several messages: all of them, or none.
    ///
    /// # Errors
    /// If none is taken.
    pub fn send_batch(&mut self, messages: &mut [Message]) -> Result<(), NotPublished> {
        self.send_within(messages, None).map(|_| ())
    }

    /// As [`send_batch`](Self::send_batch), but returns false, and takes nothing, if a queue has no room for that time.
    ///
    /// # Errors
    /// As for [`send_batch`](Self::send_batch).
    pub fn send_within(&mut self, messages: &mut [Message], limit: Option<Duration>) -> Result<bool, NotPublished> {
        match self.end.send(messages, None, limit) {
            STREAM_OK => Ok(true),
            STREAM_CLOSED => Err(NotPublished::Closed),
            STREAM_OWN_QUEUE => Err(NotPublished::OwnQueue),
            STREAM_TOO_DEEP => Err(NotPublished::TooDeep),
            _ => Ok(false),
        }
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.end.wait(Duration::ZERO)
    }

    /// A descriptor that is readable once it is closed: for a runtime. `None` if the system has none left.
    pub fn watch(&self) -> Option<OwnedFd> {
        self.end.watch()
    }
}

impl Subscription {
    /// Receives the next messages, as [`SinkIo::recv`] does.
    pub fn recv(&mut self, most: usize, limit: Option<Duration>) -> Received<'_> {
        self.io.recv(most, limit)
    }

    /// The oldest `count` messages that were received are done with.
    pub fn ack(&mut self, count: usize) {
        self.io.ack(count);
    }

    /// The oldest `count` messages that were received are dropped, for that reason.
    pub fn reject(&mut self, count: usize, why: &str) {
        self.io.reject(count, why);
    }

    /// All messages that were received and not answered for come again, after a pause, for that reason.
    pub fn retry(&mut self, why: &str) {
        self.io.retry(why);
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.io.is_closed()
    }

    /// Waits for that long, or until it is closed; returns whether it is.
    pub fn wait(&self, time: Duration) -> bool {
        self.io.wait(time)
    }

    /// A descriptor that is readable while it can receive without waiting, and once it is closed: for a runtime. `None` if
    /// the system has none left.
    pub fn watch(&self) -> Option<OwnedFd> {
        self.io.watch()
    }
}
