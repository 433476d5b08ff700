//! Numbers that a plugin counts itself, which the host can read.

use std::sync::atomic::AtomicU64;

use super::Str;

/// A plugin's table `metrics/1`: numbers that the plugin counts itself, for the operator's monitoring.
///
/// The host copies the names once, after the library is loaded, and reads the values at any time while it is. It calls no
/// function of the plugin, so it can read the numbers of a plugin that hangs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MetricsTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// The number of metrics; the host reads the first [`METRICS_MOST`].
    pub count: u32,
    /// The first one. They do not change while the library is loaded.
    pub metrics: *const Metric,
}

/// One number. One that does not keep to these rules is left out, and the host's log says so.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// [`METRIC_COUNTER`] or [`METRIC_GAUGE`].
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// Its name: 1 to 48 lower-case letters, digits and `_`, a letter first; neither the plugin's name nor the unit nor
    /// `total` is part of it.
    pub name: Str,
    /// What it is, in a sentence; at most 200 bytes.
    pub help: Str,
    /// Its base unit, such as `bytes` or `seconds`: at most 16 lower-case letters; empty for a plain number.
    pub unit: Str,
    /// The value, aligned, written as a whole; of a gauge, an `int64_t`. It does not move while the library is loaded.
    pub value: *const AtomicU64,
}

/// A number that only grows.
pub const METRIC_COUNTER: u32 = 1;
/// A number that goes up and down.
pub const METRIC_GAUGE: u32 = 2;
/// How many metrics a library may have.
pub const METRICS_MOST: u32 = 64;

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn layouts_are_those_of_their_first_version() {
        assert_eq!(
            [offset_of!(MetricsTable, size), offset_of!(MetricsTable, count), offset_of!(MetricsTable, metrics)],
            [0, 4, 8]
        );
        assert_eq!(
            [
                offset_of!(Metric, kind),
                offset_of!(Metric, reserved),
                offset_of!(Metric, name),
                offset_of!(Metric, help),
                offset_of!(Metric, unit),
                offset_of!(Metric, value),
            ],
            [0, 4, 8, 24, 40, 56]
        );
        assert_eq!([size_of::<MetricsTable>(), size_of::<Metric>()], [16, 64]);
    }
}
