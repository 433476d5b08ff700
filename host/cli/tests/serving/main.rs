//! `hookrail serve`: real files, real plugins, real signals.

mod callbacks;
mod changes;
mod checked;
mod follow;
mod http;
mod kills;
mod metrics;
mod operators;
mod scenes;
mod secrets;
mod serve;
mod supervised;
mod tap;
mod tested;
mod unit;
