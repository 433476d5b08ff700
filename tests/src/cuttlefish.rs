//! What the program makes of configuration files of EMQX: its own sources, since a program cannot be linked.

#[path = "../../host/cli/src/config/cuttlefish/convert.rs"]
mod convert;
#[path = "../../host/cli/src/config/cuttlefish/nearest.rs"]
mod nearest;
#[path = "../../host/cli/src/config/cuttlefish/parse.rs"]
mod parse;
#[path = "../../host/cli/src/config/cuttlefish/shape.rs"]
mod shape;
#[path = "../../host/cli/src/config/cuttlefish/value.rs"]
mod value;

pub(crate) use convert::convert;
pub(crate) use parse::{Entry, Mistakes, parse};
