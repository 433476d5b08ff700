//! Children, their ends, and units, with real processes.

mod begin;
mod cells;
mod common;
mod descendants;
mod end;
mod groups;
mod host;
mod kinds;
mod scripted;
mod unit_ends;
mod unit_hosts;
mod unit_orders;
