//! Numbers that a plugin counts itself, and that the operator's monitoring shows: [`METRICS`](crate::Plugin::METRICS).
//!
//! A number is a `static` of the library, and counting is one atomic addition. The host reads it when somebody asks, and
//! calls no code for that. All instances of a library count in the same place.
//!
//! ```
//! use hookrail_abi::metrics::{Counter, Gauge, Metric};
//! use hookrail_abi::prelude::*;
//!
//! static LOST: Counter = Counter::new();
//! static WAITING: Gauge = Gauge::new();
//!
//! struct Counts;
//!
//! impl Plugin for Counts {
//!     type Config = NoConfig;
//!     const HOOKS: Hooks<Self> = &[];
//!     const METRICS: &'static [Metric] = &[
//!         Metric::counter("lost_lines", "Lines that were too long.", &LOST),
//!         Metric::gauge("waiting", "Bytes that are not read yet.", &WAITING).unit("bytes"),
//!     ];
//!
//!     fn start(_: &Startup, _: NoConfig) -> Result<Self> {
//!         LOST.add(1);
//!         WAITING.set(7);
//!         Ok(Counts)
//!     }
//! }
//! let counts = hookrail_abi::testing::start::<Counts>("{}")?;
//! assert_eq!(counts.metric("lost_lines"), Some(1));
//! assert_eq!(counts.metric("waiting"), Some(7));
//! # Ok::<(), hookrail_abi::Error>(())
//! ```

pub(crate) mod table;

use std::ptr::from_ref;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::boundary::{self, METRIC_COUNTER, METRIC_GAUGE, Str};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

/// One number of a plugin, with its name.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Metric(boundary::Metric);

impl Counter {
    /// 0.
    pub const fn new() -> Self {
        Counter(AtomicU64::new(0))
    }

    /// So many more.
    #[inline]
    pub fn add(&self, more: u64) {
        // Relaxed: it is a count, and guards nothing.
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

impl Gauge {
    /// 0.
    pub const fn new() -> Self {
        Gauge(AtomicU64::new(0))
    }

    /// It is that now.
    #[inline]
    pub fn set(&self, value: i64) {
        // Relaxed: it is a number to look at, and guards nothing.
        self.0.store(value.cast_unsigned(), Ordering::Relaxed);
    }

    /// So many more, or fewer.
    #[inline]
    pub fn add(&self, more: i64) {
        // Relaxed: as above.
        self.0.fetch_add(more.cast_unsigned(), Ordering::Relaxed);
    }
}

impl Metric {
    /// A count that only grows. It is shown as `hookrail_plugins_PLUGIN_NAME_total`.
    ///
    /// # Panics
    /// If the name is not 1 to 48 lower-case letters, digits and `_`, a letter first, or ends in what is added to it; in
    /// a constant, that is a compile error.
    pub const fn counter(name: &'static str, help: &'static str, value: &'static Counter) -> Self {
        Self::of(METRIC_COUNTER, name, help, from_ref(&value.0))
    }

    /// A number that goes up and down. It is shown as `hookrail_plugins_PLUGIN_NAME`.
    ///
    /// # Panics
    /// As for [`counter`](Self::counter).
    pub const fn gauge(name: &'static str, help: &'static str, value: &'static Gauge) -> Self {
        Self::of(METRIC_GAUGE, name, help, from_ref(&value.0))
    }

    /// With a base unit, such as `bytes` or `seconds`, which is shown at the end of the name.
    ///
    /// # Panics
    /// If it is not 1 to 16 lower-case letters; in a constant, that is a compile error.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        assert!(is_unit(unit.as_bytes()), "a unit is 1 to 16 lower-case letters, such as `bytes`");
        self.0.unit = Str::new(unit);
        self
    }

    const fn of(kind: u32, name: &'static str, help: &'static str, value: *const AtomicU64) -> Self {
        assert!(
            is_name(name.as_bytes()),
            "a metric's name is 1 to 48 lower-case letters, digits and `_`, a letter first"
        );
        assert!(help.len() <= 200, "what a metric is, is said in at most 200 bytes");
        Metric(boundary::Metric {
            kind,
            reserved: 0,
            name: Str::new(name),
            help: Str::new(help),
            unit: Str::new(""),
            value,
        })
    }
}

const fn is_name(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if !matches!(name[at], b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= 48 && name[0].is_ascii_lowercase()
}

const fn is_unit(unit: &[u8]) -> bool {
    let mut at = 0;
    while at < unit.len() {
        if !unit[at].is_ascii_lowercase() {
            return false;
        }
        at += 1;
    }
    !unit.is_empty() && unit.len() <= 16
}
