//! Allocates and frees as the payload says, if the payload names it.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::blocks::*;
use crate::tasks::*;
use hookrail_abi::prelude::*;

/// It has room for what it keeps from the start, so that keeping something allocates nothing else.
pub struct Holds {
    name: String,
    kept: Arc<Mutex<[Option<Block>; 512]>>,
}

struct Block {
    start: *mut u8,
    layout: Layout,
}

// SAFETY: nobody else knows the memory.
unsafe impl Send for Block {}

impl Block {
    fn new(allocate: unsafe fn(Layout) -> *mut u8, size: usize, align: usize) -> Self {
        let layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: the tests ask for no empty blocks.
        let start = unsafe { allocate(layout) };
        assert!(start.addr() != 0 && start.addr() % align == 0);
        Block { start, layout }
    }

    fn resize(&mut self, size: usize) {
        // SAFETY: it was allocated with this layout, and the size is not 0.
        self.start = unsafe { realloc(self.start, self.layout, size) };
        self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout.
        unsafe { dealloc(self.start, self.layout) };
    }
}

impl Holds {
    fn obey(&self, task: &Task) {
        if task.trail.as_str() != self.name {
            return;
        }
        let size = task.hold;
        match task.cause {
            KEEP => self.keep(Block::new(alloc, size, 1)),
            KEEP_ZEROED => self.keep(Block::new(alloc_zeroed, size, 1)),
            KEEP_ALIGNED => self.keep(Block::new(alloc, size, 4096)),
            KEEP_ON_A_THREAD => {
                let block = std::thread::spawn(move || Block::new(alloc, size, 1)).join().unwrap();
                self.keep(block);
            }
            RESIZE => self.kept().iter_mut().rev().flatten().next().unwrap().resize(size),
            FREE => free(&mut self.kept()),
            FREE_WHEN_LET_GO => {
                let kept = self.kept.clone();
                std::thread::spawn(move || {
                    // SAFETY: the test keeps it until the memory is free.
                    unsafe { &*std::ptr::with_exposed_provenance::<Hold>(size) }.stay();
                    free(&mut lock(&kept));
                });
            }
            CHURN => (1..=size).for_each(|size| drop(black_box(Block::new(alloc, size, 1)))),
            LEAK => {
                static LAST: AtomicPtr<[u8; LEAKED]> = AtomicPtr::new(std::ptr::null_mut());
                (0..size).for_each(|_| LAST.store(Box::leak(Box::new([0; LEAKED])), Ordering::Relaxed));
            }
            _ => {}
        }
    }

    fn edit(&self, task: &mut Task) {
        self.obey(task);
        if task.cause == WRITE {
            (0..task.hold).for_each(|_| task.trail.push_str("x"));
        }
    }

    fn keep(&self, block: Block) {
        *self.kept().iter_mut().find(|slot| slot.is_none()).unwrap() = Some(block);
    }

    fn kept(&self) -> MutexGuard<'_, [Option<Block>; 512]> {
        lock(&self.kept)
    }
}

fn lock(kept: &Mutex<[Option<Block>; 512]>) -> MutexGuard<'_, [Option<Block>; 512]> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn free(kept: &mut [Option<Block>; 512]) {
    kept.iter_mut().for_each(|slot| *slot = None);
}

impl Plugin for Holds {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![
        TaskSeen, "obey" => Self::obey, priority = 500, effects = local;
        TaskDone, "obey" => Self::edit, priority = 500, effects = local;
    ];

    fn start(host: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Holds { name: host.name().into(), kept: Arc::new(Mutex::new([const { None }; 512])) })
    }
}
