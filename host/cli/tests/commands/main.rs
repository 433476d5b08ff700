//! The commands that need no running host: `check`, `new`, completion, what errors advise, and the small
//! ones.

mod check;
mod check_prebuilt;
mod check_zoo;
mod completions;
mod doctor;
mod errors;
mod excused;
mod help;
mod inspect;
mod new;
mod new_endpoints;
mod other_commands;
mod zoo_rows;
