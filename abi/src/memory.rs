//! Counts what a library allocates: [`export!`](crate::export) with `allocator = ...` puts [`Counted`] between Rust's
//! containers and the allocator named there.
//!
//! Each thread counts in its own shard, with a load, an addition and a store: a counter shared by threads costs 4 to 18
//! ns per step. The shards are a table in the library itself, which the host reads ([`MemoryTable`]), so counting is
//! exact from the first constructor on, with or without a host.
//!
//! # How a thread finds its shard
//!
//! By its thread pointer. That is one register, valid from the first instruction of a thread to the last; it needs no
//! thread-local, which an allocator could not initialise. Two living threads never have the same thread pointer. When a
//! thread has ended, the C library may give its pointer to a new thread, which continues in the same shard. It does so
//! only once the old thread no longer executes anything, because reusing the pointer means reusing the memory around
//! it, which the old thread needs to its end.
//!
//! A thread that finds no free shard near its own slot shares the last shard with the others that found none, by atomic
//! additions: slower, but just as exact.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;
use std::ptr::from_ref;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Plugin;
use crate::boundary::{Entry, MemoryShard, MemoryTable, Str};

/// An allocator that counts what goes through it.
#[derive(Debug)]
pub struct Counted<A>(A);

impl<A> Counted<A> {
    /// Counts what goes through `allocator`.
    pub const fn new(allocator: A) -> Self {
        Counted(allocator)
    }
}

// SAFETY: `A` does it all; counting neither allocates nor panics, and touches nothing of the blocks.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counted<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller passes a layout whose size is not 0, as `A` requires.
        let block = unsafe { self.0.alloc(layout) };
        if !block.is_null() {
            count(allocated, layout.size(), allocations, 1);
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(freed, layout.size(), frees, 1);
        // SAFETY: the caller passes a block that came from us, so from `A`, and its layout.
        unsafe { self.0.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller passes a layout whose size is not 0, as `A` requires.
        let block = unsafe { self.0.alloc_zeroed(layout) };
        if !block.is_null() {
            count(allocated, layout.size(), allocations, 1);
        }
        block
    }

    /// Growth counts as bytes allocated and shrinkage as bytes freed; the number of blocks does not change.
    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller passes a block that came from us, so from `A`, its layout, and a size that is not 0.
        let block = unsafe { self.0.realloc(block, layout, size) };
        if !block.is_null() {
            let (more, less) = (size.saturating_sub(layout.size()), layout.size().saturating_sub(size));
            count(allocated, more, freed, less);
        }
        block
    }
}

/// How many threads have their own shard: 16 KiB in all, of which only the pages in use take memory.
const OWN: usize = 256;

/// How many shards a thread tries before it gives up.
const NEAR: usize = 8;

/// The threads' own shards, and after them the shard of all threads that found none.
///
/// # Invariants
/// `own[0]` is 0 or the thread pointer of the one thread that writes the shard; it is set once. In the last shard it is
/// 0, and all its threads write by atomic additions.
#[repr(align(64))]
struct Shards([MemoryShard; OWN + 1]);

static SHARDS: Shards = Shards([const { new() }; OWN + 1]);

const fn new() -> MemoryShard {
    MemoryShard {
        allocated: AtomicU64::new(0),
        freed: AtomicU64::new(0),
        allocations: AtomicU64::new(0),
        frees: AtomicU64::new(0),
        own: [const { AtomicU64::new(0) }; 4],
    }
}

/// One of the counters of a shard.
trait Counter: FnOnce(&MemoryShard) -> &AtomicU64 {}
impl<F: FnOnce(&MemoryShard) -> &AtomicU64> Counter for F {}

fn allocated(shard: &MemoryShard) -> &AtomicU64 {
    &shard.allocated
}

fn freed(shard: &MemoryShard) -> &AtomicU64 {
    &shard.freed
}

fn allocations(shard: &MemoryShard) -> &AtomicU64 {
    &shard.allocations
}

fn frees(shard: &MemoryShard) -> &AtomicU64 {
    &shard.frees
}

/// Adds to two counters of the calling thread's shard.
#[inline(always)]
fn count(one: impl Counter, more: usize, other: impl Counter, and_more: usize) {
    let me = thread_pointer();
    let home = &SHARDS.0[home(me)];
    // Relaxed, here and in `claim`: only this thread stores its pointer, or an earlier thread with the same pointer.
    if home.own[0].load(Ordering::Relaxed) == me {
        add(one(home), more);
        add(other(home), and_more);
    } else {
        count_elsewhere(me, one, more, other, and_more);
    }
}

/// Adds to a counter of a shard that this thread alone writes.
#[inline(always)]
fn add(counter: &AtomicU64, more: usize) {
    // Relaxed: a counter with a single writer.
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more as u64), Ordering::Relaxed);
}

/// As `count`, if the first shard that is tried is not the thread's own. Apart, and by values, so that the common case
/// keeps nothing for it.
#[cold]
#[inline(never)]
fn count_elsewhere(me: u64, one: impl Counter, more: usize, other: impl Counter, and_more: usize) {
    if let Some(own) = claim(me) {
        add(one(own), more);
        add(other(own), and_more);
        return;
    }
    // Relaxed: counters.
    one(&SHARDS.0[OWN]).fetch_add(more as u64, Ordering::Relaxed);
    other(&SHARDS.0[OWN]).fetch_add(and_more as u64, Ordering::Relaxed);
}

/// Finds the thread's own shard if it is not the first one tried, and claims one if it has none.
fn claim(me: u64) -> Option<&'static MemoryShard> {
    (0..NEAR).map(|step| &SHARDS.0[(home(me) + step) % OWN]).find(|shard| {
        let owner = &shard.own[0];
        // INVARIANT: it was 0, so no other thread wrote the shard, and none will.
        match owner.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => true,
            Err(other) => other == me,
        }
    })
}

/// The shard that a thread tries first. Thread pointers lie one stack apart, with or without a guard page: those of
/// threads started one after the other differ in their page number or their large-page number, and the sum of both
/// differs in either case.
#[inline(always)]
const fn home(me: u64) -> usize {
    const PAGE: u64 = 1 << 12;
    const LARGE: u64 = 1 << 21;
    (me / PAGE + me / LARGE) as usize % OWN
}

/// Identifies this thread among all living threads; never 0.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: on this system the thread's control block begins with its own address.
    unsafe { std::arch::asm!("mov {}, fs:[0]", out(reg) pointer, options(pure, readonly, nostack, preserves_flags)) };
    pointer
}

/// Identifies this thread among all living threads; never 0.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn thread_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: a thread may read the register of its own pointer.
    unsafe { std::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer, options(pure, nomem, nostack, preserves_flags)) };
    pointer
}

/// The entry of plugin `P` in a library whose allocator is [`Counted`], for [`export!`](crate::export).
#[doc(hidden)]
pub const fn entry<P: Plugin>() -> Entry {
    Entry { query: query::<P>, ..crate::entry::entry::<P>() }
}

/// The `query` of the entry: `memory/1`, and all that the other entry has.
///
/// # Safety
/// `id` is readable for the call.
unsafe extern "C" fn query<P: Plugin>(id: Str) -> *const c_void {
    static TABLE: MemoryTable =
        MemoryTable { size: size_of::<MemoryTable>() as u32, count: SHARDS.0.len() as u32, shards: SHARDS.0.as_ptr() };
    // SAFETY: the host passes text that is readable for the call.
    match &*unsafe { id.to_text() } {
        "memory/1" => from_ref(&TABLE).cast(),
        // SAFETY: the host passes text that is readable for the call.
        _ => unsafe { crate::entry::query::<P>(id) },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::ptr::null_mut;
    use std::sync::Barrier;

    use super::*;

    struct Refuses;

    // SAFETY: it never returns a block, so there is none to be valid.
    unsafe impl GlobalAlloc for Refuses {
        unsafe fn alloc(&self, _: Layout) -> *mut u8 {
            null_mut()
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    fn own() -> Option<&'static MemoryShard> {
        claim(thread_pointer())
    }

    #[test]
    fn failed_allocations_are_not_counted() {
        let (refuses, layout) = (Counted::new(Refuses), Layout::new::<u64>());
        // SAFETY: the layout is not empty, and that allocator looks at no block.
        let answers =
            unsafe { [refuses.alloc(layout), refuses.alloc_zeroed(layout), refuses.realloc(null_mut(), layout, 9)] };
        assert_eq!(answers, [null_mut(); 3]);
        // Whichever shard this thread has: no other test counts anything.
        for shard in &SHARDS.0 {
            let counts =
                [&shard.allocated, &shard.freed, &shard.allocations].map(|count| count.load(Ordering::Relaxed));
            assert_eq!(counts, [0; 3]);
        }
    }

    /// As many threads as there are shards, with stacks of the usual sizes: the system places some close together and
    /// aligns others to large pages.
    #[test]
    fn threads_one_behind_the_other_find_shards_of_their_own() {
        for stack in [2 << 20, 8 << 20, (2 << 20) + 4096, (8 << 20) + 4096] {
            let mut taken = HashSet::new();
            let mut claims = |me: u64| (0..NEAR).any(|step| taken.insert((home(me) + step) % OWN));
            let found = (0..OWN as u64).filter(|thread| claims(0x7f12_3456_7000 + thread * stack)).count();
            assert!(found > OWN / 4 * 3, "{found} of {OWN}, {stack} bytes apart");
        }
    }

    #[test]
    fn no_two_threads_that_live_have_the_same_shard() {
        const THREADS: usize = 300;
        let all_are_there = Barrier::new(THREADS);
        let shards = std::thread::scope(|threads| {
            let find = || {
                let (first, again) = (own(), own());
                all_are_there.wait();
                assert_eq!(first.map(from_ref), again.map(from_ref));
                first.map(|shard| from_ref(shard).addr())
            };
            let threads: Vec<_> = (0..THREADS).map(|_| threads.spawn(find)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let found: Vec<_> = shards.into_iter().flatten().collect();
        assert!(!found.is_empty());
        assert_eq!(found.iter().collect::<HashSet<_>>().len(), found.len());
        assert!(!found.contains(&from_ref(&SHARDS.0[OWN]).addr()), "that one is everybody's");
    }
}
