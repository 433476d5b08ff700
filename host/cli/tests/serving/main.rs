//! `hookrail serve`: real files, real plugins, real signals.

mod changes;
mod http;
mod kills;
mod metrics;
mod operators;
mod scenes;
mod serve;
mod supervised;
