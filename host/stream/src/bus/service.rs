//! The service `bus/1`.

use std::sync::Arc;

use hookrail_abi::Text;
use hookrail_abi::boundary::{BusService, BusSpec, Handle, StreamIo};
use hookrail_engine::{BusWish, Caller, Keepsake, Revocable, Services};
use hookrail_model::guarded;

use super::spec::Spec;
use super::{Bus, Subscription};
use crate::io::{SinkEnd, SourceEnd};
use crate::source::Inlet;

static SERVICE: BusService = BusService { size: size_of::<BusService>() as u32, publish, subscribe, close };

/// Offers the service to the plugins of all hosts of this process. Those of a host without streams are refused.
pub(crate) fn offer() {
    // SAFETY: it is the table of that id, and its functions may be called on any thread.
    unsafe { Services::register("bus/1", &SERVICE) };
}

/// What the plugin has the functions of.
///
/// # Invariants
/// Only the plugin uses the ends, and nobody does any more when this is dropped: the plugin has closed them, or its library
/// is gone.
enum Kept {
    Publisher { _end: SourceEnd },
    Subscription { end: Option<SinkEnd> },
}

// SAFETY: by the type invariant whoever drops it is the only one who has it.
unsafe impl Send for Kept {}

impl Keepsake for Kept {
    fn retire(&self) {
        if let Kept::Subscription { end: Some(end) } = self {
            end.retire();
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Kept::Subscription { end } = self
            && let Some(end) = end.take()
        {
            end.end();
        }
    }
}

struct Publishes(Arc<Bus>, Arc<Inlet>);

// SAFETY: the host calls nothing of the plugin for it.
unsafe impl Revocable for Publishes {
    fn revoke(self: Box<Self>) {
        self.0.unpublish(&self.1);
    }
}

struct Subscribes(Arc<Bus>, Arc<Subscription>);

// SAFETY: the host calls nothing of the plugin for it.
unsafe impl Revocable for Subscribes {
    fn revoke(self: Box<Self>) {
        self.0.unsubscribe(&self.1);
    }
}

/// # Safety
/// As `bus/1` says.
unsafe extern "C" fn publish(handle: *const Handle, io: *mut StreamIo, id: *mut u64, why: *mut Text) -> u32 {
    // SAFETY: the handle is one of ours, kept while its library is there.
    let caller = unsafe { Services::caller(handle) };
    let opened = guarded(Err("the host has failed".to_owned()), || {
        let bus = bus_of(&caller)?;
        let inlet = bus.publish()?;
        let kept = Box::new(Kept::Publisher { _end: SourceEnd::new(&bus.flow, &inlet) });
        let Kept::Publisher { _end: end } = &*kept else { unreachable!("it was made so") };
        let table = end.io();
        open(&caller, Box::new(Publishes(bus, inlet)), kept).map(|id| (table, id))
    });
    // SAFETY: the caller has them to itself for the call.
    unsafe { Services::answer_open(opened, io, id, why) }
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
    let opened = guarded(Err("the host has failed".to_owned()), || {
        // SAFETY: it holds for the call.
        let spec = unsafe { BusWish::copied(spec) }.and_then(Spec::of)?;
        let bus = bus_of(&caller)?;
        let subscription = bus.subscribe(caller.instance(), caller.generation(), spec)?;
        let kept = Box::new(Kept::Subscription { end: Some(SinkEnd::new(&bus.flow, &subscription.outlet)) });
        let Kept::Subscription { end: Some(end) } = &*kept else { unreachable!("it was made so") };
        let table = end.io();
        open(&caller, Box::new(Subscribes(bus, subscription)), kept).map(|id| (table, id))
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

/// The bus of the caller's host, if the caller may have one more end.
fn bus_of(caller: &Caller<'_>) -> Result<Arc<Bus>, String> {
    caller.may_keep()?;
    let none = || "this host has no streams, and so no bus".to_owned();
    let attendant = caller.attendant().ok_or_else(none)?;
    attendant.shared().downcast::<Bus>().map_err(|_| none())
}

/// Ends with the instance; what the plugin has the functions of is kept for longer.
fn open<R: Revocable>(caller: &Caller<'_>, registered: Box<R>, kept: Box<Kept>) -> Result<u64, String> {
    let mut registered = Some(registered);
    let id = caller.register(|| *registered.take().expect("it is begun once"));
    match (id, registered) {
        (Some(id), _) => {
            caller.keep(id, kept);
            Ok(id)
        }
        (None, registered) => {
            registered.into_iter().for_each(Revocable::revoke);
            Err("the instance is being stopped".into())
        }
    }
}
