//! A host that is dropped leaves nothing behind in the program's memory. This file has one test, since it
//! counts what the whole program allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use hookrail::{Callbacks, Config, Host, MessagePublish, Priority};
use hookrail_tests::alone;

static BLOCKS: AtomicIsize = AtomicIsize::new(0);

struct Counting;

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BLOCKS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BLOCKS.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_dropped_host_leaves_nothing_behind() {
    alone!();
    let live = || {
        let host = Host::new(Config::default()).unwrap();
        let look = Callbacks::new("test").on(MessagePublish, "look", Priority::new(1), |_| ());
        let registered = host.register(look).unwrap();
        host.unregister(registered);
        drop(host);
        BLOCKS.load(Ordering::Relaxed)
    };
    // What the first one makes for all that follow.
    live();
    let before = live();
    (0..100).for_each(|_| _ = live());
    assert_eq!(live(), before, "blocks of memory");
}
