//! What callbacks have done: counts and times, kept per thread so that counting shares no memory.

mod clock;
mod fields;
mod histogram;
mod record;
mod shards;
mod tally;
mod trace;

pub use clock::{monotonic, now};
pub use record::Record;
pub use tally::{PointCounts, Tally};
pub use trace::{Taking, Tracer, Tracers};
