//! Children and their ends, with real processes.

mod begin;
mod common;
mod descendants;
mod end;
mod host;
