//! The points that a plugin in a worker dispatches: this process does. What a callback dispatches, the thread does that waits
//! for the callback; for the rest there is a thread for each socket that the plugin has for it.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use hookrail_dispatch::reclaim;
use hookrail_engine::{Actor, DispatchContext, Dispatched, FoundPoint, NotDispatched, PointWish, Points};
use parking_lot::Mutex;

use super::answering::SLICE;
use super::live::Live;
use super::plan::Plan;
use crate::payload::{Decoded, encoded};
use crate::wire::{
    ANSWERED, Bytes, DISPATCH, DISPATCHES, Fired, PluginId, PointAnswer, PointAsk, Receiver, Sender, ToWorker,
    UNANSWERED, pair,
};

/// The sockets of one plugin.
#[derive(Default)]
pub(super) struct Dispatches {
    open: Arc<AtomicUsize>,
}

impl Dispatches {
    /// Gives the worker another socket, which a thread answers: this one hears what the worker says.
    pub(super) fn answer(&self, live: &Arc<Live>, number: u64, plan: &Arc<Mutex<Plan>>, patience: Duration) {
        // Relaxed: a count, and nothing follows from it but the refusal.
        if self.open.fetch_add(1, Ordering::Relaxed) >= DISPATCHES {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return refuse(live, number, format!("its plugin has {DISPATCHES} dispatches running already"));
        }
        let (of, open, plan) = (live.clone(), self.open.clone(), Arc::downgrade(plan));
        let run = move || {
            match begin(&of, number, patience) {
                Ok(socket) => serve(&of, &plan, socket),
                Err(refused) => refuse(&of, number, refused),
            }
            open.fetch_sub(1, Ordering::Relaxed);
        };
        if let Err(error) = reclaim::spawn("hookrail-dispatch", run) {
            self.open.fetch_sub(1, Ordering::Relaxed);
            refuse(live, number, format!("the host can start no thread: {error}"));
        }
    }
}

fn begin(live: &Live, number: u64, patience: Duration) -> Result<UnixStream, String> {
    let failed = |error: io::Error| format!("the host can have no more sockets: {error}");
    let (ours, theirs) = pair().map_err(failed)?;
    // Who begins a frame ends it.
    ours.set_read_timeout(Some(patience)).map_err(failed)?;
    ours.set_write_timeout(Some(patience)).map_err(failed)?;
    // A worker that does not listen is ended.
    live.send(&ToWorker::Dispatch(number, Ok(())), &[theirs.as_fd()])?;
    Ok(ours)
}

/// Answers what is asked for, until it is closed there, or the plugin is gone here.
fn serve(live: &Live, plan: &Weak<Mutex<Plan>>, socket: UnixStream) {
    let Ok(sending) = socket.try_clone() else { return };
    let (sender, mut receiver) = (Sender::of_messages(sending), Receiver::of_messages(socket));
    loop {
        match receiver.is_readable(SLICE) {
            Ok(false) if live.is_dead() || plan.strong_count() == 0 => return,
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) => return,
        }
        let Ok(Some(((thread, asked), _))) = receiver.receive::<(u64, PointAsk)>() else { return };
        Actor::act_for(live.pid().unwrap_or_default(), thread);
        // Not held while callbacks run.
        let Some(points) = plan.upgrade().and_then(|plan| plan.lock().points.clone()) else { return };
        let answer = answer(&*points, asked);
        if let Err(error) = sender.send(&answer, &[]) {
            let is_too_long = error.kind() == io::ErrorKind::FileTooLarge;
            let answer = PointAnswer::NotDispatched(NotDispatched::NotCarried(error.to_string()));
            if !is_too_long || sender.send(&answer, &[]).is_err() {
                return;
            }
        }
    }
}

/// Answers a question about a point.
pub(super) fn answer(points: &dyn Points, ask: PointAsk) -> PointAnswer {
    let find = |of: Fired| points.find(&PointWish::crossed(of.point, of.revision, of.fingerprint));
    match ask {
        PointAsk::Find(of) => match find(of).and_then(|point| portable(&*point)) {
            Ok(()) => PointAnswer::Found,
            Err(refused) => PointAnswer::Refused(refused),
        },
        PointAsk::Dispatch { of, payload, context } => match find(of) {
            Ok(point) => dispatch(&*point, &payload, context).unwrap_or_else(PointAnswer::NotDispatched),
            Err(refused) => PointAnswer::Refused(refused),
        },
    }
}

impl Live {
    /// Serves an upcall: what the worker asks within a call of a callback, on the thread that waits for that.
    pub(super) fn serve_upcall(&self, kind: u32, bytes: &[u8], answer: &mut Vec<u8>) -> u32 {
        if kind != DISPATCH {
            return UNANSWERED;
        }
        let Ok((plugin, ask)) = rmp_serde::from_slice::<(PluginId, PointAsk)>(bytes) else { return UNANSWERED };
        let answered = self.asked(plugin).and_then(|asked| asked.dispatch_here(ask));
        match answered.map(|answered| rmp_serde::encode::write(answer, &answered)) {
            Some(Ok(())) => ANSWERED,
            _ => UNANSWERED,
        }
    }
}

fn portable(point: &dyn FoundPoint) -> Result<(), String> {
    match point.ops().encode {
        Some(_) => Ok(()),
        None => Err("it is a local point: its payload never leaves the process of the host".into()),
    }
}

fn dispatch(
    point: &dyn FoundPoint,
    Bytes(before): &Bytes,
    context: Option<(u64, [u8; 16])>,
) -> Result<PointAnswer, NotDispatched> {
    portable(point).map_err(NotDispatched::NotCarried)?;
    let payload = Decoded::new(point.ops(), before).map_err(NotDispatched::NotCarried)?;
    let context = context.map(|(deadline_ns, trace)| DispatchContext { deadline_ns, trace });
    // SAFETY: it is a payload of the point, by its own operations, and nobody else has it.
    let dispatched = unsafe { point.dispatch(payload.payload(), context.as_ref()) }?;
    // SAFETY: as above.
    let after = unsafe { encoded(point.ops(), payload.payload()) };
    let after = after.ok_or_else(|| NotDispatched::NotCarried("it cannot be encoded any more".into()))?;
    let Dispatched { decision, decided_by, reason } = dispatched;
    let changed = (after.as_slice() != before).then(|| Bytes(after.to_vec()));
    Ok(PointAnswer::Dispatched { decision: decision.to_raw(), decided_by, reason, payload: changed })
}

fn refuse(live: &Live, number: u64, why: String) {
    // A worker that does not listen is ended.
    let _ = live.send(&ToWorker::Dispatch(number, Err(why)), &[]);
}
