//! `hookrail serve`: real files, real plugins, real signals.

mod callbacks;
mod changes;
mod kills;
mod metrics;
mod operators;
mod scenes;
mod serve;
mod supervised;
mod tap;
mod top;
