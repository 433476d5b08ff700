//! A host for native plugins: shared libraries that register callbacks at named, typed hook points.
//!
//! This crate is the facade that programs embed. It re-exports the crates of the host, which `docs/architecture.md`
//! lists, and adds nothing to them. It owns the features and the examples, and must know nothing of arguments,
//! terminals and HTTP.
//!
//! # The life of a host
//!
//! 1. [`Host::new`] creates a host from a [`Config`], built in code or read from `hookrail.toml`. It has the built-in
//!    points ([`catalogue`]) and one built-in callback, on `message.publish` at priority 1000.
//! 2. [`Host::point`] returns a [`HookPoint`]. The first use of a point of your own declares it; do that before you
//!    load plugins that hook it.
//! 3. [`Host::register`] adds [`Callbacks`] of your own program to the chains.
//! 4. [`inspect`] returns what a library declares about itself, without running any of it.
//! 5. [`Host::load`] copies a library, checks it, opens it, starts its instances, and registers all
//!    their callbacks in one transaction. It is `unsafe`: native code is trusted as your own.
//! 6. [`HookPoint::dispatch`] runs the chain over a payload, from any thread, and returns an
//!    [`Outcome`]; [`Host::denial`] tells which callback denied it, and why. [`DispatchContext`] tells callbacks what a
//!    dispatch is about, and [`with_context`] is how they read it. Under [`Host::pin`] several points are dispatched as
//!    they were at one instant.
//! 7. [`Host::point_views`] and [`Host::plugin_views`] show the chains and the plugins; [`Host::reload`] hands a
//!    running instance a new configuration.
//! 8. [`Host::upgrade`] replaces a plugin with a new build of it while traffic flows, hands over its
//!    state, and rolls it back if it fails on probation; [`Host::stop`] and [`Host::start`] keep the
//!    library. [`Host::events`] reports all of these.
//!    What plugins say by `tracing` and `log` reaches the program's subscriber of `tracing`, with the
//!    fields `instance` and `generation`; [`Host::set_log_level`] says how much.
//! 9. [`Host::unload`] removes a plugin's callbacks, waits for the threads that are in them, stops it, closes
//!    the library, and returns how that ended: [`End`]. [`Host::begin_unload`] does not wait; it
//!    returns a [`Ticket`], which a thread waits for and a task awaits.
//! 10. A [`control::Manager`] loads what is installed and enabled, and lets operators do all that from
//!     outside: [`control`].
//!
//! Callbacks run in ascending order of `(priority, instance, callback)`. Every error has a stable
//! code and names the next step: [`Error::code`], [`Error::fix`].
//!
//! # Example
//!
//! ```
//! use hookrail::{Callbacks, Config, Decision, Host, Message, MessagePublish, Priority, Verdict};
//!
//! let host = Host::new(Config::default())?;
//! let publish = host.point(MessagePublish)?;
//!
//! // What a plugin does from a library, a program may do itself.
//! let rules = Callbacks::new("rules")
//!     .on(MessagePublish, "mark", Priority::new(500), |message| message.add_header("seen", "yes"))
//!     .on(MessagePublish, "quiet", Priority::new(1500), |message| {
//!         if message.body.starts_with(b"spam") { Verdict::Deny(7) } else { Verdict::Continue }
//!     });
//! let rules = host.register(rules)?;
//!
//! let mut message = Message::new("log.app", "spam, eggs");
//! let outcome = publish.dispatch(&mut message);
//! assert_eq!(outcome.decision(), Decision::Denied(7));
//! assert_eq!(host.denial(&outcome).unwrap().by.as_deref(), Some("rules/quiet"));
//! assert_eq!(message.header("seen"), Some("yes"));
//!
//! host.unregister(rules);
//! assert_eq!(publish.dispatch(&mut message).decision(), Decision::Passed);
//! # Ok::<(), hookrail::Error>(())
//! ```
//!
//! With a configuration and a plugin from files, in a task of any executor:
//!
//! ```no_run
//! # use hookrail::{Callbacks, Config, Host, Message, MessagePublish, Priority, Verdict};
//! # async fn run(mut message: Message) -> Result<(), hookrail::Error> {
//! let host = Host::new(Config::read("hookrail.toml")?)?;
//! let publish = host.point(MessagePublish)?;
//! host.register(Callbacks::new("rules").on(MessagePublish, "quiet", Priority::new(1500), |message| {
//!     if message.body.starts_with(b"spam") { Verdict::deny(7, "spam") } else { Verdict::Continue }
//! }))?;
//! // SAFETY: we built it.
//! let plugin = unsafe { host.load("libhookrail_mask.so")? };
//! let outcome = publish.dispatch(&mut message);
//! if let Some(denial) = host.denial(&outcome) {
//!     eprintln!("{denial}");
//! }
//! println!("{}", host.begin_unload(&plugin)?.await);
//! # Ok(())
//! # }
//! ```
//!
//! A thread does not await: `println!("{}", host.unload(&plugin)?)`.
//!
//! `host/examples/load.rs` loads a library; `host/examples/gateway` is a program with its own points and a plugin that
//! hooks them. The guide is `docs/guide/embedding.md`.
//!
//! # What safety does not cover
//!
//! A loaded library runs in this process with all its rights. Panics are caught. A stack overflow, an `abort` and
//! memory corruption are not: they end the process or leave it damaged.
//!
//! # Features
//!
//! All are enabled by default, and all are additive.
//!
//! - `config-file`: `Config::read`, which reads `hookrail.toml`.
//! - `control`: [`control`], which executes the operator's commands, loads the installed plugins, and opens the socket
//!   by which a running host is managed; with a client for that socket.
//! - `isolation`: [`worker`], which runs plugins in processes of their own.
//! - `package`: [`package`], which builds and verifies signed plugin packages, and [`store`], which keeps the installed
//!   ones.
//! - `stream`: [`stream`], which runs the sources and sinks of plugins in pipelines.
//! - `schema`: validates a plugin's configuration against its JSON Schema and reports all mistakes at once; without
//!   this feature the plugin itself reports the first one.

#[cfg(not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("hookrail runs on Linux with glibc, on x86_64 and aarch64");

#[cfg(feature = "control")]
#[doc(inline)]
pub use hookrail_control as control;
#[cfg(feature = "package")]
#[doc(inline)]
pub use hookrail_package as package;
#[cfg(feature = "package")]
#[doc(inline)]
pub use hookrail_store as store;
#[cfg(feature = "stream")]
#[doc(inline)]
pub use hookrail_stream as stream;

/// Plugins in worker processes: call [`enter`](worker::enter) first in `main`, and say in the configuration which plugins
/// run so.
#[cfg(feature = "isolation")]
pub mod worker {
    pub use hookrail_engine::Crashes;
    pub use hookrail_isolate::{Processes, enter, processes, run};
    pub use hookrail_model::unit::{Exit, ExitStatus, Restarts};
}

#[doc(hidden)]
pub use hookrail_dispatch::reclaim::has_membarrier;
pub use hookrail_dispatch::{CallbackId, Callbacks, DispatchContext, HookPoint, Outcome, PinnedChains, Registered};
#[cfg(feature = "config-file")]
#[doc(hidden)]
pub use hookrail_engine::parse_whole;
pub use hookrail_engine::{
    BAD_TOPIC, Caller, Config, ConfigKey, Denial, DroppedContent, Events, Host, InstanceConfig, KeyOrigin, Limits,
    MessageLimits, PluginConfig, PluginHandle, Revocable, Services, TOO_LARGE, Ticket, Traces, UnloadLimits, Upgraded,
    schema,
};
#[doc(hidden)]
pub use hookrail_engine::{DeclaredEndpoints, Former, declared_endpoints, secrets};
pub use hookrail_image::{EntrySymbol, Image, Inspection, inspect};
pub use hookrail_model::ParseError;
pub use hookrail_model::bus::{BusView, SubscriptionView};
pub use hookrail_model::capability::{Capability, NoCapability};
pub use hookrail_model::config::{
    CallbackOverride, FaultPolicies, HealthLimits, PointConfig, Quarantine, UpgradeLimits,
};
pub use hookrail_model::crash::{CrashReport, CrashedPlugin, LostCall};
pub use hookrail_model::end::End;
#[doc(hidden)]
pub use hookrail_model::error::NO_PLUGIN;
pub use hookrail_model::error::{ApiMisuse, Compiler, ConfigError, Error, Incompatible, Misbehaved};
pub use hookrail_model::event::{Event, EventKind};
pub use hookrail_model::health::Health;
pub use hookrail_model::installed::Origin;
pub use hookrail_model::isolation::{
    Isolation, LimitView, LimitedBy, Placed, PlacedBy, WorkerLimits, WorkerState, WorkerView,
};
pub use hookrail_model::log_level::LogLevel;
pub use hookrail_model::memory::{Memory, MemoryView};
pub use hookrail_model::metrics;
pub use hookrail_model::note::{EndpointKind, Guarantee, Note, NoteEndpoint, NoteHook, NotePoint};
pub use hookrail_model::pipeline::{
    EndpointState, PipelineConfig, PipelineState, PipelineView, QueueConfig, QueuePolicy, SinkConfig, SinkView,
    SourceConfig, SourceView,
};
#[doc(hidden)]
pub use hookrail_model::schema::Schema;
pub use hookrail_model::stats::{LastFault, Latency, StatsLevel};
pub use hookrail_model::tap;
pub use hookrail_model::times::UpgradeTimes;
pub use hookrail_model::trace::{MissingField, StepVerdict, Trace, TraceDecision, TraceFilter, TraceStep};
pub use hookrail_model::view::{
    CallbackStatus, CallbackView, Calls, EffectsView, FaultPolicyView, GenerationView, PluginView, PointKind,
    PointView, PriorityOrigin, Status,
};
#[doc(hidden)]
pub use hookrail_model::{time, units};

pub use hookrail_abi::catalogue::{self, MessageDelivered, MessageDropped, MessagePublish};
pub use hookrail_abi::host::with_context;
pub use hookrail_abi::{
    Access, Closed, CurrentContext, Decision, Dropped, Flow, Header, Mark, Message, MessageId, Priority, Received,
    Sink, SinkIo, Source, SourceIo, Verdict,
};
