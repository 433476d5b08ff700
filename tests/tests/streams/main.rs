//! Pipelines with sources and sinks of real plugins: whatever happens to them, messages add up.

mod adding_up;
mod bus;
mod bus_in_workers;
mod bus_of_pipelines;
mod changing;
mod failing;
mod in_c;
mod isolated;
mod replacing;
mod scenes;
mod spilling;
