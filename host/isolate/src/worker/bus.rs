//! The service `bus/1` in this worker: an end of the bus is the host's, and has a socket, as an endpoint has.

use std::any::Any;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use hookrail_abi::boundary::{BusService, BusSpec, Handle, STREAM_TOO_DEEP, Stream, StreamIo, StreamMark};
use hookrail_abi::{Message, Text};
use hookrail_engine::{Attendant, Attending, BusWish, Caller, Endpoints, Keepsake, Revocable, Services};
use hookrail_model::error::Error;
use hookrail_model::guarded;

use super::endpoints::{self, End};
use super::questions::{Questions, Unanswered};
use super::speaking;
use crate::wire::{BusAsk, PluginId, ToHost};

/// The ends that were asked for, of all plugins of this worker.
pub(super) type Bus = Questions<Result<OwnedFd, String>>;

static SERVICE: BusService = BusService { size: size_of::<BusService>() as u32, publish, subscribe, close };

/// What finds the bus for the instances of one plugin.
struct OfPlugin(Arc<Asks>);

struct Asks {
    plugin: PluginId,
    bus: Arc<Bus>,
}

/// The end that the plugin has the functions of.
///
/// # Invariants
/// Only the plugin uses it, but for `close`, and nobody does any more when this is dropped.
struct Kept(Box<End>);

// SAFETY: by the type invariant whoever drops it is the only one who has it.
unsafe impl Send for Kept {}

impl Keepsake for Kept {
    fn retire(&self) {
        // The host gives up what is not answered for. What the plugin has received is here, and stays.
        self.0.close();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// An end that the host closes before the instance is stopped.
struct Registered;

// SAFETY: nothing of the plugin is called for it.
unsafe impl Revocable for Registered {
    fn revoke(self: Box<Self>) {}
}

/// Offers the service to the plugins of this worker.
pub(super) fn offer() {
    // SAFETY: it is the table of that id, and its functions may be called on any thread.
    unsafe { Services::register("bus/1", &SERVICE) };
}

/// What the instances of a plugin find the bus by. The endpoints that run here are run by the host's process.
pub(super) fn attending(plugin: PluginId, bus: &Arc<Bus>) -> Attending {
    Attending::of(Arc::new(OfPlugin(Arc::new(Asks { plugin, bus: bus.clone() }))))
}

impl Attendant for OfPlugin {
    fn coming(&self, _: &Arc<Endpoints>) -> Result<(), Error> {
        Ok(())
    }

    fn serving(&self, _: &Arc<Endpoints>) {}

    fn leaving(&self, _: &Arc<Endpoints>) {}

    fn shared(&self) -> Arc<dyn Any + Send + Sync> {
        self.0.clone()
    }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn publish(handle: *const Handle, io: *mut StreamIo, id: *mut u64, why: *mut Text) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there.
    let caller = unsafe { Services::caller(handle) };
    let opened = guarded(Err("the worker has failed".to_owned()), || open(&caller, BusAsk::Publish));
    // SAFETY: the caller has them to itself for the call.
    unsafe { Services::answer_open(opened.map(|(table, id)| (StreamIo { send, ..table }, id)), io, id, why) }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn subscribe(
    handle: *const Handle,
    spec: *const BusSpec,
    io: *mut StreamIo,
    id: *mut u64,
    why: *mut Text,
) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there.
    let caller = unsafe { Services::caller(handle) };
    let opened = guarded(Err("the worker has failed".to_owned()), || {
        // SAFETY: it holds for the call.
        open(&caller, BusAsk::Subscribe(unsafe { BusWish::copied(spec) }?))
    });
    // SAFETY: the caller has them to itself for the call.
    unsafe { Services::answer_open(opened, io, id, why) }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn close(handle: *const Handle, id: u64) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there.
    let caller = unsafe { Services::caller(handle) };
    guarded(1, || u32::from(!caller.release(id)))
}

/// # Safety
/// As `stream/1` says.
unsafe extern "C" fn send(
    stream: *mut Stream,
    messages: *mut Message,
    count: usize,
    mark: *const StreamMark,
    timeout_ns: u64,
) -> u32 {
    // The host would decide it on another thread, and could not see how deep it is.
    if speaking::is_lane() {
        return STREAM_TOO_DEEP;
    }
    // SAFETY: by the contract.
    unsafe { endpoints::send(stream, messages, count, mark, timeout_ns) }
}

/// Asks the host for an end.
fn open(caller: &Caller<'_>, ask: BusAsk) -> Result<(StreamIo, u64), String> {
    let asks = caller.attendant().and_then(|attendant| attendant.shared().downcast::<Asks>().ok());
    let asks = asks.ok_or("the host has no service bus/1")?;
    let (plugin, instance) = (asks.plugin, caller.instance().to_owned());
    let answer = asks.bus.ask(|number| ToHost::Bus { number, plugin, instance, ask }, |_| {});
    let socket = answer.map_err(|(Unanswered::Late(why) | Unanswered::NotAsked(why))| why)??;
    let end = End::new(UnixStream::from(socket)).map_err(|error| format!("the worker has no descriptors: {error}"))?;
    let kept = Kept(Box::new(end));
    let table = kept.0.io();
    let id = caller.register(|| Registered).ok_or("the instance is being stopped")?;
    caller.keep(id, Box::new(kept));
    Ok((table, id))
}
