//! What a worker does with a request: it decodes the payload, runs the callbacks, and says what came of it.

use std::cell::{Cell, RefCell};
use std::ptr::null;
use std::sync::Arc;

use hookrail_abi::boundary::{Context, Str};
use hookrail_abi::host::Report;
use hookrail_abi::verdict::raw;
use hookrail_dispatch::frame;

use super::callbacks::{Callback, Callbacks};
use crate::lane::{Answered, Area, Handler, Received, Served, Unserved, WorkerLane};
use crate::panic;
use crate::payload::Slot;

/// Runs the callbacks that are asked for on one lane.
pub(super) struct Running {
    callbacks: Arc<Callbacks>,
    /// The payloads of the calls that are running, and of those that were: their memory is used again.
    slots: RefCell<Vec<Slot>>,
}

impl Running {
    pub(super) fn new(callbacks: Arc<Callbacks>) -> Self {
        Running { callbacks, slots: RefCell::default() }
    }

    fn with_slot<R>(&self, run: impl FnOnce(&mut Slot) -> R) -> R {
        // A call within a call takes another one.
        let mut slot = self.slots.borrow_mut().pop().unwrap_or_default();
        let result = run(&mut slot);
        slot.clear();
        self.slots.borrow_mut().push(slot);
        result
    }
}

impl Handler for Running {
    fn call(&self, lane: &WorkerLane, mut served: Served<'_>) -> Answered {
        let all = self.callbacks.read();
        let _pending = Pending::begin(self, lane);
        let request = served.request();
        self.with_slot(|slot| {
            // Its payload is read by code of the plugin, which may end this process: then the call was begun.
            served.begin(0);
            if let Err(what) = fill(slot, &all, request, served.payload()) {
                served.end(raw::FAULT, 0);
                served.report(Report::Fault as u32, what);
                return served.unchanged();
            }
            for (index, number) in request.callbacks().iter().enumerate() {
                served.begin(index);
                let (verdict, report) = match found(&all, *number) {
                    Some(callback) => run(callback, request, slot),
                    None => (raw::FAULT, Some((Report::Fault as u32, "it is not registered in its worker".into()))),
                };
                served.end(verdict, 0);
                if let Some((kind, text)) = report {
                    served.report(kind, text);
                }
                if verdict != raw::CONTINUE {
                    break;
                }
            }
            match slot.changes(served.payload()) {
                Some(changes) => served.changed(|room| slot.write_changes(changes, room)),
                None => served.unchanged(),
            }
        })
    }

    fn note(&self, lane: &WorkerLane, note: &Received, payload: Area<'_>) {
        let all = self.callbacks.read();
        self.with_slot(|slot| {
            let filled = fill(slot, &all, note, payload);
            for number in note.callbacks() {
                // One that was removed meanwhile belongs to a plugin that is being stopped.
                let Some(callback) = found(&all, *number) else {
                    lane.note_done();
                    continue;
                };
                let (verdict, report) = match &filled {
                    Ok(()) => run(callback, note, slot),
                    Err(what) => (raw::FAULT, Some((Report::Fault as u32, what.clone()))),
                };
                lane.note_done();
                if verdict != raw::CONTINUE {
                    let unnamed = || (Report::Fault as u32, format!("it answered {verdict:#x} to a notification"));
                    self.callbacks.faulted(*number, callback, report.unwrap_or_else(unnamed));
                }
            }
        });
    }
}

thread_local! {
    /// What serves the request that this thread runs callbacks for, and its lane; null while there is none.
    static PENDING: Cell<(*const Running, *const WorkerLane)> = const { Cell::new((null(), null())) };
}

/// A request whose callbacks run on this thread, until this is dropped.
struct Pending((*const Running, *const WorkerLane));

impl Pending {
    fn begin(running: &Running, lane: &WorkerLane) -> Self {
        Pending(PENDING.replace((running, lane)))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        PENDING.set(self.0);
    }
}

/// Asks the host for a service, from within a callback: the thread that waits for that serves it. `None` if none waits.
pub(super) fn upcall(kind: u32, bytes: &[u8], answer: &mut Vec<u8>) -> Option<Result<u32, Unserved>> {
    let (running, lane) = PENDING.get();
    // SAFETY: null, or what `Pending` has borrowed, which outlives it.
    let (running, lane) = unsafe { (running.as_ref()?, lane.as_ref()?) };
    Some(lane.upcall(running, kind, bytes, answer))
}

fn found(all: &[Option<Callback>], number: u32) -> Option<&Callback> {
    all.get(number as usize)?.as_ref()
}

/// Decodes the payload, as the first callback expects it. All of a request are of one point.
fn fill(slot: &mut Slot, all: &[Option<Callback>], request: &Received, payload: Area<'_>) -> Result<(), String> {
    let first = request.callbacks().first().and_then(|number| found(all, *number));
    let callback = first.ok_or("it is not registered in its worker")?;
    let codec = callback.codec.as_ref().ok_or("its registration has no operations by which its payload could cross")?;
    slot.fill(codec, payload)
}

/// Runs a callback; returns its verdict and what it reported.
fn run(callback: &Callback, request: &Received, slot: &mut Slot) -> (u32, Option<(u32, String)>) {
    let identity = callback.diagnostics.identity();
    let payload = slot.payload();
    // SAFETY: the slot holds a payload of the callback's codec, which nobody else uses.
    let call = || frame::call(identity, Some(&callback.instance), || unsafe { callback.call(payload) });
    let (verdict, reported) = match request.context() {
        None => call(),
        Some(context) => {
            let crossed = Context {
                size: size_of::<Context>() as u32,
                reserved: 0,
                deadline_ns: context.deadline_ns,
                trace: context.trace,
                principal: Str::new(context.principal),
                node: Str::new(context.node),
            };
            frame::about(&crossed, call)
        }
    };
    let report = reported.map(|reported| match &reported.panic {
        Some(panic) => (panic::KIND, panic::to_text(panic)),
        None => (reported.kind, reported.text),
    });
    (verdict, report)
}
