//! Lanes: one for each thread of the host that calls into a worker.
//!
//! A [`Region`] is the memory that a host and one worker share: a memfd of a fixed size, in which each lane has its
//! control words, an area for payloads, and a ring. A thread of the host claims a lane once ([`HostLane::claim`]) and from
//! then on calls without a lock ([`HostLane::call`]); in the worker a thread of its own serves that lane
//! ([`WorkerLane::serve`]).
//!
//! 1. **Turns.** The two sides of a lane take turns, by one word that both wait for: `turn.rs` has the theorem.
//!    A thread first spins, if that has paid off lately ([`Spin`]), then sleeps in the kernel.
//! 2. **Frames.** A request lies in the lane's area, and its reply takes the same place: `frame.rs` has the form.
//!    What fits a cache line travels beside the turn.
//! 3. **Upcalls.** While a call is pending the worker may ask the host for a service ([`WorkerLane::upcall`]), and the
//!    host's thread, which waits for the reply, serves it; it may call into the lane again before it answers. Whoever
//!    has the turn runs and the other one waits, so this nests like calls on a stack and cannot deadlock. Each frame
//!    begins where the one before ends.
//! 4. **Notes.** What waits for no reply is queued in the lane's ring ([`HostLane::notify`]), which the same thread of
//!    the worker drains when no request is there.
//! 5. **Ends.** A call that is over its deadline, or whose worker is dead or writes nonsense, is [`Lost`]: its lane is
//!    abandoned, and the worker is to be killed. [`Region::poison`] wakes everybody who waits, on both sides.

mod area;
mod frame;
mod host;
mod lost;
mod mail;
mod memory;
mod pool;
mod queue;
mod received;
mod region;
mod reply;
mod ring;
mod served;
mod spin;
mod sync;
mod tally;
mod turn;
mod worker;

pub use area::Area;
pub(crate) use area::{CACHE_LINE, Plain};
pub use frame::Request;
pub use host::{HostLane, Patience};
pub use lost::{DEPTHS, Lost, Malformed};
pub use queue::Notified;
pub use received::{Context, MOST_CALLBACKS, Received};
pub use region::Region;
pub use reply::{Change, MAX_REPORT, Reply};
pub use served::{Answered, Served};
pub use spin::{Spin, looks_in_vain};
pub use worker::{Handler, Unserved, WorkerLane};
