//! Calls from a host into a worker process, over shared memory.
//!
//! Owns the lanes on which the threads of a host call into a worker and wait for it ([`lane`]), and how payloads are
//! written there and read back ([`flat`]).
//!
//! The host trusts nothing that it reads from that memory: the worker may write any byte of it at any time. The worker
//! trusts the host, and checks bounds all the same.

pub mod flat;
pub mod lane;
