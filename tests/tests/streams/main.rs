//! Pipelines with sources and sinks of real plugins: whatever happens to them, messages add up.

mod adding_up;
mod bus;
mod changing;
mod failing;
mod in_c;
mod isolated;
mod replacing;
mod scenes;
mod spilling;
