//! The configuration of installed plugins.

#[cfg_attr(not(test), allow(dead_code, unused_imports, reason = "`config import` is not there yet; its tests are"))]
pub(crate) mod cuttlefish;
