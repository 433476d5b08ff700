//! The configuration files of EMQX 4.x plugins, `etc/emqx_NAME.conf`: lines of `key.below = value` in
//! cuttlefish's form.
//!
//! Owns that form and its way into JSON. Must know nothing of hosts, files and arguments: text and a JSON Schema go
//! in, JSON or [`Mistakes`] come out, and a plugin is a name.
//!
//! 1. [`parse()`] reads the lines, whatever they mean.
//! 2. [`convert()`] makes them the JSON that a plugin of ours takes: the names are those of its schema, and so
//!    are the types.
//!
//! Nothing is guessed: what can be read in two ways, and what the schema does not know, is refused, with its
//! line.

#![forbid(unsafe_code)]

mod convert;
mod nearest;
mod parse;
mod shape;
mod unit;
mod value;

pub use convert::convert;
pub use parse::{Entry, Mistake, Mistakes, parse};

#[cfg(test)]
mod tests;
