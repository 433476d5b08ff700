//! The call frame of a thread: which call into plugin code it is in, what its dispatches are about, and what was
//! said and decided in them, until somebody asks.
//!
//! One for each thread, and without `Drop`, so that it is there to the very end: destructors of thread-locals
//! dispatch too. Its texts alone are freed when the thread ends; what is said behind that is logged.

mod said;
mod texts;

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{from_ref, null};
use std::sync::Arc;

use hookrail_abi::boundary::Context;
use hookrail_abi::host::Report;
use hookrail_model::log;

use self::texts::{Owner, Texts};
use crate::chain::counted::context_of;
use crate::chain::outcome::Packed;
use crate::chain::pair::Pair;
use crate::reclaim;

pub use self::said::{Panic, Reported};

/// # Invariants
/// `call` is null or a call that [`call`] has not ended; `context` is null or one that [`about`] has not ended.
/// `texts` is null or came from a box, which is freed by [`free`] alone.
struct Frame {
    /// The innermost call into a plugin outside of any dispatch.
    call: Cell<*const Call<'static>>,
    /// What dispatches are about.
    context: Cell<*const Context>,
    /// What the last watched dispatch decided.
    decided: Cell<Option<Packed>>,
    texts: Cell<*const Texts>,
}

/// A call into a plugin outside of any dispatch.
struct Call<'a> {
    /// Identifies the library.
    library: *const (),
    instance: Option<&'a Arc<str>>,
    /// The dispatch that it was made from.
    within: Option<(u64, *mut ())>,
}

thread_local! {
    static FRAME: Frame = const {
        // INVARIANT: all null.
        Frame { call: Cell::new(null()), context: Cell::new(null()), decided: Cell::new(None), texts: Cell::new(null()) }
    };
    static OWNER: Owner = const { Owner(free) };
}

const _: () = assert!(!std::mem::needs_drop::<Frame>(), "it is there to the very end of a thread");

/// Which code of a plugin a thread is in.
pub enum Place {
    /// In a callback with that context.
    Callback(*mut c_void),
    /// In a call outside of any dispatch.
    Call {
        /// Identifies the library.
        library: *const (),
        /// The instance, if the call is one's.
        instance: Option<Arc<str>>,
    },
}

/// Runs a call into a plugin outside of any dispatch; returns what it returned and what it said. What is told in
/// it is the instance's, of the library that `library` identifies.
pub fn call<R>(library: *const (), instance: Option<&Arc<str>>, run: impl FnOnce() -> R) -> (R, Option<Reported>) {
    /// Functions of plugins do not unwind, but what is said in between is the host's own code.
    struct Restore(*const Call<'static>);
    impl Drop for Restore {
        fn drop(&mut self) {
            FRAME.with(|frame| frame.call.set(self.0));
        }
    }
    let this = Call { library, instance, within: reclaim::innermost() };
    // INVARIANT: it is taken back before it goes.
    let restore = Restore(FRAME.with(|frame| frame.call.replace(from_ref(&this).cast())));
    texts(|texts| texts.said.take());
    let result = run();
    drop(restore);
    (result, texts(|texts| texts.said.take()).flatten())
}

/// Whether this thread is in a [`call`].
pub fn is_calling() -> bool {
    FRAME.with(|frame| !frame.call.get().is_null())
}

/// The code of a plugin that this thread is in, if it is in any.
pub fn place() -> Option<Place> {
    let innermost = reclaim::innermost();
    // SAFETY: by the type invariant.
    let call = FRAME.with(|frame| unsafe { frame.call.get().as_ref() }).filter(|call| call.within == innermost);
    if let Some(Call { library, instance, .. }) = call {
        return Some(Place::Call { library: *library, instance: instance.cloned() });
    }
    let entry = reclaim::innermost_entry()?;
    // Nothing is noted when a callback is called: a dispatch names its entry anyway, for whoever waits for readers,
    // and the entry leads to the context that goes with the code.
    // SAFETY: this thread is in a dispatch, and in code of a plugin, none of which runs between the entering and the
    // first naming; so the innermost frame names the pair that is being called, and being inside keeps it.
    Some(Place::Callback(unsafe { context_of(&*entry.cast::<Pair>()) }))
}

/// Runs `dispatch`; callbacks of dispatches in it are told what they are about.
pub(crate) fn about<R>(context: &Context, dispatch: impl FnOnce() -> R) -> R {
    /// Puts the outer context back, on unwinding too.
    struct Restore(*const Context);
    impl Drop for Restore {
        fn drop(&mut self) {
            FRAME.with(|frame| frame.context.set(self.0));
        }
    }
    // INVARIANT: it is taken back before it goes.
    let _restore = Restore(FRAME.with(|frame| frame.context.replace(context)));
    dispatch()
}

/// The host table's `current`: what the dispatch of this thread is about.
///
/// # Safety
/// What it returns is there for as long as the callback runs that asks.
pub unsafe extern "C" fn current() -> *const Context {
    FRAME.with(|frame| frame.context.get())
}

/// Leaves a decision for [`decided`].
pub(crate) fn decide(decided: Packed) {
    FRAME.with(|frame| frame.decided.set(Some(decided)));
}

/// What the runner that just returned on this thread decided.
pub(crate) fn decided() -> Option<Packed> {
    FRAME.with(|frame| frame.decided.take())
}

/// Keeps what was said. What is said outside of a dispatch and of a [`call`] is logged: nobody would ask for it.
pub fn report(kind: u32, text: &str) {
    keep(kind, text.into(), None);
}

/// Keeps a panic that has ended the call.
pub fn panicked(panic: Panic) {
    keep(Report::Fault as u32, panic.to_string(), Some(panic));
}

fn keep(kind: u32, text: String, panic: Option<Panic>) {
    let within = reclaim::innermost();
    let mut said = Some(Reported { kind, text, panic, within });
    if within.is_some() || is_calling() {
        drop(texts(|texts| texts.said.replace(said.take())));
    }
    // It was not kept.
    if let Some(said) = said {
        log!(error, "a plugin says, outside of any call: {}", said.text);
    }
}

/// What the callback that just returned said, if it said something of that kind.
pub(crate) fn take(kind: Report) -> Option<Reported> {
    let within = reclaim::innermost();
    texts(|texts| {
        let (asked_for, other) = match texts.said.take() {
            Some(said) if said.kind == kind as u32 && said.within == within => (Some(said), None),
            other => (None, other),
        };
        texts.said.set(other);
        asked_for
    })
    .flatten()
}

/// What the callback that just returned said, whatever that is about; it can still be taken.
pub(crate) fn heard() -> Option<String> {
    let within = reclaim::innermost();
    texts(|texts| {
        let said = texts.said.take();
        let text = said.as_ref().filter(|said| said.within == within).map(|said| said.text.clone());
        texts.said.set(said);
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

/// This thread's last denial: no other one has its number, on no thread. 0 where nothing is kept any more.
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

/// Keeps a panic until it is known what became of it: the plugin may catch it itself, and then it is nobody's fault.
pub fn keep_panic(panic: Panic) {
    drop(texts(|texts| texts.panic.replace(Some(panic))));
}

/// The panic that was kept last.
pub fn take_panic() -> Option<Panic> {
    texts(|texts| texts.panic.take()).flatten()
}

/// Looks at this thread's texts; `None` when they are freed already. `look` moves values and runs nothing else.
fn texts<R>(look: impl FnOnce(&Texts) -> R) -> Option<R> {
    // An error means that the thread is ending, and that nobody would free them any more.
    OWNER.try_with(|_| ()).ok()?;
    FRAME.with(|frame| {
        if frame.texts.get().is_null() {
            // INVARIANT: it came from a box, and its thread's owner frees it.
            frame.texts.set(Box::into_raw(Box::default()));
        }
        // SAFETY: by the type invariant; `free` runs after the last look.
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
