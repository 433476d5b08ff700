//! What an operator writes and asks for: the configuration, the control socket, and a function for each
//! command.

mod commands;
mod configuration;
mod control_socket;
mod hostile_peers;
mod own_commands;
