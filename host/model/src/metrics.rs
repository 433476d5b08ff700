//! Metrics: what a host counts and measures, as families of numbers for a monitoring system.
//!
//! The rules, which `promtool check metrics` and the tests of the program hold:
//!
//! - A name begins with `hookrail_`, has its base unit (seconds, bytes) at its end, and `_total` behind that if the
//!   number only grows.
//! - A series is there while what it counts is there: that of a plugin goes when the plugin is unloaded. A count that
//!   nobody switched on is absent, not 0.
//! - A version is a label of `_info` only, so that an upgrade begins no other series.
//! - A plugin has [`MOST_OF_A_PLUGIN`] series at most; how many were left out is a series as well.
//!
//! [`of_points`], [`of_plugins`], [`of_pipelines`] and [`of_bus`] make families of views, [`limited`] holds each plugin to its share,
//! and [`text`] writes what Prometheus reads.

mod bus;
mod endpoints;
mod exposition;
mod limit;
mod pipelines;
mod plugins;
mod points;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use bus::of_bus;
pub use exposition::text;
pub use limit::{MOST_OF_A_PLUGIN, limited};
pub use pipelines::of_pipelines;
pub use plugins::of_plugins;
pub use points::of_points;

/// The label with a plugin's name.
const PLUGIN: &str = "plugin";

/// Numbers of one kind, under one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Family {
    /// Its name.
    pub name: String,
    /// What it is, in a sentence.
    pub help: String,
    /// How its numbers behave.
    pub kind: FamilyKind,
    /// Its numbers.
    pub samples: Vec<Sample>,
}

/// How the numbers of a family behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FamilyKind {
    /// They only grow, until the host ends.
    Counter,
    /// They go up and down.
    Gauge,
    /// Quantiles, with the sum and the number of what was measured.
    Summary,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// One number of a family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sample {
    /// What its name has behind that of the family: `_sum` or `_count`, in a summary.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub suffix: String,
    /// What it is a number of.
    pub labels: BTreeMap<String, String>,
    /// The number; finite.
    pub value: f64,
}

impl FamilyKind {
    /// Its name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            FamilyKind::Counter => "counter",
            FamilyKind::Gauge => "gauge",
            FamilyKind::Summary => "summary",
            FamilyKind::Unknown => "untyped",
        }
    }
}

impl Family {
    /// Counts that only grow. The name ends in `_total`.
    pub fn counter(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::of(name, help, FamilyKind::Counter)
    }

    /// Numbers that go up and down.
    pub fn gauge(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::of(name, help, FamilyKind::Gauge)
    }

    fn summary(name: impl Into<String>, help: impl Into<String>) -> Self {
        Self::of(name, help, FamilyKind::Summary)
    }

    fn of(name: impl Into<String>, help: impl Into<String>, kind: FamilyKind) -> Self {
        Family { name: name.into(), help: help.into(), kind, samples: Vec::new() }
    }

    /// Adds a number with its labels. What is above 2^53 is rounded, as Prometheus does.
    pub fn add<const N: usize>(&mut self, labels: [(&str, &str); N], value: u64) {
        self.sample("", labels, value as f64);
    }

    fn sample<const N: usize>(&mut self, suffix: &str, labels: [(&str, &str); N], value: f64) {
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.samples.push(Sample { suffix: suffix.into(), labels: labels.into(), value });
    }
}
