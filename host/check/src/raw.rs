//! A driver that plays other hosts: it calls a plugin's entry itself, in orders and from places that Hookrail's own
//! host never uses, but never in one that `docs/abi.md` forbids to hosts.
//!
//! A library that it opens is never closed, since it tracks no destructor, key or thread.

mod bus;
mod bus_service;
mod callback;
mod config;
mod dispatch;
mod driver;
mod end;
mod frame;
mod handle;
mod host;
mod memory;
mod offences;

pub(super) use callback::Callback;
pub(super) use driver::{Accepted, Instance, Library, Refusal, Running, Streams};
pub(super) use end::End;
pub(super) use host::{LARGER, Services, TABLE, heap};
pub(super) use memory::{Guarded, is_well_formed, places, redzoned, redzoned_text, redzones_hold, reserved};
pub(super) use offences::offences;
