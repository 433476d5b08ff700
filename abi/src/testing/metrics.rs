//! The numbers that a plugin counts itself, as a host reads them: the table `metrics/1`.

use std::sync::atomic::Ordering;

use super::Running;
use crate::boundary::{MetricsTable, Str};
use crate::{Plugin, entry};

impl<P: Plugin> Running<P> {
    /// The number with that name, if the plugin has one. All instances in this process count in the same place.
    pub fn metric(&self, name: &str) -> Option<i64> {
        // SAFETY: the id is readable for the call, and the plugin's own table is of that type, or null.
        let table = unsafe { entry::query::<P>(Str::new("metrics/1")).cast::<MetricsTable>().as_ref() }?;
        // SAFETY: so many lie there, in constants of the plugin.
        let metrics = unsafe { std::slice::from_raw_parts(table.metrics, table.count as usize) };
        // SAFETY: the names and the values are constants and statics of the plugin.
        let found = metrics.iter().find(|metric| unsafe { metric.name.to_text() } == name)?;
        // SAFETY: as above.
        Some(unsafe { &*found.value }.load(Ordering::Relaxed).cast_signed())
    }
}
