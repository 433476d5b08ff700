//! What an operator writes and asks for: the configuration, the control socket, a function for each command, and
//! waiting for what it does.

mod commands;
mod configuration;
mod control_socket;
mod errors;
mod hostile_peers;
mod own_commands;
mod secrets;
mod version_skew;
mod waiting;
