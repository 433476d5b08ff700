//! What has happened between two looks at a host.

use std::collections::BTreeMap;
use std::time::Instant;

use hookrail::{CallbackView, PipelineView, PointView, SinkView, StatsLevel};
use serde::Serialize;

/// What is seen of a host at one moment.
pub(super) struct Seen {
    pub(super) at: Instant,
    pub(super) pipelines: Vec<PipelineView>,
    pub(super) points: Vec<PointView>,
}

/// What has happened in between, per second.
#[derive(Debug, Serialize)]
pub(super) struct Rates {
    pub(super) seconds: f64,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) callbacks: Vec<Callback>,
}

#[derive(Debug, Serialize)]
pub(super) struct Pipeline {
    pub(super) pipeline: String,
    pub(super) state: &'static str,
    pub(super) received_per_s: f64,
    /// Of those that reached no sink.
    pub(super) dropped_per_s: f64,
    pub(super) sinks: Vec<Sink>,
}

#[derive(Debug, Serialize)]
pub(super) struct Sink {
    pub(super) sink: String,
    pub(super) state: &'static str,
    pub(super) delivered_per_s: f64,
    pub(super) dropped_per_s: f64,
    /// In total, by reason.
    pub(super) dropped: BTreeMap<String, u64>,
    pub(super) held: u64,
    pub(super) capacity: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Callback {
    pub(super) point: String,
    pub(super) callback: String,
    pub(super) status: &'static str,
    /// `None` while its point is not counted.
    pub(super) calls_per_s: Option<f64>,
    pub(super) denied_per_s: Option<f64>,
    /// In total.
    pub(super) faults: u64,
    /// Of all calls that were timed so far.
    pub(super) p50_ns: Option<u64>,
    pub(super) p99_ns: Option<u64>,
    pub(super) max_ns: Option<u64>,
}

impl Rates {
    pub(super) fn of(before: &Seen, now: &Seen) -> Self {
        let seconds = now.at.duration_since(before.at).as_secs_f64().max(1e-3);
        let rate = |before: Option<u64>, now: u64| per_second(before, now, seconds);
        let pipelines = now.pipelines.iter().map(|pipeline| {
            let old = before.pipelines.iter().find(|old| old.name == pipeline.name);
            let sinks = pipeline.sinks.iter().map(|sink| {
                let old = old.and_then(|old| old.sinks.iter().find(|old| old.name == sink.name));
                Sink {
                    sink: sink.name.clone(),
                    state: sink.state.name(),
                    delivered_per_s: rate(old.map(|old| old.delivered), sink.delivered),
                    dropped_per_s: rate(old.map(dropped), dropped(sink)),
                    dropped: sink.dropped.clone(),
                    held: sink.held,
                    capacity: sink.capacity,
                }
            });
            Pipeline {
                pipeline: pipeline.name.clone(),
                state: pipeline.state.name(),
                received_per_s: rate(old.map(|old| old.received), pipeline.received),
                dropped_per_s: rate(old.map(|old| old.dropped.values().sum()), pipeline.dropped.values().sum()),
                sinks: sinks.collect(),
            }
        });
        let pipelines = pipelines.collect();
        let callbacks = now.points.iter().flat_map(|point| {
            let old = before.points.iter().find(|old| old.point == point.point);
            point.chain.iter().map(move |entry| callback(point, entry, old, seconds))
        });
        Rates { seconds, pipelines, callbacks: callbacks.collect() }
    }
}

fn callback(point: &PointView, entry: &CallbackView, old: Option<&PointView>, seconds: f64) -> Callback {
    let old = old.and_then(|old| old.chain.iter().find(|old| old.callback == entry.callback));
    let counted = |count: fn(&CallbackView) -> u64| {
        (point.level > StatsLevel::Off).then(|| per_second(old.map(count), count(entry), seconds))
    };
    Callback {
        point: point.point.clone(),
        callback: entry.callback.clone(),
        status: entry.status.name(),
        calls_per_s: counted(|entry| entry.calls.total),
        denied_per_s: counted(|entry| entry.calls.denied),
        faults: entry.faults,
        p50_ns: entry.latency.map(|latency| latency.p50_ns),
        p99_ns: entry.latency.map(|latency| latency.p99_ns),
        max_ns: entry.latency.map(|latency| latency.max_ns),
    }
}

fn dropped(sink: &SinkView) -> u64 {
    sink.dropped.values().sum()
}

/// 0 for what was not there before, and for a count that has begun again.
fn per_second(before: Option<u64>, now: u64, seconds: f64) -> f64 {
    before.map_or(0.0, |before| now.saturating_sub(before) as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_came_in_between_and_never_negative() {
        assert_eq!(per_second(Some(10), 30, 2.0), 10.0);
        assert_eq!(per_second(None, 30, 2.0), 0.0, "all of it may be old");
        assert_eq!(per_second(Some(30), 10, 2.0), 0.0, "it has begun again");
    }
}
