//! Statistics of callbacks: counts and times, kept per thread so that counting shares no memory.

mod clock;
mod fields;
mod histogram;
mod record;
mod shards;
mod tally;
mod trace;

pub(crate) use clock::monotonic;
pub use record::Record;
pub(crate) use tally::{PointCounts, Tally};
pub(crate) use trace::Taking;
pub use trace::{Tracer, Tracers, shown};
