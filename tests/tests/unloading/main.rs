//! A plugin is taken out of a program that goes on: who is waited for, what is taken down, and what keeps a
//! library.

mod destructors;
mod dropped_hosts;
mod ending_threads;
mod forks;
mod kept_libraries;
mod late_levels;
mod late_readers;
mod outcomes;
mod refused_threads;
mod registrations;
mod slow_drops;
mod stress;
mod stuck_readers;
