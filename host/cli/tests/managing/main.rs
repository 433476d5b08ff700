//! What is packed, installed and configured by the program, and what faults leave of it.

mod apply;
mod configuration;
mod consent;
mod declared;
mod failing_calls;
mod failing_hosts;
mod first_release;
mod foreseen;
mod guide;
mod isolation;
mod json_fields;
mod packages;
mod random_kills;
mod status_table;
mod statuses;
mod trials;
mod verbs;
