//! The slots of all threads: memory that is reused and never freed, so that writers may read it at any time.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

use once_cell::sync::OnceCell;

use super::slot::Slot;
use crate::fork;
use crate::sync::{AtomicPtr, Ordering, is_asymmetric};

/// Slots are allocated in blocks, so that a writer walks memory in order.
const BLOCK: usize = 64;

struct Block {
    slots: [Slot; BLOCK],
    next: AtomicPtr<Block>,
}

static FIRST: AtomicPtr<Block> = AtomicPtr::new(null_mut());

thread_local! {
    /// This thread's slot for the fast path: constant and without `Drop`, so that reading it is one instruction. Null
    /// before the thread first reads, and always null where readers must issue the fence themselves: then every
    /// dispatch takes the slow path, which does.
    static FAST: Cell<*const Slot> = const { Cell::new(null()) };
    /// This thread's slot, once claimed.
    static OWN: Cell<*const Slot> = const { Cell::new(null()) };
    /// Whether the thread has given its slot back: from then on each of its dispatches does so itself.
    static IS_LATE: Cell<bool> = const { Cell::new(false) };
}

/// The key whose destructor gives a thread's slot back. The destructors of keys run after those of all thread-locals, in
/// whatever order those were made, and whatever they dispatch. `None` if the process has no key left: then slots stay
/// claimed.
static KEY: OnceCell<Option<libc::pthread_key_t>> = OnceCell::new();

/// # Safety
/// It runs as the destructor of the key, on the thread that is ending.
unsafe extern "C" fn release(_: *mut c_void) {
    IS_LATE.set(true);
    give_back();
}

fn give_back() {
    FAST.set(null());
    // SAFETY: a slot lives as long as the process.
    if let Some(slot) = unsafe { OWN.replace(null()).as_ref() } {
        slot.release();
    }
}

/// Has the system call [`release`] when this thread ends.
fn release_at_exit() {
    /// While a thread has one, the C library keeps this code mapped, should it be in a library that is closed.
    struct Pin;
    impl Drop for Pin {
        fn drop(&mut self) {}
    }
    thread_local! {
        static PIN: Pin = const { Pin };
    }
    // An error means that the thread is ending.
    let _ = PIN.try_with(|_| ());
    let make = || {
        let mut key = 0;
        // SAFETY: there is room for a key, and the destructor is a function, which stays.
        (unsafe { libc::pthread_key_create(&mut key, Some(release)) } == 0).then_some(key)
    };
    if let Some(key) = *KEY.get_or_init(make) {
        // Its destructor is called for any value but null.
        // SAFETY: it is a key of ours, and the value is only looked at.
        unsafe { libc::pthread_setspecific(key, std::ptr::without_provenance(1)) };
    }
}

/// Whether this thread has given its slot back, since it is ending.
pub(crate) fn is_late() -> bool {
    IS_LATE.get()
}

/// Called on leaving a dispatch that took the slow path: gives the slot back if nothing else will.
pub(crate) fn leave_late() {
    if is_late() {
        give_back();
    }
}

/// This thread's slot, for the fast path.
#[inline(always)]
pub(crate) fn current() -> Option<&'static Slot> {
    // SAFETY: a slot lives as long as the process.
    unsafe { FAST.get().as_ref() }
}

/// This thread's slot, if it has ever read. Private to this crate: where other crates can see a thread-local, reading
/// it takes one more instruction.
#[inline(always)]
pub(crate) fn own() -> Option<&'static Slot> {
    // SAFETY: a slot lives as long as the process.
    unsafe { OWN.get().as_ref() }
}

/// This thread's slot, claimed if it had none.
///
/// A thread that dispatches after it has given its slot back, in the destructor of another key, claims one for that
/// dispatch: [`leave_late`].
pub(crate) fn register() -> &'static Slot {
    own().unwrap_or_else(|| {
        prepare_forks();
        let slot = claim();
        // SAFETY: the call touches no memory.
        slot.set_thread(unsafe { libc::gettid() }.cast_unsigned());
        OWN.set(slot);
        if !is_late() {
            if is_asymmetric() {
                FAST.set(slot);
            }
            release_at_exit();
        }
        slot
    })
}

/// All slots, claimed or not.
pub fn all() -> impl Iterator<Item = &'static Slot> {
    // Acquire, here and below: pairs with the Release in `append`.
    // SAFETY: blocks live as long as the process.
    let mut next = unsafe { FIRST.load(Ordering::Acquire).as_ref() };
    std::iter::from_fn(move || {
        let block = next?;
        // SAFETY: blocks live as long as the process.
        next = unsafe { block.next.load(Ordering::Acquire).as_ref() };
        Some(block.slots.iter())
    })
    .flatten()
}

fn claim() -> &'static Slot {
    match all().find(|slot| slot.claim()) {
        Some(slot) => slot,
        None => append(),
    }
}

/// Adds a block and claims its first slot.
fn append() -> &'static Slot {
    let block: &'static mut Block =
        Box::leak(Box::new(Block { slots: std::array::from_fn(|_| Slot::new()), next: AtomicPtr::new(null_mut()) }));
    let claimed = block.slots[0].claim();
    debug_assert!(claimed, "nobody else knows the block yet");
    let block: *mut Block = block;
    let mut link = &FIRST;
    let mut before = 0;
    // Release: pairs with the Acquire in `all`. The thread's first store to its slot comes after it, so the heavy fence
    // of a writer that misses the block comes before the thread's first load.
    loop {
        // SAFETY: nobody else knows the block before the exchange succeeds.
        let slots = unsafe { &mut (*block).slots };
        slots.iter_mut().enumerate().for_each(|(index, slot)| slot.number = before + index);
        match link.compare_exchange(null_mut(), block, Ordering::Release, Ordering::Acquire) {
            Ok(_) => break,
            Err(next) => {
                // SAFETY: blocks live as long as the process.
                link = unsafe { &(*next).next };
                before += BLOCK;
            }
        }
    }
    // SAFETY: blocks live as long as the process.
    unsafe { &(*block).slots[0] }
}

/// The slots of other threads, copied in whatever state they were, would make the writers of a forked child wait
/// forever.
fn prepare_forks() {
    /// # Safety
    /// It runs in the child of a fork, where no thread but the caller exists.
    unsafe extern "C" fn in_child() {
        let own = OWN.get();
        all().filter(|slot| !std::ptr::eq(*slot, own)).for_each(Slot::release);
    }
    static PREPARED: OnceCell<()> = OnceCell::new();
    PREPARED.get_or_init(|| fork::in_children(in_child));
}
