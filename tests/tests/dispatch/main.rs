//! What a dispatch does: whom it calls and in which order, what it costs, what is counted and traced of it,
//! and from where it may be called.

mod context;
mod counting;
mod instructions;
mod levels;
mod long_chains;
mod main_job;
mod order;
mod pins;
mod reentry;
mod signal_handlers;
mod system_calls;
mod traces;
