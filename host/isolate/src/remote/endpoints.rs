//! The sources and sinks of a plugin in a worker, as the host runs them: each has a socket of its own while it runs, by which
//! it asks for what [`StreamIo`] offers, and is answered by the thread that an endpoint of this process would run on.
//!
//! A worker that ends is a failure of its endpoints, which are accepted again by the next one. What a sink had received and
//! not answered for is given again.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use hookrail_abi::boundary::StreamIo;
use hookrail_engine::{Accepts, Endpoint};
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::note::EndpointKind;
use hookrail_model::units::duration_text;

use super::answering::{Host, SLICE};
use super::live::Live;
use super::plugin::{Plugin, unexpected};
use super::worker::Worker;
use crate::wire::{Answer, Ask, EndpointId, FromEndpoint, Receiver, Sender, pair};

/// The endpoints of an instance.
pub(super) struct Endpoints {
    pub(super) plugin: Arc<Plugin>,
    pub(super) worker: Arc<Worker>,
    pub(super) instance: String,
}

/// One endpoint, in one process.
struct Made {
    plugin: Arc<Plugin>,
    live: Arc<Live>,
    instance: String,
    id: EndpointId,
    /// Whether it was run; then its worker has freed it.
    has_run: bool,
}

impl Endpoints {
    fn ask(&self, ask: Ask) -> Result<(Arc<Live>, Answer), Error> {
        let call = ask.call();
        let live = self.worker.live(Instant::now() + self.plugin.patience);
        let live = live.map_err(|why| Error::misbehaved(&*self.instance, Misbehaved::worker_ended(call, why)))?;
        let answer = self.plugin.ask(&live, &self.instance, ask)?;
        Ok((live, answer))
    }

    fn unexpected(&self, live: &Live, call: &'static str) -> Error {
        unexpected(live, &self.instance, call, self.plugin.patience)
    }
}

impl Accepts for Endpoints {
    fn accept(&self, kind: EndpointKind, name: &str, config: &str) -> Result<Box<dyn Endpoint>, Error> {
        let (plugin, instance) = (self.plugin.number, self.instance.clone());
        let ask = Ask::Accept { plugin, instance: instance.clone(), kind, name: name.into(), config: config.into() };
        match self.ask(ask)? {
            (live, Answer::Accepted(id)) => {
                Ok(Box::new(Made { plugin: self.plugin.clone(), live, instance, id, has_run: false }))
            }
            (live, _) => Err(self.unexpected(&live, "accept")),
        }
    }

    fn schema(&self, kind: EndpointKind, name: &str) -> Result<Option<String>, Error> {
        let (plugin, instance) = (self.plugin.number, self.instance.clone());
        match self.ask(Ask::EndpointSchema { plugin, instance, kind, name: name.into() })? {
            (_, Answer::Schema(schema)) => Ok(schema),
            (live, _) => Err(self.unexpected(&live, "schema")),
        }
    }
}

impl std::fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoints").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Endpoint for Made {
    unsafe fn run(&mut self, io: *const StreamIo) -> Result<(), Error> {
        let failed = |cause: io::Error| Error::system("speak with an endpoint in its worker", cause);
        let (ours, theirs) = pair().map_err(failed)?;
        self.has_run = true;
        let ask = Ask::Run { plugin: self.plugin.number, endpoint: self.id };
        let began = self.live.ask(ask, Some(theirs.as_fd()), self.plugin.patience);
        began.map_err(|failed| failed.into_error(&self.instance, "run", self.plugin.patience))?;
        // Only the worker has it: its end is seen here.
        drop(theirs);
        // Who begins a frame ends it.
        ours.set_read_timeout(Some(self.plugin.patience)).map_err(failed)?;
        ours.set_write_timeout(Some(self.plugin.patience)).map_err(failed)?;
        let sender = Sender::of_messages(ours.try_clone().map_err(failed)?);
        let mut receiver = Receiver::of_messages(ours);
        // SAFETY: the caller promises that the table is there until this returns, and used by this call alone.
        let mut host = unsafe { Host::new(&*io, &self.live) };
        loop {
            self.wait_for_it(&receiver, &host).map_err(failed)?;
            let asked = match receiver.receive::<FromEndpoint>() {
                Ok(Some((FromEndpoint::Ran(ran), _))) => return ran.map_err(Error::from),
                Ok(Some((asked, _))) => asked,
                Ok(None) | Err(_) => return Err(self.ended()),
            };
            let Some((answer, descriptor)) = host.answer(asked) else { return Err(self.ended()) };
            let descriptor = descriptor.as_ref().map(AsFd::as_fd);
            match sender.send(&answer, descriptor.as_slice()) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(failed(error)),
                Err(_) => return Err(self.ended()),
            }
        }
    }
}

impl Made {
    /// Waits until the endpoint asks for something. One that is told to end and does not, ends with its process: no other
    /// code is to wait for it.
    fn wait_for_it(&self, receiver: &Receiver, host: &Host<'_>) -> io::Result<()> {
        let mut told = None;
        while !receiver.is_readable(SLICE)? {
            if !host.is_closed() {
                continue;
            }
            if told.get_or_insert_with(Instant::now).elapsed() >= self.plugin.patience {
                let patience = duration_text(self.plugin.patience);
                self.live.abort(None, format!("an endpoint did not return within {patience} after it was told to end"));
                told = None;
            }
        }
        Ok(())
    }

    /// It speaks no more, or not as an endpoint does: its process has ended, or ends now.
    fn ended(&self) -> Error {
        self.live.kill();
        Error::misbehaved(&*self.instance, Misbehaved::worker_ended("run", self.live.how_it_ended()))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !self.has_run {
            // With a process that ends, it is gone as well.
            let free = Ask::Free { plugin: self.plugin.number, endpoint: self.id };
            let _ = self.live.ask(free, None, self.plugin.patience);
        }
    }
}
