//! The configuration files of EMQX 4.x plugins, `etc/emqx_NAME.conf`: lines of `key.below = value` in cuttlefish
//! format.
//!
//! Owns that format and its conversion to JSON. Must know nothing of hosts, files and arguments: text and a JSON Schema
//! go in, JSON or [`Mistakes`] come out, and a plugin is only a name. How it reads a schema, [`Alternatives`], is there
//! for whoever else makes JSON of text.
//!
//! 1. [`parse()`] reads the lines, whatever they mean.
//! 2. [`convert()`] turns them into the JSON that a Hookrail plugin takes, with the names and the types of its schema.
//!
//! Nothing is guessed: a line that can be read in two ways, or that the schema does not know, is refused, with its line
//! number.

#![forbid(unsafe_code)]

mod alternatives;
mod convert;
mod nearest;
mod parse;
mod shape;
mod unit;
mod value;

pub use alternatives::{Alternatives, types};
pub use convert::convert;
pub use parse::{Entry, Mistake, Mistakes, parse};

#[cfg(test)]
mod tests;
