//! Sources and sinks: that they are there, what they accept, and that they end.

mod accept;
mod run;
mod unload;

use std::sync::Arc;

use hookrail::NoteEndpoint;
use serde_json::Value;

pub(in super::super) use self::accept::{accept_free, hostile};
pub(in super::super) use self::run::runs;
pub(in super::super) use self::unload::unload;
use super::{caught, end, must, started};
use crate::answer::{Found, Not};
use crate::raw::{Accepted, Instance, Library, Refusal, Streams};
use crate::subject::Subject;

/// A name that no plugin has.
const OTHER: &str = "no-such-endpoint-of-any-plugin";

/// What accepts endpoints: a started instance, and the table.
struct Scene<'a> {
    subject: &'a Subject,
    instance: Arc<Instance>,
    streams: Streams,
}

impl<'a> Scene<'a> {
    /// That of a plugin that declares endpoints.
    fn new(subject: &'a Subject) -> Result<Self, Not> {
        if subject.inspection.note.endpoints.is_empty() {
            return Err(none());
        }
        let library = subject.driven()?;
        let streams = table(library)?;
        Ok(Scene { subject, instance: Arc::new(started(subject, library)?), streams })
    }

    fn declared(&self) -> &'a [NoteEndpoint] {
        &self.subject.inspection.note.endpoints
    }

    fn accept(&self, endpoint: &NoteEndpoint, config: &str) -> Result<Accepted, Refusal> {
        self.streams.accept(&self.instance, endpoint.kind, &endpoint.name, config)
    }

    /// Has it accepted with the configuration that the operator gives it, or an empty one. The text is why it is not, if
    /// that is in order.
    fn accept_plainly(&self, endpoint: &NoteEndpoint) -> Result<Result<Accepted, String>, Not> {
        match self.accept(endpoint, &self.subject.endpoint_config(endpoint)) {
            Ok(accepted) => Ok(Ok(accepted)),
            Err(refusal) if !refusal.is_orderly() => Err(failed(endpoint, &refusal)),
            Err(refusal) => Ok(Err(needing(self.subject, endpoint, refusal.said()))),
        }
    }

    /// Ends the instance, whose endpoints have ended.
    fn end(self) -> Result<(), Not> {
        end(Arc::into_inner(self.instance).ok_or("one of its endpoints is left")?)
    }

    /// Ends the instance, and tells what was done, and what could not be. That nothing could be is no success.
    fn found(self, done: &[String], needs: Vec<String>) -> Found {
        self.end()?;
        told(done, needs)
    }
}

fn told(done: &[String], needs: Vec<String>) -> Found {
    if done.is_empty() {
        // Whatever it did wrong meanwhile comes first.
        return caught("").and(Err(Not::Skipped(needs.join("; "))));
    }
    caught(done.iter().chain(&needs).cloned().collect::<Vec<_>>().join("; "))
}

/// Why an endpoint was not used.
fn needing(subject: &Subject, endpoint: &NoteEndpoint, why: &str) -> String {
    match subject.is_configured(endpoint) {
        true => format!("{} does not work here with its configuration: {why}", shown(endpoint)),
        false => {
            format!("{} needs a configuration, such as a pipeline of --config gives it: {why}", shown(endpoint))
        }
    }
}

fn none() -> Not {
    Not::Skipped("it declares no sources and no sinks".into())
}

fn table(library: Library) -> Result<Streams, Not> {
    Ok(library.streams()?.ok_or("it declares sources or sinks, and has no table stream/1")?)
}

/// `source lines`.
fn shown(endpoint: &NoteEndpoint) -> String {
    format!("{} {}", endpoint.kind.name(), endpoint.name)
}

fn failed(endpoint: &NoteEndpoint, refusal: &Refusal) -> Not {
    Not::Failed(format!("{}: {refusal}", shown(endpoint)))
}

pub(in super::super) fn declared(subject: &Subject) -> Found {
    if subject.inspection.note.endpoints.is_empty() {
        return match subject.driven()?.streams()? {
            None => Err(none()),
            Some(_) => Err("it has a table stream/1, and its note declares neither sources nor sinks".into()),
        };
    }
    let scene = Scene::new(subject)?;
    let mut seen = Vec::new();
    for endpoint in scene.declared() {
        subject.doing(&format!("asking for the schema of {}", shown(endpoint)));
        let schema = must(&shown(endpoint), scene.streams.schema(endpoint.kind, &endpoint.name))?;
        if let Some(schema) = schema {
            let schema = serde_json::from_str::<Value>(&schema);
            let is_object =
                schema.map_err(|error| format!("the schema of {} is not JSON: {error}", shown(endpoint)))?;
            if !is_object.is_object() {
                return Err(format!("the schema of {} is not a JSON object", shown(endpoint)).into());
            }
        }
        subject.doing(&format!("having {} accepted", shown(endpoint)));
        let config = subject.endpoint_config(endpoint);
        match scene.accept(endpoint, &config) {
            Ok(accepted) => {
                must("freeing it", accepted.free())?;
                seen.push(shown(endpoint));
            }
            Err(refusal) if !refusal.is_orderly() => return Err(failed(endpoint, &refusal)),
            Err(refusal) => {
                is_known(&scene, endpoint, &config, &refusal)?;
                seen.push(needing(subject, endpoint, refusal.said()));
            }
        }
    }
    scene.end()?;
    caught(seen.join("; "))
}

/// Whether an endpoint that was refused is known all the same: of one that is not, it would say the same.
fn is_known(scene: &Scene<'_>, endpoint: &NoteEndpoint, config: &str, refusal: &Refusal) -> Result<(), Not> {
    let other = scene.streams.accept(&scene.instance, endpoint.kind, OTHER, config);
    let said = match other {
        // It looks at no names, so it knows this one.
        Ok(accepted) => return must("freeing it", accepted.free()),
        Err(other) => other.said().to_owned(),
    };
    if said.contains(OTHER) && said.replace(OTHER, &endpoint.name) == refusal.said() {
        return Err(
            format!("its note declares {}, which it does not accept: {}", shown(endpoint), refusal.said()).into()
        );
    }
    Ok(())
}
