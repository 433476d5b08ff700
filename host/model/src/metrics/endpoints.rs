//! The sources and sinks of pipelines.

use std::collections::BTreeMap;

use super::Family;
use crate::pipeline::{EndpointState, SinkView, SourceView};

/// Sources.
pub(super) struct Sources {
    up: Family,
    restarts: Family,
    sent: Family,
}

/// Sinks.
pub(super) struct Sinks {
    up: Family,
    restarts: Family,
    given: Family,
    delivered: Family,
    dropped: Family,
    held: Family,
    capacity: Family,
    memory: Family,
    memory_limit: Family,
    disk: Family,
    disk_limit: Family,
    damaged: Family,
}

impl Default for Sources {
    fn default() -> Self {
        Sources {
            up: Family::gauge("hookrail_source_up", "Whether the source runs: 1 or 0."),
            restarts: Family::counter("hookrail_source_restarts_total", "Starts of the source after it had failed."),
            sent: Family::counter("hookrail_source_sent_messages_total", "Messages that the source has sent."),
        }
    }
}

impl Sources {
    pub(super) fn add(&mut self, pipeline: &str, source: &SourceView) {
        let labels = [("pipeline", pipeline), ("source", &*source.name)];
        self.up.add(labels, (source.state == EndpointState::Running).into());
        self.restarts.add(labels, source.restarts);
        self.sent.add(labels, source.sent);
    }

    pub(super) fn all(self) -> [Family; 3] {
        [self.up, self.restarts, self.sent]
    }
}

impl Default for Sinks {
    fn default() -> Self {
        let counter = |name: &str, help: &str| Family::counter(format!("hookrail_sink_{name}_total"), help);
        let gauge = |name: &str, help: &str| Family::gauge(format!("hookrail_sink_{name}"), help);
        Sinks {
            up: gauge("up", "Whether the sink runs: 1 or 0."),
            restarts: counter("restarts", "Starts of the sink after it had failed."),
            given: counter("given_messages", "Messages that the sink was given."),
            delivered: counter("delivered_messages", "Those of the given messages that the sink has delivered."),
            dropped: counter("dropped_messages", "Those of the given messages that were dropped, by reason."),
            held: gauge("held_messages", "Messages in the sink's queue, or taken and not answered for."),
            capacity: gauge("capacity_messages", "Messages that the sink's queue may hold in memory."),
            memory: gauge("memory_bytes", "Bytes of memory that the messages of the sink's queue take."),
            memory_limit: gauge(
                "memory_limit_bytes",
                "Bytes of memory that the messages of the sink's queue may take.",
            ),
            disk: gauge("disk_bytes", "Bytes of the sink's queue on disk."),
            disk_limit: gauge("disk_limit_bytes", "Bytes that the sink's queue may have on disk."),
            damaged: counter("disk_damaged_parts", "Parts of the sink's queue on disk that were found damaged."),
        }
    }
}

impl Sinks {
    pub(super) fn add(&mut self, pipeline: &str, sink: &SinkView) {
        let labels = [("pipeline", pipeline), ("sink", &*sink.name)];
        self.up.add(labels, (sink.state == EndpointState::Running).into());
        self.restarts.add(labels, sink.restarts);
        self.given.add(labels, sink.given);
        self.delivered.add(labels, sink.delivered);
        for (reason, count) in by_reason(&sink.dropped) {
            let [pipeline, sink] = labels;
            self.dropped.add([pipeline, sink, ("reason", reason)], count);
        }
        self.held.add(labels, sink.held);
        self.capacity.add(labels, sink.capacity as u64);
        self.memory.add(labels, sink.held_bytes);
        self.memory_limit.add(labels, sink.memory);
        if let Some(disk) = &sink.disk {
            self.disk.add(labels, disk.bytes);
            self.disk_limit.add(labels, disk.size);
            self.damaged.add(labels, disk.damaged);
        }
    }

    pub(super) fn all(self) -> [Family; 12] {
        let Sinks {
            up,
            restarts,
            given,
            delivered,
            dropped,
            held,
            capacity,
            memory,
            memory_limit,
            disk,
            disk_limit,
            damaged,
        } = self;
        [up, restarts, given, delivered, dropped, held, capacity, memory, memory_limit, disk, disk_limit, damaged]
    }
}

/// Each count by its reason. Without any the most common one is 0, so that the family is there before the first loss:
/// an alarm on a series that does not exist never rings.
pub(super) fn by_reason(dropped: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    if dropped.is_empty() {
        return vec![("full", 0)];
    }
    dropped.iter().map(|(reason, count)| (&**reason, *count)).collect()
}
