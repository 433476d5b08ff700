//! What the benchmarks dispatch: their own points, a plugin with up to 32 callbacks that do almost nothing, so that the
//! cost of dispatch stands out, and plugins to be replaced.

mod allocating;
mod marked;
mod numbered;
mod passing;
mod telling;

use hookrail_abi::prelude::*;
use hookrail_abi::{Payload, points};

pub use allocating::{Allocating, AllocatingConfig};
pub use marked::{Hundred, Marked};
pub use numbered::Numbered;
pub use passing::{Passing, PassingConfig};
pub use telling::Telling;

/// The payload in which callbacks count.
#[repr(C)]
#[derive(Payload, Clone, Debug, Default)]
pub struct Work {
    /// The number of callbacks that saw it, apart from those of [`Worker`].
    pub count: u64,
    /// The number of callbacks of each [`Worker`] that saw it.
    pub by_worker: [u64; 8],
}

impl Work {
    /// The number of callbacks that saw it.
    pub fn seen(&self) -> u64 {
        self.count + self.by_worker.iter().sum::<u64>()
    }
}

points! {
    /// The benchmarks' own point.
    // SAFETY: a number owns all it holds.
    pub unsafe local WorkDone: "bench.work", 1, Fold<Work> { const DENIABLE: bool = true; }
}

/// The plugin that the eight libraries contain.
#[derive(Debug)]
pub struct Worker {
    number: usize,
}

/// Which of them it is, and how many of its callbacks to register.
#[config]
#[derive(Clone, Copy, Debug)]
pub struct WorkerConfig {
    /// 0 to 7.
    pub number: usize,
    /// 0 to [`CALLBACKS`].
    pub callbacks: usize,
}

impl Worker {
    /// Callback number `N`: the callbacks of a real chain are different functions, and a processor that has learnt one
    /// has not learnt the next.
    ///
    /// Each worker counts by itself: if each callback had to wait for the count of the one before it, which takes 2 ns,
    /// the time of the calls would not show.
    fn work<const N: usize>(&self, work: &mut Work) {
        // SAFETY: a comment, so that the compiler does not make one function of them all.
        unsafe { std::arch::asm!("/* callback {} */", const N, options(nomem, nostack, preserves_flags)) };
        work.by_worker[self.number % 8] += 1;
    }
}

/// The plugin's callbacks, at priorities from 10 on.
macro_rules! callbacks {
    ($($name:literal $number:literal)*) => {
        const NAMES: &[&str] = &[$($name),*];

        impl Plugin for Worker {
            type Config = WorkerConfig;
            const HOOKS: Hooks<Self> = hooks![
                $(WorkDone, $name => Self::work::<$number>, priority = 10 + $number, effects = pure);*
            ];

            fn start(host: &Startup, config: WorkerConfig) -> Result<Self> {
                NAMES.iter().skip(config.callbacks).for_each(|name| host.leave_out(name));
                Ok(Worker { number: config.number })
            }
        }
    };
}

callbacks! {
    "c0" 0 "c1" 1 "c2" 2 "c3" 3 "c4" 4 "c5" 5 "c6" 6 "c7" 7
    "c8" 8 "c9" 9 "c10" 10 "c11" 11 "c12" 12 "c13" 13 "c14" 14 "c15" 15
    "c16" 16 "c17" 17 "c18" 18 "c19" 19 "c20" 20 "c21" 21 "c22" 22 "c23" 23
    "c24" 24 "c25" 25 "c26" 26 "c27" 27 "c28" 28 "c29" 29 "c30" 30 "c31" 31
}

/// How many callbacks each library has.
pub const CALLBACKS: usize = NAMES.len();

/// Exports the plugin under its own name.
#[macro_export]
macro_rules! library {
    ($name:literal) => {
        hookrail_abi::export!($crate::Worker, name = $name);
    };
}
