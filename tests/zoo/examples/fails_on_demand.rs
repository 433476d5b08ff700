//! Fails on a point of each kind, in the way the payload says. It counts its memory, since one way is to hold
//! too much of it.

use std::hint::black_box;
use std::panic::{catch_unwind, panic_any};
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;
use hookrail_abi::verdict::raw;
use hookrail_abi::{Answer, Kind};
use hookrail_tests::tasks::*;

struct Specimen;

/// What panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the bomb");
    }
}

/// The SDK's own answers are always verdicts, so this one goes past them.
struct Raw(u32);

impl<K: Kind> Answer<K> for Raw {
    fn into_raw(self) -> u32 {
        self.0
    }
}

impl Specimen {
    fn fail(task: &Task) -> Result<Raw> {
        match task.cause {
            PANIC => panic!("as it was asked to"),
            PANIC_ANY => panic_any(7u64),
            PANIC_BOMB => panic_any(Bomb),
            PANIC_TWICE => {
                let _ = catch_unwind(|| panic!("the first one"));
                panic!("the second one");
            }
            PANIC_ALLOW => panic_any(1u32),
            IMPOSSIBLE => Ok(Raw(77)),
            ALLOW_WITH_A_CODE => Ok(Raw(1 << 8)),
            PENDING => Ok(Raw(raw::PENDING)),
            ALLOWS => Ok(Raw(raw::ALLOW)),
            ERROR => Err("it was asked to fail".into()),
            SLOW => {
                let began = Instant::now();
                while began.elapsed() < Duration::from_millis(3) {}
                Ok(Raw(0))
            }
            STUCK => {
                stay(task);
                Ok(Raw(0))
            }
            HOARD => {
                let hoard = black_box(vec![0u8; HOARDED]);
                stay(task);
                drop(hoard);
                Ok(Raw(0))
            }
            _ => Ok(Raw(0)),
        }
    }

    fn edit(task: &mut Task) -> Result<Raw> {
        task.trail.push_str("x");
        Specimen::fail(task)
    }
}

/// Until the test lets it go.
fn stay(task: &Task) {
    // SAFETY: the test keeps it until the dispatch is over.
    unsafe { &*std::ptr::with_exposed_provenance::<Hold>(task.hold) }.stay();
}

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![
        TaskSeen, "fail" => |_, task| Specimen::fail(task), priority = 500, effects = local;
        TaskDone, "fail" => |_, task| Specimen::edit(task), priority = 500, effects = local;
        TaskAllowed, "fail" => |_, task| Specimen::edit(task), priority = 500, effects = local;
    ];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "fails-on-demand", allocator = std::alloc::System);
