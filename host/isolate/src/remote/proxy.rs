//! What stands in a chain for a callback that runs in a worker.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hookrail_abi::boundary;
use hookrail_abi::host::Report;
use hookrail_abi::verdict::raw;
use hookrail_abi::{Effects, RawKind};
use hookrail_dispatch::frame::Here;
use hookrail_dispatch::{PointState, frame};
use hookrail_model::crash::LostCall;
use hookrail_model::guarded;
use hookrail_model::time::later;
use hookrail_model::units::duration_text;

use super::call::{Held, lane, lane_now};
use super::group::{Answer, Group, Kept, keep, kept};
use super::owed::Owed;
use super::poison::Poison;
use super::worker::Worker;
use crate::flat::{Codec, Scratch};
use crate::lane::{Area, Change, Context, Lost, MOST_CALLBACKS, Notified, Patience, Reply, Request};
use crate::{panic, payload};

/// What stands for one callback.
pub(super) struct Proxy {
    worker: Arc<Worker>,
    /// `instance/callback`
    name: String,
    point: &'static str,
    /// Whether nobody waits for it.
    is_notified: bool,
    /// Whether no other one crosses behind it.
    crosses_last: bool,
    codec: Codec,
    /// The process in the upper half, and in the lower one the number that the callback has there, plus one.
    place: AtomicU64,
    poison: Poison,
    owed: Owed,
}

/// The code of every proxy.
///
/// # Safety
/// `ctx` is a proxy, kept by whoever registered it, and `payload` is one of its point that nobody else uses.
pub(super) unsafe extern "C" fn call(ctx: *mut c_void, payload: *mut c_void) -> u32 {
    // SAFETY: the context of this code is a proxy.
    let proxy = unsafe { &*ctx.cast::<Proxy>() };
    // SAFETY: the payload is one of the point, which nobody else uses.
    guarded(raw::FAULT, || unsafe { if proxy.is_notified { proxy.notify(payload) } else { proxy.cross(payload) } })
}

/// Drops the context of a proxy.
///
/// # Safety
/// `ctx` came from `Arc::into_raw` of a proxy, or is null, and is not used again.
pub(super) unsafe extern "C" fn drop(ctx: *mut c_void) {
    if !ctx.is_null() {
        // SAFETY: it came from an `Arc`, and is given back once.
        let proxy = unsafe { Arc::from_raw(ctx.cast::<Proxy>()) };
        proxy.worker.standing.remove(Arc::as_ptr(&proxy));
    }
}

impl Proxy {
    pub(super) fn new(worker: Arc<Worker>, name: String, effects: Effects, point: &PointState) -> Self {
        let is_notified = point.kind() == RawKind::Notify;
        Proxy {
            worker,
            name,
            point: point.chain.facts.point,
            is_notified,
            crosses_last: effects == Effects::External && !is_notified,
            codec: payload::codec(point.fingerprint, point.ops()),
            place: AtomicU64::new(0),
            poison: Poison::default(),
            owed: Owed::default(),
        }
    }

    /// Whether it stands for that callback.
    pub(super) fn is(&self, point: &str, callback: &str) -> bool {
        self.point == point && self.name.rsplit_once('/').is_some_and(|(_, own)| own == callback)
    }

    /// In that process the callback has that number, or is not registered.
    pub(super) fn renew(&self, epoch: u64, number: Option<u32>) {
        let place = epoch << 32 | number.map_or(0, |number| u64::from(number) + 1);
        // Release: pairs with nothing but itself; the number is all that it publishes.
        self.place.store(place, Ordering::Release);
    }

    /// A call of it for which nobody waited has failed: the next one answers for it.
    pub(super) fn owe(&self, kind: u32, text: String) {
        self.owed.add(kind, text);
    }

    /// The number that the callback has in that process.
    pub(super) fn number(&self, epoch: u64) -> Option<u32> {
        let place = self.place.load(Ordering::Acquire);
        // What is cut off of the epoch is the same for both.
        ((place >> 32) as u32 == epoch as u32).then_some(place as u32)?.checked_sub(1)
    }

    /// The context by which a chain calls it, and which [`drop`] gives back.
    pub(super) fn into_context(self: Arc<Self>) -> *mut c_void {
        // SAFETY: `drop` takes it out before it gives it back.
        unsafe { self.worker.standing.add(Arc::as_ptr(&self)) };
        Arc::into_raw(self).cast_mut().cast()
    }

    /// The number by which it crosses with the one before it, in that process; `None` if it is to cross by itself, and
    /// to look at its input.
    fn joins(&self, epoch: u64) -> Option<u32> {
        self.number(epoch).filter(|_| !self.poison.is_any())
    }

    /// Has the callback run in the worker, and waits for it.
    ///
    /// # Safety
    /// `payload` is one of the point, and nobody else uses it.
    unsafe fn cross(&self, payload: *mut c_void) -> u32 {
        let here = frame::here();
        if let Some(answer) = here.and_then(kept) {
            // SAFETY: the payload is one of the point.
            return unsafe { self.answer(answer, payload) };
        }
        let mut lost = Vec::new();
        // SAFETY: the payload is one of the point, and nobody else uses it.
        let verdict = unsafe { self.cross_for_all(here, payload, &mut lost) };
        // It was lost as well, so these are not kept yet.
        if !lost.is_empty() {
            keep(lost);
        }
        verdict
    }

    /// As [`cross`](Self::cross), for its neighbours too. Those that were lost, and are not kept with the answers of the
    /// others, are in `lost_ones`.
    ///
    /// # Safety
    /// `payload` is one of the point, and nobody else uses it; it is called, on this thread, in the call `here`.
    unsafe fn cross_for_all(&self, here: Option<Here>, payload: *mut c_void, lost_ones: &mut Vec<Kept>) -> u32 {
        let limit = self.worker.limits.deadline;
        let mut deadline = later(Instant::now(), limit);
        let mut most = MOST_CALLBACKS;
        loop {
            let held = match lane(&self.worker, || deadline) {
                Ok(held) => held,
                Err(why) => return fault(&why),
            };
            let Some(number) = self.number(held.live.epoch) else {
                return fault("it did not register this callback when its worker was started again");
            };
            // SAFETY: the payload is one of the point.
            if unsafe { self.poison.is_known(&self.codec, payload) } {
                return fault("this input has ended its worker twice in a row, so it is skipped");
            }
            let mut group = Group::new(number, here);
            // SAFETY: this thread is in that call of this callback.
            unsafe { self.add_neighbours(&mut group, held.live.epoch, most) };
            let patience = Patience { deadline: Some(deadline), each: limit, dead: &held.live.dead };
            let lost = match with_context(group.numbers(), |request| {
                // SAFETY: the payload is one of the point.
                let encode = |room: Area<'_>| unsafe { self.codec.encode_into(payload, room) };
                let upcall = |kind, bytes: &[u8], answer: &mut Vec<u8>| held.live.serve_upcall(kind, bytes, answer);
                let reply = held.lane.call(request, encode, &patience, upcall)?;
                if held.live.answered() {
                    self.worker.progress();
                }
                // SAFETY: the payload is one of the point, and nobody else uses it.
                let taken = unsafe { self.take(&reply, payload) }?;
                Ok((group.keep(&reply, std::mem::take(lost_ones)), taken))
            }) {
                // SAFETY: the payload is one of the point.
                Ok((answer, Ok(()))) => return unsafe { self.answer(answer, payload) },
                Ok((_, Err(why))) => return fault(&why),
                Err(lost) => lost,
            };
            match held.lane.inside() {
                // It had not begun, so another process may do it.
                None if lost == Lost::Dead && Instant::now() < deadline => {}
                // Those before it are made again.
                Some(inside) if inside > 0 && !lost.spares_the_lane() => {
                    let (what, is_its_input) = self.why(&held, lost, limit);
                    lost_ones.push(group.lost(inside, what, is_its_input, held.live.clone()));
                    (most, deadline) = (inside, later(Instant::now(), limit));
                }
                // SAFETY: the payload is as it was: no reply has come.
                _ => return unsafe { self.lost(&held, lost, payload, limit) },
            }
        }
    }

    /// Adds its neighbours in that process to the group of which it is the first, until there are `most`.
    ///
    /// # Safety
    /// It is called, on this thread, and the group begins with that call.
    unsafe fn add_neighbours(&self, group: &mut Group, epoch: u64, most: usize) {
        let Some(first) = group.first_call().filter(|_| most > 1 && !self.crosses_last) else { return };
        // SAFETY: the caller promises it.
        let mut following = unsafe { first.following(call) }.peekable();
        if following.peek().is_none() {
            return;
        }
        let standing = self.worker.standing.read();
        for (next_call, ctx) in following.take(most - 1) {
            if !standing.contains(&(ctx as usize)) {
                return;
            }
            // SAFETY: by the invariant of `Standing` it is a proxy, which is not dropped while that is read.
            let next = unsafe { &*ctx.cast_const().cast::<Proxy>() };
            let Some(number) = next.joins(epoch) else { return };
            // The one that was found may be a later one at the same address. Then the other was retired before that was
            // added to the set, and its code is another one by now.
            // SAFETY: the callback asks that got this call.
            if !unsafe { next_call.still_calls(call) } {
                return;
            }
            group.push(number, next_call);
            if next.crosses_last {
                return;
            }
        }
    }

    /// Takes what the callbacks made of the payload; says why not if it is too large.
    ///
    /// # Safety
    /// The payload is one of the point, and nobody else uses it.
    unsafe fn take(&self, reply: &Reply<'_>, payload: *mut c_void) -> Result<Result<(), String>, Lost> {
        match reply.change() {
            Change::Unchanged => {}
            // SAFETY: the payload is one of the point, and nobody else uses it.
            Change::Changed(changes) => unsafe { self.codec.decode(changes, payload, &mut Scratch::default())? },
            Change::Oversized(needed) => {
                let who = if reply.ran() == 1 { "it" } else { "it, or one that crossed with it," };
                let most = self.worker.limits.max_payload;
                return Ok(Err(format!("{who} made a payload of {needed} bytes, {most} may cross (max_payload)")));
            }
        }
        Ok(Ok(()))
    }

    /// Answers with what it has come to.
    ///
    /// # Safety
    /// `payload` is one of the point.
    unsafe fn answer(&self, answer: Answer, payload: *mut c_void) -> u32 {
        match answer {
            Answer::Came { verdict, report } => {
                if let Some(report) = report {
                    tell(report);
                }
                verdict
            }
            Answer::Lost { what, is_its_input, live } => {
                // SAFETY: the payload is one of the point.
                unsafe {
                    if is_its_input {
                        self.poison.killed(&self.codec, payload);
                    }
                    live.lost(self.lost_call(payload));
                }
                fault(&what)
            }
        }
    }

    /// What is said of a call that has no reply.
    ///
    /// # Safety
    /// `payload` is one of the point.
    #[cold]
    unsafe fn lost(&self, held: &Held, lost: Lost, payload: *mut c_void, limit: Duration) -> u32 {
        if lost.spares_the_lane() {
            return match lost {
                Lost::NoRoom { needed, room } => {
                    fault(&format!("its payload needs {needed} bytes, {room} may cross (max_payload)"))
                }
                lost => fault(&lost.to_string()),
            };
        }
        let (what, is_its_input) = self.why(held, lost, limit);
        // SAFETY: the payload is one of the point.
        unsafe { self.answer(Answer::Lost { what, is_its_input, live: held.live.clone() }, payload) }
    }

    /// A call that was lost, for the report.
    ///
    /// # Safety
    /// `payload` is one of the point.
    unsafe fn lost_call(&self, payload: *const c_void) -> LostCall {
        let mut call = LostCall::new(self.point, &*self.name);
        if self.worker.limits.keep_input {
            // SAFETY: the payload is one of the point.
            call.input = Some(unsafe { payload::shown(&self.codec, payload) });
        }
        call
    }

    /// Why a call was lost together with its lane, and whether its input may be to blame: whoever kills workers chooses
    /// none.
    #[cold]
    fn why(&self, held: &Held, lost: Lost, limit: Duration) -> (String, bool) {
        let what = match lost {
            Lost::Dead => format!("its worker {}", held.live.how_it_ended()),
            Lost::Late => {
                let within = duration_text(limit);
                held.live
                    .abort(Some(held.lane.index()), format!("a call on {} did not return within {within}", self.point));
                format!("it did not return within {within}, so its worker was ended")
            }
            lost => {
                held.live.kill();
                format!("{lost}, and was ended")
            }
        };
        (what, lost != Lost::Dead || !held.live.was_ended_by_others())
    }

    /// Has the callback run in the worker, and waits for nothing.
    ///
    /// # Safety
    /// `payload` is one of the point, and nobody changes it meanwhile.
    unsafe fn notify(&self, payload: *mut c_void) -> u32 {
        // SAFETY: the caller promises it.
        let verdict = unsafe { self.queue(payload) };
        if verdict != raw::CONTINUE {
            return verdict;
        }
        self.owed.take().map_or(verdict, failed)
    }

    /// Queues a call, or counts that it could not be. Returns its verdict, which is known if it had to be waited for.
    ///
    /// # Safety
    /// As for [`notify`](Self::notify).
    unsafe fn queue(&self, payload: *mut c_void) -> u32 {
        let here = frame::here();
        if here.and_then(kept).is_some() {
            return raw::CONTINUE;
        }
        let Some((held, number)) = lane_now(&self.worker).and_then(|held| {
            let number = self.number(held.live.epoch)?;
            Some((held, number))
        }) else {
            self.worker.dropped();
            return raw::CONTINUE;
        };
        // SAFETY: the payload is one of the point.
        let encode = |room: Area<'_>| unsafe { self.codec.encode_into(payload, room) };
        let mut group = Group::new(number, here);
        // SAFETY: this thread is in a call of this callback.
        unsafe { self.add_neighbours(&mut group, held.live.epoch, MOST_CALLBACKS) };
        match with_context(group.numbers(), |request| Ok(held.lane.notify(request, encode))) {
            Ok(Notified::Queued) => group.keep_queued(),
            // It has no place in the queue at all, so it is waited for.
            // SAFETY: the payload is one of the point, and nobody else uses it.
            Ok(Notified::Oversized) => return unsafe { self.cross(payload) },
            _ => self.worker.dropped(),
        }
        raw::CONTINUE
    }
}

/// Tells this thread's dispatch what a worker has reported.
fn tell((kind, text): (u32, String)) {
    match kind {
        panic::KIND => frame::panicked(panic::of_text(&text)),
        kind => frame::report(kind, &text),
    }
}

/// Reports a fault of an earlier call, and is its verdict.
#[cold]
fn failed(report: (u32, String)) -> u32 {
    tell(report);
    raw::FAULT
}

/// Reports a fault, and is its verdict.
#[cold]
fn fault(what: &str) -> u32 {
    frame::report(Report::Fault as u32, what);
    raw::FAULT
}

/// Passes a request for these callbacks, with the context of this thread's dispatch.
fn with_context<R>(callbacks: &[u32], use_it: impl FnOnce(&Request<'_>) -> Result<R, Lost>) -> Result<R, Lost> {
    let request = |context| Request { callbacks, flags: 0, codec: 0, context };
    // SAFETY: it has no preconditions; the context is there while this callback runs.
    match unsafe { frame::current().as_ref() } {
        None => use_it(&request(None)),
        Some(boundary::Context { deadline_ns, trace, principal, node, .. }) => {
            // SAFETY: the texts of the context are readable while this callback runs.
            let (principal, node) = unsafe { (principal.to_text(), node.to_text()) };
            let context = Context { deadline_ns: *deadline_ns, trace: *trace, principal: &principal, node: &node };
            use_it(&request(Some(context)))
        }
    }
}
