//! Callbacks, and what they do with payloads.

use super::traffic::{Points, faults};
use super::{caught, end, started};
use crate::answer::{Found, Not};
use crate::counted::counted;
use crate::known::Known;
use crate::payload;
use crate::raw::{Callback, Instance};
use crate::subject::{OF_ANOTHER, Subject};

/// The callbacks whose payloads are known to this program.
fn known(instance: &Instance) -> Result<Vec<(&Callback, Known)>, Not> {
    let callbacks = instance.callbacks.iter();
    let known: Vec<_> = callbacks.filter_map(|it| Some((it, it.known?))).collect();
    if !known.is_empty() {
        return Ok(known);
    }
    if instance.callbacks.is_empty() {
        return Err(Not::Skipped("it registers no callback with this configuration".into()));
    }
    let points: Vec<_> = instance.callbacks.iter().map(|callback| &*callback.point).collect();
    Err(Not::Skipped(format!(
        "the payload of {} is known to the program that declares it: {OF_ANOTHER}",
        points.join(", ")
    )))
}

pub(in super::super) fn callbacks(subject: &Subject) -> Found {
    let instance = started(subject, subject.driven()?)?;
    let (mut called, note) = (0, &subject.inspection.note);
    if note.hooks.is_empty() && !note.endpoints.is_empty() {
        end(instance)?;
        return Err(Not::Skipped("it hooks nothing: it is there for its sources and sinks".into()));
    }
    // That no callback can be called is no reason to skip other checks.
    let warned = |not| match not {
        Not::Skipped(why) => Not::Warned(format!("none of its callbacks was called: {why}")),
        other => other,
    };
    for (callback, point) in known(&instance).map_err(warned)? {
        subject.doing(&format!("calling `{}` on {} with a plain message", callback.name, callback.point));
        let message = hookrail::Message::new("log.app", "a line of text");
        payload::call(callback, point, &message, true)
            .map_err(|why| format!("`{}` on {}, with a plain message: {why}", callback.name, callback.point))?;
        called += 1;
    }
    end(instance)?;
    caught(format!("{} took a plain payload", counted(called, "callback")))
}

pub(in super::super) fn payloads(subject: &Subject) -> Found {
    let mut random = subject.random("payloads");
    let largest = if subject.is_quick() { 1 << 20 } else { 16 << 20 };
    let samples = payload::samples(&mut random, subject.times(200), largest);
    if subject.is_across() {
        return across(subject, samples);
    }
    let instance = started(subject, subject.driven()?)?;
    let mut calls = 0;
    for (callback, point) in known(&instance)? {
        for (what, message) in &samples {
            for has_context in [false, true] {
                subject.doing(&format!("calling `{}` on {} with {what}", callback.name, callback.point));
                payload::call(callback, point, message, has_context)
                    .map_err(|why| format!("`{}` on {}, with {what}: {why}", callback.name, callback.point))?;
                calls += 1;
            }
        }
    }
    end(instance)?;
    caught(format!("{calls} calls with {} payloads", samples.len()))
}

/// The payloads on their way to a worker and back.
fn across(subject: &Subject, samples: Vec<(String, hookrail::Message)>) -> Found {
    let host = subject.host()?;
    let plugin = subject.load(&host)?;
    let points = Points::of(&host)?;
    let count = samples.len();
    for (what, message) in samples {
        subject.doing(&format!("dispatching {what}"));
        points.dispatch(message);
        faults(&host).map_err(|not| match not {
            Not::Failed(why) => Not::Failed(format!("with {what}: {why}")),
            other => other,
        })?;
    }
    host.unload(&plugin)?;
    Ok(format!("{count} payloads through every point"))
}

pub(in super::super) fn payload_memory(subject: &Subject) -> Found {
    let mut random = subject.random("payload-memory");
    let samples = payload::samples(&mut random, subject.times(50), 1 << 16);
    let instance = started(subject, subject.driven()?)?;
    let mut calls = 0;
    let messages = known(&instance)?.into_iter().filter_map(|(callback, point)| match point {
        Known::BuiltIn(point) if point.is_notify() => Some((callback, point)),
        _ => None,
    });
    for (callback, point) in messages {
        for (what, message) in &samples {
            let doing =
                format!("handing `{}` on {} {what}, in memory that can only be read", callback.name, callback.point);
            subject.doing(&doing);
            payload::call_guarded(callback, point, message).map_err(|why| format!("{doing}: {why}"))?;
            calls += 1;
        }
    }
    if calls == 0 {
        return Err(Not::Skipped("it hooks no notify point of the catalogue, whose payload may only be read".into()));
    }
    end(instance)?;
    caught(format!("{calls} payloads between pages that cannot be touched"))
}
