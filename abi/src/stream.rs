//! Sources and sinks of a plugin: where the messages of pipelines come from, and where they go.

mod endpoint;
mod io;
mod table;

pub(crate) use endpoint::Accepted;
#[doc(hidden)]
pub use endpoint::endpoint_words;
pub use endpoint::{Endpoint, EndpointKind, Endpoints, Guarantee};
pub(crate) use io::End;
pub use io::{Closed, Mark, Received, SinkIo, SourceIo};
pub(crate) use table::table;

use crate::Result;

/// Where messages come from: one use of a source in a pipeline. A closure `|io| ...` is one, too.
///
/// ```
/// use std::time::Duration;
///
/// use hookrail_abi::prelude::*;
///
/// /// How often it ticks.
/// #[config]
/// struct Every {
///     milliseconds: u64,
/// }
///
/// struct Clock;
///
/// impl Clock {
///     fn ticks(&self, every: Every) -> Result<impl Source> {
///         let every = Duration::from_millis(every.milliseconds);
///         Ok(move |io: &mut SourceIo<'_>| {
///             while !io.wait(every) {
///                 io.send(&mut Message::new("clock", "tick"))?;
///             }
///             Ok(())
///         })
///     }
/// }
///
/// impl Plugin for Clock {
///     type Config = NoConfig;
///     const HOOKS: Hooks<Self> = &[];
///     const ENDPOINTS: Endpoints<Self> = endpoints![source "ticks" => Self::ticks];
///
///     fn start(_: &Startup, _: NoConfig) -> Result<Self> {
///         Ok(Clock)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source",
    note = "implement `Source` for it, or return a closure `move |io: &mut SourceIo<'_>| ...` that is `Send`"
)]
pub trait Source: Send + 'static {
    /// Sends messages, on a thread of the host that does nothing else, until there are no more or `io` is closed. Called
    /// once.
    ///
    /// # Errors
    /// Any error has the host start another one in its place, after a pause; [`Closed`], which `?` passes on, does not.
    fn run(&mut self, io: &mut SourceIo<'_>) -> Result<()>;
}

/// Where messages go: one use of a sink in a pipeline. A closure `|io| ...` is one, too.
///
/// ```
/// use std::io::Write;
/// use std::fs::File;
///
/// use hookrail_abi::prelude::*;
///
/// struct Lines(File);
///
/// impl Sink for Lines {
///     fn run(&mut self, io: &mut SinkIo<'_>) -> Result<()> {
///         loop {
///             let taken = match io.recv(256, None) {
///                 Received::Messages(messages) => {
///                     for message in messages {
///                         self.0.write_all(&message.body)?;
///                         self.0.write_all(b"\n")?;
///                     }
///                     messages.len()
///                 }
///                 Received::Nothing => continue,
///                 Received::Closed => return Ok(()),
///             };
///             io.ack(taken);
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no sink",
    note = "implement `Sink` for it, or return a closure `move |io: &mut SinkIo<'_>| ...` that is `Send`"
)]
pub trait Sink: Send + 'static {
    /// Takes messages, on a thread of the host that does nothing else, until there are no more. Called once.
    ///
    /// # Errors
    /// Any error has the host start another one in its place, after a pause: it is given what this one has not answered
    /// for.
    fn run(&mut self, io: &mut SinkIo<'_>) -> Result<()>;
}

#[diagnostic::do_not_recommend]
impl<F: FnMut(&mut SourceIo<'_>) -> Result<()> + Send + 'static> Source for F {
    fn run(&mut self, io: &mut SourceIo<'_>) -> Result<()> {
        self(io)
    }
}

#[diagnostic::do_not_recommend]
impl<F: FnMut(&mut SinkIo<'_>) -> Result<()> + Send + 'static> Sink for F {
    fn run(&mut self, io: &mut SinkIo<'_>) -> Result<()> {
        self(io)
    }
}
