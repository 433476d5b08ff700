//! `hookrail serve`: real files, real plugins, real signals.

mod changes;
mod checked;
mod follow;
mod kills;
mod metrics;
mod operators;
mod scenes;
mod secrets;
mod serve;
mod supervised;
mod tested;
mod unit;
