//! Pipelines: where messages come from, which way they take, and where they go.
//!
//! Owns topics, queues, marks, the threads of endpoints, and the counts by which messages add up. Must know nothing of
//! protocols, of files that messages come from, and of commands. Stands on the engine, which tells it when the endpoints of
//! a plugin serve and when they leave.
//!
//! # The way of a message
//!
//! 1. A [`Source`](hookrail_abi::Source) runs on a thread of its own, and [sends](hookrail_abi::SourceIo::send_batch).
//! 2. On that thread, the chain of `message.publish` decides the message.
//! 3. It is put into the queue of each sink that wants its topic and its headers. If a queue is full, its
//!    [policy](hookrail_model::pipeline::QueuePolicy) says what happens.
//! 4. A [`Sink`](hookrail_abi::Sink) takes it on a thread of its own, and answers for it: delivered, never to be delivered,
//!    or to be given again.
//! 5. When all that was sent up to a mark is settled, the mark is kept, and the source begins there when the host is
//!    started again.

mod bus;
mod counts;
mod flow;
mod foresee;
mod here;
mod io;
mod item;
mod load;
mod marks;
mod outlet;
mod own;
mod pipeline;
mod points;
mod queue;
mod receipt;
mod route;
mod slot;
mod source;
mod spare;
pub mod spill;
mod streams;
mod tap;
pub mod topic;
mod trial;
mod watched;
mod whole;

pub use foresee::ForeseenEndpoint;
pub use streams::{NewStreams, Streams, mistakes};
pub use tap::Tap;
pub use trial::{Fate, Trial};
