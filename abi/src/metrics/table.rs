//! The table `metrics/1` of a plugin in Rust.

use std::ffi::c_void;
use std::ptr::{from_ref, null};

use crate::Plugin;
use crate::boundary::{METRICS_MOST, MetricsTable};

/// The table of plugin `P`; null if it has no numbers.
pub(crate) fn table<P: Plugin>() -> *const c_void {
    let table: &'static MetricsTable = const {
        assert!(P::METRICS.len() <= METRICS_MOST as usize, "a plugin has at most 64 metrics");
        &MetricsTable {
            size: size_of::<MetricsTable>() as u32,
            count: P::METRICS.len() as u32,
            // The one is the other, transparently.
            metrics: P::METRICS.as_ptr().cast(),
        }
    };
    if P::METRICS.is_empty() { null() } else { from_ref(table).cast() }
}
