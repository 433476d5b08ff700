//! The plugin, driven as a host drives it, by real connections.

mod bounds;
mod client;
mod posting;
pub(crate) mod receiver;
mod scene;
mod sending;
