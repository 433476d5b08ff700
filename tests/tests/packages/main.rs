//! Packages, and the store that they are installed into.

mod bounds;
mod configuration;
mod damage;
mod desired_state;
mod false_metadata;
mod format;
mod hostile_archives;
mod installation;
mod overrides;
mod requirements;
