//! Models of the read side, explored by loom: every interleaving, and every stale value that the
//! memory model lets a thread see.
//!
//! The protocol is that of the production files, which take their atomics from `crate::sync`: here
//! that is loom's. Each model is run once as it is, and once for each [`Flaw`] that must break it:
//! a model that passes without its fences proves nothing.
//!
//! loom knows neither `membarrier(2)` nor compiler fences, so both sides issue `fence(SeqCst)` here.
//! What is proved is the symmetric protocol; that a kernel issues the readers' half is its contract.

#[path = "../../host/dispatch/src/reclaim/grace.rs"]
#[allow(dead_code, unreachable_pub)]
mod grace;
#[path = "../../host/dispatch/src/chain/pair.rs"]
#[allow(dead_code, unreachable_pub)]
mod pair;
#[path = "../../host/dispatch/src/reclaim/slot.rs"]
#[allow(dead_code, unreachable_pub)]
mod slot;
#[path = "fixtures/loom_sync.rs"]
mod sync;

use std::cell::Cell;
use std::ffi::c_void;
use std::fmt::Debug;
use std::panic::catch_unwind;
use std::ptr::{from_ref, null_mut};
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread::{spawn, yield_now};

use crate::grace::Grace;
use crate::pair::Pair;
use crate::slot::Slot;
use crate::sync::{AtomicPtr, Ordering};

#[test]
fn a_chain_that_a_reader_holds_is_not_freed() {
    holds(publish_and_reclaim);
    breaks(Flaw::NoFenceInEnter, publish_and_reclaim);
    breaks(Flaw::NoFenceInBegin, publish_and_reclaim);
    breaks(Flaw::RelaxedSequence, publish_and_reclaim);
    breaks(Flaw::RelaxedPointers, publish_and_reclaim);
}

#[test]
fn a_chain_that_two_readers_hold_is_not_freed() {
    holds(two_readers);
    breaks(Flaw::NoFenceInEnter, two_readers);
    breaks(Flaw::RelaxedSequence, two_readers);
}

#[test]
fn a_reader_without_pause_does_not_hold_up_a_writer() {
    holds(back_to_back);
    breaks(Flaw::FlagForSequence, back_to_back);
}

#[test]
fn a_slot_may_change_hands_while_a_writer_looks() {
    holds(reuse_of_a_slot);
    breaks(Flaw::NoFenceInEnter, reuse_of_a_slot);
    breaks(Flaw::RelaxedClaim, reuse_of_a_slot);
}

#[test]
fn a_writer_may_miss_the_slot_of_a_new_thread() {
    holds(new_slot);
    breaks(Flaw::NoFenceInEnter, new_slot);
    breaks(Flaw::NoFenceInBegin, new_slot);
}

#[test]
fn a_disarmed_callback_is_not_called_once_nobody_names_it() {
    holds(disarm);
    breaks(Flaw::NoFenceInAnnounce, disarm);
    breaks(Flaw::NoFenceBeforeFrames, disarm);
    breaks(Flaw::RelaxedPointers, disarm);
}

#[test]
fn a_disarmed_callback_of_a_nested_dispatch_is_not_called_once_nobody_names_it() {
    holds(disarm_nested);
    breaks(Flaw::NoFenceInAnnounce, disarm_nested);
    breaks(Flaw::NoFenceBeforeFrames, disarm_nested);
    breaks(Flaw::RelaxedPointers, disarm_nested);
}

/// One reader dispatches twice, one writer replaces what it reads and frees it.
fn publish_and_reclaim() {
    let world = World::new(1);
    let reader = {
        let world = world.clone();
        spawn(move || (0..2).for_each(|_| world.read(&world.slots[0])))
    };
    world.replace();
    reader.join().unwrap();
}

fn two_readers() {
    let world = World::new(2);
    let readers = [0, 1].map(|index| {
        let world = world.clone();
        spawn(move || world.read(&world.slots[index]))
    });
    world.replace();
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}

/// Between two looks of the writer the reader has left and is inside again.
fn back_to_back() {
    let slot = made_here(Slot::new());
    let first = slot.enter().unwrap();
    let mut grace = Grace::begin(|| [&*slot].into_iter());
    assert!(!grace.is_over());
    first.leave();
    let second = slot.enter().unwrap();
    assert!(grace.is_over(), "the reader that was waited for has left");
    second.leave();
}

/// A thread ends and another takes its slot, while a writer looks at it.
fn reuse_of_a_slot() {
    let world = World::new(1);
    let readers = [0, 1].map(|_| {
        let world = world.clone();
        spawn(move || {
            let slot = &world.slots[0];
            // The other thread may have it still: then this one would take another.
            if slot.claim() {
                world.read(slot);
                slot.release();
            }
        })
    });
    world.replace();
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}

/// A thread adds its slot to the list and reads, as `threads::append` does.
fn new_slot() {
    let world = World::new(1);
    let list = made_here(AtomicPtr::<Slot>::new(null_mut()));
    let reader = {
        let (world, list) = (world.clone(), list.clone());
        spawn(move || {
            let slot = from_ref(&world.slots[0]).cast_mut();
            list.compare_exchange(null_mut(), slot, Ordering::Release, Ordering::Acquire).unwrap();
            world.read(&world.slots[0]);
        })
    };
    let old = world.unlink();
    // SAFETY: the list holds null or a slot of the world.
    let mut grace = Grace::begin(|| unsafe { list.load(Ordering::Acquire).as_ref() }.into_iter());
    wait(|| grace.is_over());
    old.free();
    reader.join().unwrap();
}

/// A reader walks a retired chain of three, of which the first and the last are the plugin's. The
/// writer does not wait until it has left the chain.
fn disarm() {
    let world = World::new(1);
    let library = Arc::new(Object::new());
    let of_library = || Pair::new(run_in_library, null_mut());
    let chain = made_here(Chain([of_library(), Pair::new(run_elsewhere, null_mut()), of_library()]));
    let reader = {
        let (world, chain, library) = (world.clone(), chain.clone(), library.clone());
        spawn(move || {
            let inside = world.slots[0].enter().unwrap();
            if world.is_linked() {
                chain.0.iter().for_each(|pair| call(pair, inside.frame(), &library));
            }
            inside.leave();
        })
    };
    unload(&world, [&chain.0[0], &chain.0[2]], &library);
    reader.join().unwrap();
}

/// As `disarm`, and the reader comes to the plugin's callback from within another one.
fn disarm_nested() {
    let world = World::new(1);
    let library = Arc::new(Object::new());
    let outer = made_here(Chain([Pair::new(run_elsewhere, null_mut())]));
    let inner = made_here(Chain([Pair::new(run_in_library, null_mut())]));
    let reader = {
        let (world, outer, inner, library) = (world.clone(), outer.clone(), inner.clone(), library.clone());
        spawn(move || {
            let inside = world.slots[0].enter().unwrap();
            call(&outer.0[0], inside.frame(), &library);
            let nested = world.slots[0].enter_nested();
            if world.is_linked() {
                call(&inner.0[0], nested.frame().unwrap(), &library);
            }
            nested.leave();
            inside.leave();
        })
    };
    unload(&world, [&inner.0[0]], &library);
    reader.join().unwrap();
}

/// What an unloading past its deadline does: unlinks, overwrites, waits for frames, frees.
fn unload<const N: usize>(world: &World, pairs: [&Pair; N], library: &Object) {
    world.unlink();
    let mut grace = Grace::begin(|| world.slots.iter());
    pairs.iter().for_each(|pair| pair.disarm());
    wait(|| grace.readers_in(|at| pairs.iter().any(|pair| pair.identity() == at)) == 0);
    library.free();
}

#[derive(Debug)]
struct Chain<const N: usize>([Pair; N]);

// SAFETY: the contexts are null.
unsafe impl<const N: usize> Send for Chain<N> {}
// SAFETY: the contexts are null.
unsafe impl<const N: usize> Sync for Chain<N> {}

/// Calls a pair; while the frame names it, the plugin's code uses its library.
fn call(pair: &Pair, frame: &AtomicPtr<()>, library: &Object) {
    // SAFETY: the code of this file ignores its arguments.
    if unsafe { pair.call(frame, null_mut()) } == IN_LIBRARY {
        // Here and not in the callback: no panic may leave that.
        library.look();
    }
}

const IN_LIBRARY: u32 = 1;

unsafe extern "C" fn run_in_library(_ctx: *mut c_void, _payload: *mut c_void) -> u32 {
    IN_LIBRARY
}

unsafe extern "C" fn run_elsewhere(_ctx: *mut c_void, _payload: *mut c_void) -> u32 {
    0
}

/// Slots, and one pointer that leads readers to an object.
#[derive(Debug)]
struct World {
    slots: Vec<Slot>,
    head: AtomicPtr<Object>,
    old: Object,
    new: Object,
}

impl World {
    fn new(slots: usize) -> Arc<Self> {
        let slots = (0..slots).map(|_| Slot::new()).collect();
        let world = World { slots, head: AtomicPtr::new(null_mut()), old: Object::new(), new: Object::new() };
        let world = made_here(world);
        world.head.store(from_ref(&world.old).cast_mut(), Ordering::Relaxed);
        world
    }

    /// A dispatch.
    fn read(&self, slot: &Slot) {
        let inside = slot.enter().expect("the thread is outside");
        // SAFETY: the head is null or leads to an object of this world.
        if let Some(object) = unsafe { self.head.load(Ordering::Acquire).as_ref() } {
            object.look();
        }
        inside.leave();
    }

    fn is_linked(&self) -> bool {
        std::ptr::eq(self.head.load(Ordering::Acquire), &self.old)
    }

    /// Publishes another object; the one before is to be retired.
    fn unlink(&self) -> &Object {
        self.new.prepare();
        let before = self.head.swap(from_ref(&self.new).cast_mut(), Ordering::AcqRel);
        assert!(std::ptr::eq(before, &self.old));
        &self.old
    }

    /// Publishes another object, and frees the one before when nobody reads it.
    fn replace(&self) {
        let old = self.unlink();
        let mut grace = Grace::begin(|| self.slots.iter());
        wait(|| grace.is_over());
        old.free();
    }
}

/// Something that is freed. Never really: loom sees the use after it, and every access that is not
/// ordered with it.
#[derive(Debug)]
struct Object {
    alive: UnsafeCell<bool>,
}

// SAFETY: loom watches each access, and fails the model at a race.
unsafe impl Send for Object {}
// SAFETY: loom watches each access, and fails the model at a race.
unsafe impl Sync for Object {}

impl Object {
    fn new() -> Self {
        Object { alive: UnsafeCell::new(true) }
    }

    fn look(&self) {
        // SAFETY: loom found no race.
        self.alive.with(|alive| assert!(unsafe { *alive }, "used after it was freed"));
    }

    fn prepare(&self) {
        // SAFETY: loom fails the model if another thread has access.
        self.alive.with_mut(|alive| unsafe { *alive = true });
    }

    fn free(&self) {
        // SAFETY: loom fails the model if another thread has access.
        self.alive.with_mut(|alive| unsafe { *alive = false });
    }
}

/// Makes loom's atomics in it, before other threads know it.
fn made_here<T: Debug>(made: T) -> Arc<T> {
    let _ = format!("{made:?}");
    Arc::new(made)
}

fn wait(mut is_over: impl FnMut() -> bool) {
    while !is_over() {
        yield_now();
    }
}

/// What a deliberately broken variant lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// A slot shows only whether its thread is inside, not which time.
    FlagForSequence,
    /// A pair's code may be loaded before the frame names it.
    NoFenceInAnnounce,
    /// The head may be loaded before the sequence is odd.
    NoFenceInEnter,
    /// A writer looks at frames without a fence after the overwriting.
    NoFenceBeforeFrames,
    /// A writer looks at slots without a fence after the unlinking.
    NoFenceInBegin,
    /// A slot is claimed and given back with relaxed accesses.
    RelaxedClaim,
    /// The head, the frames and the code are accessed relaxed.
    RelaxedPointers,
    /// The sequence is accessed relaxed.
    RelaxedSequence,
}

thread_local! {
    // loom runs all threads of a model on one thread.
    static FLAW: Cell<Option<Flaw>> = const { Cell::new(None) };
    /// How many heavy fences this execution has seen.
    static HEAVY: Cell<u32> = const { Cell::new(0) };
}

fn holds(model: fn()) {
    FLAW.set(None);
    explore(model);
}

fn breaks(flaw: Flaw, model: fn()) {
    FLAW.set(Some(flaw));
    assert!(catch_unwind(|| explore(model)).is_err(), "loom finds nothing wrong with {flaw:?}");
}

fn explore(model: fn()) {
    let mut builder = loom::model::Builder::new();
    // Enough for every flaw above, in seconds. LOOM_MAX_PREEMPTIONS=100 explores everything, in minutes.
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || {
        HEAVY.set(0);
        model();
    });
}
