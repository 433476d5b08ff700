//! Unloading while sources and sinks run in pipelines of our host.

use std::time::{Duration, Instant};

use hookrail::stream::{NewStreams, Streams};
use hookrail::{
    EndpointKind, EndpointState, Message, NoteEndpoint, PipelineConfig, Received, SinkConfig, SinkIo, SourceConfig,
    SourceIo,
};

use super::{needing, none, shown, told};
use crate::answer::{Found, Not};
use crate::checks::traffic::is_gone;
use crate::subject::Subject;

/// Our own ends of the pipelines.
const OURS: &str = "hookrail-check";
/// How long endpoints may take to begin.
const LONG: Duration = Duration::from_secs(10);
/// How long they run.
const A_WHILE: Duration = Duration::from_millis(20);

pub(in super::super::super) fn unload(subject: &Subject) -> Found {
    let declared = &subject.inspection.note.endpoints;
    if declared.is_empty() {
        return Err(none());
    }
    let times = subject.times(40);
    let (mut ran, mut needs) = (Vec::new(), Vec::new());
    for number in 0..times {
        subject.doing(&format!("unloading it while its endpoints run, time {number}"));
        (ran, needs) = round(subject, declared)?;
        if ran.is_empty() {
            break;
        }
    }
    let done =
        if ran.is_empty() { Vec::new() } else { vec![format!("{times} times, while there ran {}", ran.join(", "))] };
    told(&done, needs)
}

/// Loads it, has each of its endpoints run in a pipeline of its own, and unloads it; returns what ran, and what did not.
fn round(subject: &Subject, declared: &[NoteEndpoint]) -> Result<(Vec<String>, Vec<String>), Not> {
    let host = subject.host_with(offer)?;
    let streams = &host.streams;
    let plugin = subject.load(&host)?;
    let instance =
        host.plugin_views().into_iter().flat_map(|view| view.instances).next().ok_or("it has no instance")?;
    for (number, endpoint) in declared.iter().enumerate() {
        let name = number.to_string();
        streams.add(&name, &pipeline(subject, endpoint, &format!("{instance}/{}", endpoint.name)))?;
        streams.start(&name)?;
    }
    let (mut ran, mut needs) = (Vec::new(), Vec::new());
    for (number, endpoint) in declared.iter().enumerate() {
        match begun(streams, &number.to_string(), endpoint)? {
            Ok(()) => ran.push(shown(endpoint)),
            Err(why) => needs.push(needing(subject, endpoint, &why)),
        }
    }
    // They have to do something that can be in progress.
    std::thread::sleep(A_WHILE);
    is_gone(&host.unload(&plugin)?)?;
    // What its sinks have not taken, nobody will take.
    streams.stop_all(Instant::now());
    Ok((ran, needs))
}

/// A source without end, and a sink that takes everything.
fn offer(streams: &mut NewStreams) {
    streams.offer_source(OURS, |_| {
        Ok(|io: &mut SourceIo<'_>| {
            while !io.wait(Duration::from_micros(100)) {
                io.send(&mut Message::new("log.app", "a line of text"))?;
            }
            Ok(())
        })
    });
    streams.offer_sink(OURS, |_| {
        Ok(|io: &mut SinkIo<'_>| {
            loop {
                let taken = match io.recv(256, None) {
                    Received::Closed => return Ok(()),
                    Received::Nothing => continue,
                    Received::Messages(messages) => messages.len(),
                };
                io.ack(taken);
            }
        })
    });
}

/// One in which an endpoint is on one side, and ours on the other.
fn pipeline(subject: &Subject, endpoint: &NoteEndpoint, uses: &str) -> PipelineConfig {
    let config = serde_json::from_str(&subject.endpoint_config(endpoint)).unwrap_or_default();
    let (source, sink) = match endpoint.kind {
        EndpointKind::Source => (SourceConfig::new(uses).with_config(config), SinkConfig::new(OURS)),
        EndpointKind::Sink => (SourceConfig::new(OURS), SinkConfig::new(uses).with_config(config)),
    };
    PipelineConfig::default().with_source("in", source).with_sink("out", sink)
}

/// Waits until an endpoint runs, or has run; the text is why it does not.
fn begun(streams: &Streams, pipeline: &str, endpoint: &NoteEndpoint) -> Result<Result<(), String>, Not> {
    let deadline = Instant::now() + LONG;
    loop {
        let view = streams.view(pipeline)?;
        let (state, reason) = match endpoint.kind {
            EndpointKind::Source => (view.sources[0].state, view.sources[0].reason.clone()),
            EndpointKind::Sink => (view.sinks[0].state, view.sinks[0].reason.clone()),
        };
        match state {
            EndpointState::Running | EndpointState::Done => return Ok(Ok(())),
            EndpointState::Failed => return Ok(Err(reason.unwrap_or_default())),
            _ if Instant::now() > deadline => {
                return Err(format!("{} has not begun to run within {LONG:?}", shown(endpoint)).into());
            }
            // Nothing tells when an endpoint begins.
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}
