//! What the benchmarks dispatch: their own points, a plugin with up to eight callbacks that do almost nothing, so that
//! the cost of dispatch stands out, and plugins to be replaced.

mod allocating;
mod marked;
mod numbered;
mod telling;

use hookrail_abi::prelude::*;
use hookrail_abi::{Payload, points};

pub use allocating::{Allocating, AllocatingConfig};
pub use marked::{Hundred, Marked};
pub use numbered::Numbered;
pub use telling::Telling;

/// The payload in which callbacks count.
#[repr(C)]
#[derive(Payload, Clone, Debug, Default)]
pub struct Work {
    /// The number of callbacks that saw it.
    pub count: u64,
}

points! {
    /// The benchmarks' own point.
    // SAFETY: a number owns all it holds.
    pub unsafe local WorkDone: "bench.work", 1, Fold<Work> { const DENIABLE: bool = true; }
}

/// The plugin that the eight libraries contain.
#[derive(Debug)]
pub struct Worker;

/// How many of its eight callbacks to register.
#[config]
#[derive(Clone, Copy, Debug)]
pub struct WorkerConfig {
    /// 0 to 8.
    pub callbacks: usize,
}

impl Worker {
    fn work(&self, work: &mut Work) {
        work.count += 1;
    }
}

const NAMES: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];

impl Plugin for Worker {
    type Config = WorkerConfig;
    const HOOKS: Hooks<Self> = hooks![
        WorkDone, "c0" => Self::work, priority = 10, effects = pure;
        WorkDone, "c1" => Self::work, priority = 11, effects = pure;
        WorkDone, "c2" => Self::work, priority = 12, effects = pure;
        WorkDone, "c3" => Self::work, priority = 13, effects = pure;
        WorkDone, "c4" => Self::work, priority = 14, effects = pure;
        WorkDone, "c5" => Self::work, priority = 15, effects = pure;
        WorkDone, "c6" => Self::work, priority = 16, effects = pure;
        WorkDone, "c7" => Self::work, priority = 17, effects = pure;
    ];

    fn start(host: &Startup, config: WorkerConfig) -> Result<Self> {
        NAMES.into_iter().skip(config.callbacks).for_each(|name| host.leave_out(name));
        Ok(Worker)
    }
}

/// Exports the plugin under its own name.
#[macro_export]
macro_rules! library {
    ($name:literal) => {
        hookrail_abi::export!($crate::Worker, name = $name);
    };
}
