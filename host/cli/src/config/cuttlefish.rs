//! The configuration files of EMQX 4.x plugins, `etc/emqx_NAME.conf`: lines of `key.below = value` in
//! cuttlefish's form.
//!
//! 1. [`parse()`] reads the lines, whatever they mean.
//! 2. [`convert()`] makes them the JSON that a plugin of ours takes: the names are those of its schema, and so
//!    are the types.
//!
//! Nothing is guessed: what can be read in two ways, and what the schema does not know, is refused, with its
//! line.

mod convert;
pub(crate) mod nearest;
mod parse;
mod shape;
mod value;

pub(crate) use convert::convert;
pub(crate) use parse::{Mistakes, parse};

#[cfg(test)]
mod tests;
