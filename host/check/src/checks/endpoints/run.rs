//! Running: an endpoint ends when it is told to, and a sink when there is nothing more.

use std::time::{Duration, Instant};

use hookrail::{EndpointKind, Message, NoteEndpoint};

use super::{Scene, failed, needing, shown};
use crate::answer::{Found, Not};
use crate::payload;
use crate::raw::{End, Refusal, Running};
use crate::subject::Subject;

/// How long an endpoint may take to end.
const DEADLINE: Duration = Duration::from_secs(5);
/// After so long it waits for something, or has work without end.
const IDLE: Duration = Duration::from_millis(100);
/// How many messages a sink is given.
const MESSAGES: usize = 20;

/// When an endpoint is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// It runs, and has nothing to do.
    Idle,
    /// Before it runs.
    Before,
    /// A source that can send nothing, since a queue is full.
    Full,
    /// A sink that is given messages, after which there are no more. It is not told.
    Drained,
}

/// What came of it.
enum Ran {
    /// It ended as it was told to.
    Ended(Duration),
    /// A source that had nothing more to send.
    Done(usize),
    /// It cannot work here.
    Refused(String),
}

pub(in super::super::super) fn runs(subject: &Subject) -> Found {
    let scene = Scene::new(subject)?;
    let (mut done, mut needs) = (Vec::new(), Vec::new());
    for endpoint in scene.declared() {
        match all(&scene, endpoint)? {
            Ok(did) => done.push(format!("{} {did}", shown(endpoint))),
            Err(why) => needs.push(why),
        }
    }
    scene.found(&done, needs)
}

/// Runs an endpoint in each way, one after the other.
fn all(scene: &Scene<'_>, endpoint: &NoteEndpoint) -> Result<Result<String, String>, Not> {
    let ways: &[When] = match endpoint.kind {
        EndpointKind::Source => &[When::Idle, When::Full, When::Before],
        EndpointKind::Sink => &[When::Drained, When::Idle, When::Before],
    };
    let (mut longest, mut sent) = (Duration::ZERO, None);
    for when in ways {
        match one(scene, endpoint, *when)? {
            Ok(Ran::Ended(took)) => longest = longest.max(took),
            Ok(Ran::Done(count)) => sent = sent.max(Some(count)),
            Ok(Ran::Refused(why)) => return Ok(Err(needing(scene.subject, endpoint, &why))),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(match sent {
        Some(sent) => format!("returns after {sent} messages"),
        None => format!("ends within {longest:.1?}"),
    }))
}

fn one(scene: &Scene<'_>, endpoint: &NoteEndpoint, when: When) -> Result<Result<Ran, String>, Not> {
    let accepted = match scene.accept_plainly(endpoint)? {
        Ok(accepted) => accepted,
        Err(why) => return Ok(Err(why)),
    };
    let ended = match when {
        When::Idle => "it is told to end while it is idle",
        When::Before => "it was told to end before it began",
        When::Full => "it is told to end while a queue is full",
        When::Drained => "it has taken all messages that there are",
    };
    scene.subject.doing(&format!("running {}: {ended}", shown(endpoint)));
    let given = if when == When::Drained { messages(scene.subject) } else { Vec::new() };
    let end = match endpoint.kind {
        EndpointKind::Source => End::of_source(),
        EndpointKind::Sink => End::of_sink(given),
    };
    match when {
        When::Before => end.close(),
        When::Full => end.fill(),
        When::Drained => end.drain(),
        When::Idle => {}
    }
    let began = Instant::now();
    let running = accepted.start(end)?;
    let running = match running.ended(if when == When::Drained { DEADLINE } else { IDLE }) {
        Err(running) => running,
        Ok(Err(refusal)) => return refused(endpoint, when, refusal).map(Ok),
        Ok(Ok(())) => return by_itself(endpoint, when, end, began.elapsed()).map(Ok),
    };
    if when == When::Drained {
        return undrained(endpoint, end, running).map(Ok);
    }
    let told = Instant::now();
    end.close();
    match running.ended(DEADLINE) {
        // What is told to end may end in any way but a panic.
        Ok(Ok(())) => Ok(Ok(Ran::Ended(told.elapsed()))),
        Ok(Err(refusal)) if refusal.is_orderly() => Ok(Ok(Ran::Ended(told.elapsed()))),
        Ok(Err(refusal)) => Err(failed(endpoint, &refusal)),
        Err(_) => Err(format!("{} runs on for {DEADLINE:?} when {ended}", shown(endpoint)).into()),
    }
}

/// It has ended, and nobody has told it to, or it was told before it began.
fn by_itself(endpoint: &NoteEndpoint, when: When, end: &End, took: Duration) -> Result<Ran, Not> {
    let seen = end.seen();
    match (when, endpoint.kind) {
        (When::Before, _) => Ok(Ran::Ended(took)),
        (_, EndpointKind::Source) => Ok(Ran::Done(seen.sent)),
        (When::Drained, _) if seen.answered == MESSAGES => Ok(Ran::Ended(took)),
        (When::Drained, _) => Err(format!(
            "{} has ended, and not answered for {} of {MESSAGES} messages",
            shown(endpoint),
            MESSAGES - seen.answered
        )
        .into()),
        (_, EndpointKind::Sink) => Err(format!(
            "{} returns at once, though messages may come: its host would start it for ever",
            shown(endpoint)
        )
        .into()),
    }
}

/// It has failed.
fn refused(endpoint: &NoteEndpoint, when: When, refusal: Refusal) -> Result<Ran, Not> {
    match when {
        _ if !refusal.is_orderly() => Err(failed(endpoint, &refusal)),
        // It was told to end, and did.
        When::Before => Ok(Ran::Ended(Duration::ZERO)),
        _ => Ok(Ran::Refused(refusal.said().into())),
    }
}

/// A sink has not ended, though there is nothing more for it.
fn undrained(endpoint: &NoteEndpoint, end: &End, running: Running) -> Result<Ran, Not> {
    let seen = end.seen();
    end.close();
    let Ok(ended) = running.ended(DEADLINE) else {
        return Err(format!("{} runs on for {DEADLINE:?} after it was told to end", shown(endpoint)).into());
    };
    match (ended, seen.retried) {
        (Err(refusal), _) if !refusal.is_orderly() => Err(failed(endpoint, &refusal)),
        // Whoever it delivers to is not there.
        (_, Some(why)) => Ok(Ran::Refused(why)),
        (_, None) => Err(format!(
            "{} runs on for {DEADLINE:?} though no message will come; it has answered for {} of {MESSAGES}",
            shown(endpoint),
            seen.answered
        )
        .into()),
    }
}

/// Plain ones first, then any.
fn messages(subject: &Subject) -> Vec<Message> {
    let mut random = subject.random("endpoints-run");
    let plain = (0..MESSAGES / 2).map(|number| Message::new("log.app", format!("line {number} of a text")));
    let mut messages: Vec<_> = plain.collect();
    messages.extend((MESSAGES / 2..MESSAGES).map(|_| payload::any(&mut random)));
    messages
}
