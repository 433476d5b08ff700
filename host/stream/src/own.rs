//! Endpoints of the program itself: what it makes sources and sinks of, as plugins do.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hookrail_abi::boundary::StreamIo;
use hookrail_abi::{Sink, SinkIo, Source, SourceIo};
use hookrail_engine::Endpoint;
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::guarded;
use hookrail_model::note::EndpointKind;
use serde_json::Value;

type Result<T> = std::result::Result<T, hookrail_abi::Error>;
/// Makes one for the place with that path in a pipeline, `PIPELINE/NAME`.
type Make = dyn Fn(&str, &Value) -> Result<Runs> + Send + Sync;

/// The program's own sources and sinks, by name.
#[derive(Clone, Default)]
pub(crate) struct Own(BTreeMap<(EndpointKind, String), Arc<Make>>);

enum Runs {
    Sink(Box<dyn Sink>),
    Source(Box<dyn Source>),
}

struct Made {
    name: String,
    runs: Runs,
}

impl Own {
    pub(crate) fn add_source<S: Source>(
        &mut self,
        name: &str,
        make: impl Fn(&Value) -> Result<S> + Send + Sync + 'static,
    ) {
        self.add_source_at(name, move |_, config| make(config));
    }

    /// Adds one that is told the path of its place.
    pub(crate) fn add_source_at<S: Source>(
        &mut self,
        name: &str,
        make: impl Fn(&str, &Value) -> Result<S> + Send + Sync + 'static,
    ) {
        let make = move |path: &str, config: &Value| Ok(Runs::Source(Box::new(make(path, config)?)));
        self.0.insert((EndpointKind::Source, name.into()), Arc::new(make));
    }

    pub(crate) fn add_sink<S: Sink>(&mut self, name: &str, make: impl Fn(&Value) -> Result<S> + Send + Sync + 'static) {
        let make = move |_: &str, config: &Value| Ok(Runs::Sink(Box::new(make(config)?)));
        self.0.insert((EndpointKind::Sink, name.into()), Arc::new(make));
    }

    pub(crate) fn has(&self, kind: EndpointKind, name: &str) -> bool {
        self.0.contains_key(&(kind, name.to_owned()))
    }

    pub(crate) fn names(&self, kind: EndpointKind) -> impl Iterator<Item = &str> {
        self.0.keys().filter(move |(of, _)| *of == kind).map(|(_, name)| &**name)
    }

    /// Makes one for the place with that path.
    pub(crate) fn accept(
        &self,
        kind: EndpointKind,
        name: &str,
        path: &str,
        config: &Value,
    ) -> std::result::Result<Box<dyn Endpoint>, Error> {
        let make = self.0.get(&(kind, name.to_owned())).expect("whoever asks has found it");
        let panicked = || Err("it panicked".into());
        let made = guarded(None, || Some(make(path, config))).unwrap_or_else(panicked);
        let runs = made.map_err(|why| failed("accept", name, &why))?;
        Ok(Box::new(Made { name: name.into(), runs }))
    }
}

impl Endpoint for Made {
    unsafe fn run(&mut self, io: *const StreamIo) -> std::result::Result<(), Error> {
        let incomplete = |_| hookrail_abi::Error::from("the table is incomplete");
        let mut run = || match &mut self.runs {
            // SAFETY: the caller promises that of `io`, and the sink has it only for this call.
            Runs::Sink(sink) => unsafe { SinkIo::new(io) }.map_err(incomplete).and_then(|mut io| sink.run(&mut io)),
            Runs::Source(source) => {
                // SAFETY: as above, and the source.
                unsafe { SourceIo::new(io) }.map_err(incomplete).and_then(|mut io| source.run(&mut io))
            }
        };
        let ran = guarded(None, || Some(run())).unwrap_or_else(|| Err("it panicked".into()));
        ran.map_err(|why| failed("run", &self.name, &why))
    }
}

fn failed(call: &'static str, name: &str, why: &hookrail_abi::Error) -> Error {
    Error::misbehaved(name, Misbehaved::failed(call, why.to_string()))
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
