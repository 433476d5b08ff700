//! The call frame of a thread: which call into plugin code it is in, the context of its dispatches, and what was
//! reported and decided in them, until it is asked for.
//!
//! There is one for each thread, and it has no `Drop`, so that it exists until the very end: destructors of
//! thread-locals dispatch too. Only its texts are freed when the thread ends; what is reported after that is logged.

mod ahead;
mod reported;
mod texts;

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{from_ref, null};
use std::sync::Arc;

use hookrail_abi::boundary::{Context, Str};
use hookrail_abi::host::Report;
use hookrail_model::log;

use self::texts::{Owner, Texts};
use crate::chain::outcome::Packed;
use crate::chain::pair::Pair;
use crate::reclaim;

pub(crate) use self::ahead::each_by_itself;
pub use self::ahead::{Here, here};
pub use self::reported::{Panic, Reported};

/// # Invariants
/// `call` is null, or a call that [`call`] has not ended; `context` is null, or one that [`about`] has not ended.
/// `texts` is null, or came from a box that only [`free`] frees.
struct Frame {
    /// The innermost call into a plugin outside any dispatch.
    call: Cell<*const Call<'static>>,
    /// The context of dispatches.
    context: Cell<*const Context>,
    /// The decision of the last watched dispatch.
    decided: Cell<Option<Packed>>,
    /// Whether something is done with each call of a callback beside calling it.
    is_each_by_itself: Cell<bool>,
    texts: Cell<*const Texts>,
}

/// A call into a plugin outside any dispatch.
struct Call<'a> {
    /// Identifies the library.
    library: *const (),
    instance: Option<&'a Arc<str>>,
    /// The dispatch that it was made from, if any.
    within: Option<(u64, *mut ())>,
}

thread_local! {
    static FRAME: Frame = const {
        // INVARIANT: the pointers are null.
        Frame {
            call: Cell::new(null()),
            context: Cell::new(null()),
            decided: Cell::new(None),
            is_each_by_itself: Cell::new(false),
            texts: Cell::new(null()),
        }
    };
    static OWNER: Owner = const { Owner(free) };
}

const _: () = assert!(!std::mem::needs_drop::<Frame>(), "it is there to the very end of a thread");

/// The plugin code that a thread is in.
pub enum Place {
    /// A callback with that context.
    Callback(*mut c_void),
    /// A call outside any dispatch.
    Call {
        /// Identifies the library.
        library: *const (),
        /// The instance, if the call is for one.
        instance: Option<Arc<str>>,
    },
}

/// Runs a call into a plugin outside any dispatch; returns its result and what it reported. What is logged during the
/// call is attributed to the instance, and to the library that `library` identifies.
pub fn call<R>(library: *const (), instance: Option<&Arc<str>>, run: impl FnOnce() -> R) -> (R, Option<Reported>) {
    /// Functions of plugins do not unwind, but reporting runs the host's own code.
    struct Restore(*const Call<'static>);
    impl Drop for Restore {
        fn drop(&mut self) {
            FRAME.with(|frame| frame.call.set(self.0));
        }
    }
    reclaim::register_thread();
    let this = Call { library, instance, within: reclaim::innermost() };
    // INVARIANT: restored before `this` goes out of scope.
    let restore = Restore(FRAME.with(|frame| frame.call.replace(from_ref(&this).cast())));
    texts(|texts| texts.reported.take());
    let result = run();
    drop(restore);
    (result, texts(|texts| texts.reported.take()).flatten())
}

/// Whether this thread is in a [`call`].
pub fn is_calling() -> bool {
    FRAME.with(|frame| !frame.call.get().is_null())
}

/// The plugin code that this thread is in, if any.
pub fn place() -> Option<Place> {
    let innermost = reclaim::innermost();
    // SAFETY: by the type invariant `call` is null or a call of this thread that has not ended.
    let call = FRAME.with(|frame| unsafe { frame.call.get().as_ref() }).filter(|call| call.within == innermost);
    if let Some(Call { library, instance, .. }) = call {
        return Some(Place::Call { library: *library, instance: instance.cloned() });
    }
    let entry = reclaim::innermost_entry()?;
    // Nothing is recorded when a callback is called: a dispatch names its entry anyway, for threads that wait for
    // readers, and the entry leads to the context of its code.
    // SAFETY: this thread is in a dispatch, and in code of a plugin, none of which runs between the entering and the
    // first naming; so the innermost frame names the pair that is being called, and being inside keeps it.
    Some(Place::Callback(unsafe { &*entry.cast::<Pair>() }.parts().1))
}

/// Runs `dispatch`; callbacks of dispatches inside it see this context.
pub fn about<R>(context: &Context, dispatch: impl FnOnce() -> R) -> R {
    /// Restores the outer context, on unwinding too.
    struct Restore(*const Context);
    impl Drop for Restore {
        fn drop(&mut self) {
            FRAME.with(|frame| frame.context.set(self.0));
        }
    }
    // INVARIANT: restored before `context` goes out of scope.
    let _restore = Restore(FRAME.with(|frame| frame.context.replace(context)));
    dispatch()
}

/// The context of this thread's dispatches, for one that differs from it in something.
pub fn now() -> Context {
    // SAFETY: by the type invariant it is null or a context that has not ended; it is one of this host, of its own version.
    let current = FRAME.with(|frame| unsafe { frame.context.get().as_ref() }).copied();
    current.unwrap_or(Context {
        size: size_of::<Context>() as u32,
        reserved: 0,
        deadline_ns: 0,
        trace: [0; 16],
        principal: Str::new(""),
        node: Str::new(""),
    })
}

/// The host table's `current`: the context of this thread's dispatch.
///
/// # Safety
/// No preconditions; what it returns may be followed only while the callback runs that asks.
pub unsafe extern "C" fn current() -> *const Context {
    FRAME.with(|frame| frame.context.get())
}

/// Leaves a decision for [`decided`].
pub(crate) fn decide(decided: Packed) {
    FRAME.with(|frame| frame.decided.set(Some(decided)));
}

/// The decision of the runner that just returned on this thread.
pub(crate) fn decided() -> Option<Packed> {
    FRAME.with(|frame| frame.decided.take())
}

/// Keeps a reported text. Outside a dispatch and a [`call`] it is logged instead, since nothing would ask for it.
pub fn report(kind: u32, text: &str) {
    keep(kind, text.into(), None);
}

/// Keeps a panic that ended the call.
pub fn panicked(panic: Panic) {
    keep(Report::Fault as u32, panic.to_string(), Some(panic));
}

fn keep(kind: u32, text: String, panic: Option<Panic>) {
    let within = reclaim::innermost();
    let mut reported = Some(Reported { kind, text, panic, within });
    if within.is_some() || is_calling() {
        drop(texts(|texts| texts.reported.replace(reported.take())));
    }
    // It was not kept.
    if let Some(reported) = reported {
        log!(error, "a plugin reported, outside of any call: {}", reported.text);
    }
}

/// Takes what the callback that just returned has reported, if it is of that kind.
pub(crate) fn take(kind: Report) -> Option<Reported> {
    let within = reclaim::innermost();
    texts(|texts| {
        let (asked_for, other) = match texts.reported.take() {
            Some(reported) if reported.kind == kind as u32 && reported.within == within => (Some(reported), None),
            other => (None, other),
        };
        texts.reported.set(other);
        asked_for
    })
    .flatten()
}

/// What the callback that just returned has reported, of any kind; it can still be taken.
pub(crate) fn heard() -> Option<String> {
    let within = reclaim::innermost();
    texts(|texts| {
        let reported = texts.reported.take();
        let text = reported.as_ref().filter(|reported| reported.within == within).map(|reported| reported.text.clone());
        texts.reported.set(reported);
        text
    })
    .flatten()
}

/// Keeps the reason of a denial for [`reason`], if there is one.
pub(crate) fn keep_reason(reason: Option<String>) {
    drop(texts(|texts| {
        texts.denial.set(texts.denial.get() + 1);
        texts.reason.replace(reason)
    }));
}

/// The number of this thread's last denial, unique across threads; 0 if nothing is kept any more.
#[cold]
pub(crate) fn last_denial() -> u64 {
    texts(|texts| texts.denial.get()).unwrap_or_default()
}

/// Why that denial came, if it is this thread's last one and a callback said so.
pub fn reason(denial: u64) -> Option<String> {
    texts(|texts| {
        let reason = texts.reason.take();
        let asked_for = reason.clone().filter(|_| texts.denial.get() == denial);
        texts.reason.set(reason);
        asked_for
    })
    .flatten()
}

/// Keeps a panic until its outcome is known: if the plugin catches it itself, it is not a fault.
pub fn keep_panic(panic: Panic) {
    drop(texts(|texts| texts.panic.replace(Some(panic))));
}

/// Takes the panic that was kept last.
pub fn take_panic() -> Option<Panic> {
    texts(|texts| texts.panic.take()).flatten()
}

/// Passes this thread's texts to `look`; `None` if they are freed already. `look` must only move values.
fn texts<R>(look: impl FnOnce(&Texts) -> R) -> Option<R> {
    // An error means that the thread is ending, so the texts would never be freed.
    OWNER.try_with(|_| ()).ok()?;
    FRAME.with(|frame| {
        if frame.texts.get().is_null() {
            // INVARIANT: it came from a box, and the thread's owner frees it.
            frame.texts.set(Box::into_raw(Box::default()));
        }
        // SAFETY: by the type invariant it came from a box; `free`, which alone frees it, runs after the last look.
        Some(look(unsafe { &*frame.texts.get() }))
    })
}

/// Frees the texts of this thread.
fn free() {
    let texts = FRAME.with(|frame| frame.texts.replace(null()));
    if !texts.is_null() {
        // SAFETY: by the type invariant it came from a box, and it is taken once.
        drop(unsafe { Box::from_raw(texts.cast_mut()) });
    }
}
