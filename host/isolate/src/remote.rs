//! The host's side: workers, what keeps them going, and the plugins in them.
//!
//! 1. [`Live`](live::Live) is one process, from its start until its end: its socket, its memory, its pending answers.
//! 2. [`Worker`](worker::Worker) outlives it: when the process ends, another one is started, and every plugin is brought
//!    to where it was ([`Plugin::replay`](plugin::Plugin::replay)).
//! 3. [`Remote`](body::Remote) is the body of a plugin for the engine. Its callbacks stand in the chains as proxies
//!    ([`proxy`]), of which neighbours cross together ([`group`]).

mod abort;
mod aftermath;
mod answering;
mod asked;
mod body;
mod bus;
mod call;
mod configs;
mod crash;
mod dispatch;
mod endpoints;
mod failed;
mod group;
mod hear;
mod live;
mod owed;
mod plan;
mod plugin;
mod poison;
mod proxy;
mod replay;
mod report;
mod reports;
mod standing;
mod trace;
mod units;
mod words;
mod worker;

pub(crate) use body::Remote;
pub(crate) use worker::Worker;
