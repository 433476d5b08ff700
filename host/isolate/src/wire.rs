//! What a host and its worker say to each other, besides the calls of callbacks, which go by [`lane`](crate::lane).
//!
//! A frame is its length, four bytes with the lowest first, and so many bytes of MessagePack. The host believes nothing
//! that a worker says: frames are bounded before they are read, and what is in them is checked like any other input.

mod bus;
mod bytes;
mod config;
mod connection;
mod dispatch;
mod error;
mod record;
mod registered;
mod stream;
mod unit;

use std::time::Duration;

use hookrail_engine::{NotWritten, Request, Response, UnitEvent};
use hookrail_model::end::End;
use hookrail_model::log_level::LogLevel;
use hookrail_model::memory::Memory;
use hookrail_model::note::EndpointKind;
use hookrail_model::plugin_metrics::MetricInfo;
use serde::{Deserialize, Serialize};

pub(crate) use bus::BusAsk;
pub(crate) use bytes::{Bytes, State};
pub(crate) use config::{ConfigAnswer, ConfigAsk};
pub(crate) use connection::{Receiver, Sender, pair};
pub(crate) use dispatch::{ANSWERED, DISPATCH, DISPATCHES, Fired, PointAnswer, PointAsk, UNANSWERED};
pub(crate) use error::WireError;
pub(crate) use record::{Field, Parent, Place, Record};
pub(crate) use registered::{Record as Registration, Registered};
pub(crate) use stream::{EndpointId, FromEndpoint, ToEndpoint};
pub(crate) use unit::{UnitAnswer, UnitAsk, UnitId};

/// The version of what is said: a host and its worker are the same program, and this proves it.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " wire 1");

/// The number of a plugin in its worker.
pub(crate) type PluginId = u32;

/// From the host to its worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// It is done in the order of the requests, and answered with the number.
    Ask(u64, Ask),
    /// Whether an end of the bus was opened, by the number of the question. Its socket comes with it.
    Bus(u64, Result<(), String>),
    /// What came of what an instance asked about its configuration, by the number of the question.
    Config(u64, Result<ConfigAnswer, NotWritten>),
    /// Whether a plugin may dispatch by another socket, by the number of the question. The socket comes with it.
    Dispatch(u64, Result<(), String>),
    /// Serve that lane from now on.
    Serve(u32),
    /// How much a plugin reports from now on.
    SetLevel(PluginId, LogLevel),
    /// What a plugin's failures and panics are shown without, too, from now on.
    Hide(PluginId, Vec<String>),
    /// What came of what an instance asked about a unit, by the number of the question.
    Unit(u64, UnitAnswer),
    /// What has happened to a unit. The descriptors of a process that was started come with it.
    UnitEvent(UnitId, UnitEvent),
}

/// What is done to a plugin.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Opens the library in the copy that comes with it.
    Open {
        plugin: PluginId,
        file: String,
        force_unload: bool,
    },
    /// What it reports from now on belongs to that generation, and is without these secrets.
    Begin {
        plugin: PluginId,
        generation: u64,
        level: LogLevel,
        secrets: Vec<String>,
    },
    Schema {
        plugin: PluginId,
    },
    Create {
        plugin: PluginId,
        instance: String,
        config: String,
        home: String,
    },
    Start {
        plugin: PluginId,
        instance: String,
        state: Option<State>,
    },
    Reload {
        plugin: PluginId,
        instance: String,
        config: String,
    },
    Save {
        plugin: PluginId,
        instance: String,
        changes: bool,
        limit: u64,
    },
    ApplyChanges {
        plugin: PluginId,
        instance: String,
        changes: State,
    },
    Request {
        plugin: PluginId,
        instance: String,
        request: Request,
    },
    /// Makes an endpoint.
    Accept {
        plugin: PluginId,
        instance: String,
        kind: EndpointKind,
        name: String,
        config: String,
    },
    EndpointSchema {
        plugin: PluginId,
        instance: String,
        kind: EndpointKind,
        name: String,
    },
    /// Runs an endpoint, which speaks by the socket that comes with it.
    Run {
        plugin: PluginId,
        endpoint: EndpointId,
    },
    /// Frees an endpoint that was not run.
    Free {
        plugin: PluginId,
        endpoint: EndpointId,
    },
    Stop {
        plugin: PluginId,
    },
    Leave {
        plugin: PluginId,
    },
    Close {
        plugin: PluginId,
        patience: Duration,
    },
}

impl Ask {
    /// The function of the plugin that it runs, as errors name it.
    pub(crate) fn call(&self) -> &'static str {
        match self {
            Ask::Open { .. } => "attach",
            Ask::Begin { .. } => "begin",
            Ask::Schema { .. } => "schema",
            Ask::Create { .. } => "create",
            Ask::Start { state: None, .. } => "start",
            Ask::Start { state: Some(_), .. } => "restore",
            Ask::Reload { .. } => "reload",
            Ask::Save { changes: false, .. } => "save",
            Ask::Save { changes: true, .. } => "save_changes",
            Ask::ApplyChanges { .. } => "apply_changes",
            Ask::Request { request, .. } => request.call(),
            Ask::Accept { .. } => "accept",
            Ask::EndpointSchema { .. } => "schema",
            Ask::Run { .. } => "run",
            Ask::Free { .. } => "free",
            Ask::Stop { .. } => "stop",
            Ask::Leave { .. } => "leave",
            Ask::Close { .. } => "close",
        }
    }
}

/// From a worker to its host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToHost {
    /// The first of all.
    Ready {
        version: String,
    },
    Answer(u64, Result<Answer, WireError>),
    /// An instance asks for an end of the bus; answered with the number.
    Bus {
        number: u64,
        plugin: PluginId,
        instance: String,
        ask: BusAsk,
    },
    /// An instance asks about its own configuration; answered with the number.
    Config {
        number: u64,
        plugin: PluginId,
        instance: String,
        ask: ConfigAsk,
    },
    /// A plugin asks for another socket by which it dispatches; answered with the number.
    Dispatch {
        number: u64,
        plugin: PluginId,
    },
    /// An instance asks for something about a unit; answered with the number, if there is an answer.
    Unit {
        number: u64,
        plugin: PluginId,
        ask: UnitAsk,
    },
    /// A callback for which nobody waited has failed: a kind and a text.
    Fault {
        plugin: PluginId,
        callback: u32,
        kind: u32,
        text: String,
    },
    /// A plugin that is being closed waits for something; the host may end the worker.
    Waits(PluginId, End),
    /// The memory that a plugin holds, and how many blocks it has ever allocated.
    Memory(PluginId, Memory, u64),
    /// The numbers that a plugin counts itself, in the order in which it was said what they are.
    Numbers(PluginId, Vec<u64>),
    /// What was reported by `tracing`.
    Record(Record),
}

/// What an [`Ask`] is answered with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Done,
    /// It is open; whether it counts its memory, and what its numbers are.
    Opened {
        counts_memory: bool,
        numbers: Vec<MetricInfo>,
    },
    Schema(Option<String>),
    Started(Vec<Registered>),
    Accepted(EndpointId),
    Response(Response),
    Saved(Option<State>),
    Closed {
        end: End,
        skipped: u64,
        unfreed_memory: Option<Memory>,
    },
}
