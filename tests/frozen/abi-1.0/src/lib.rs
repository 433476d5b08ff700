//! Everything that crosses the boundary between a Hookrail host and its plugins, and the API that plugin authors write
//! against.
//!
//! Owns the layouts, how they may grow, and the macros that make a library a plugin. Must know nothing of hosts: a host
//! is a table of functions.
//!
//! # The life of a plugin
//!
//! 1. You declare a type and implement [`Plugin`] for it. Its callbacks are listed in [`Plugin::HOOKS`], made by
//!    [`hooks!`]: each is a [`Point`](trait@Point), a [`Priority`], a name, a function and [`Effects`].
//! 2. [`export!`] makes the library a plugin: it exports one entry ([`boundary::Entry`]) and writes a [`note`] into the
//!    file, which the host reads before it runs any of the library's code.
//! 3. The host validates the operator's configuration against the JSON Schema of [`Plugin::Config`], and calls
//!    [`Plugin::start`] for each instance with a [`Startup`].
//! 4. Callbacks run on any thread, and on several at once, as soon as the instance is [ready](Plugin::ready). They edit the payload, such as a [`Message`], and return
//!    nothing, a [`Flow`], a [`Verdict`] or an [`Access`], or a `Result` of these, as the kind of their point allows:
//!    see [`Answer`].
//! 5. A new configuration may arrive while callbacks run: [`Plugin::reload`].
//! 6. A new build may replace the plugin while traffic flows: [`Plugin::save`] hands a [`State`] to the new
//!    generation's [`Plugin::restore`]; what changed until the old generation's last call goes from
//!    [`Plugin::save_changes`] to the new one's [`Plugin::apply_changes`].
//! 7. Its sources and sinks, listed in [`Plugin::ENDPOINTS`], made by [`endpoints!`], are made once per use in a pipeline,
//!    and each runs on a thread of the host: [`Source`], [`Sink`].
//! 8. The points that it dispatches itself are listed in [`Plugin::FIRES`]: see [`dispatch`].
//! 9. Meanwhile the host asks for its [health](Plugin::health), and may have it [halt](Plugin::halt) and
//!    [resume](Plugin::resume).
//! 10. When the plugin is unloaded, no callback runs any more; the host calls [`Plugin::drain`] and [`Plugin::stop`],
//!     the value is dropped, and the library is closed.
//!
//! A panic in any of these is caught here, in the plugin, and reaches the host as a fault. What a plugin logs by
//! `tracing` or `log` reaches the host's log, tagged with the instance and the generation.
//!
//! # Example
//!
//! A whole plugin, driven in a plain unit test by [`testing`] as a host would drive it. In a library of its own, of
//! crate type `cdylib`, only the line with `export!` is added.
//!
//! ```
//! use hookrail_abi::prelude::*;
//! use hookrail_abi::testing;
//!
//! /// What an operator writes.
//! #[config]
//! struct Config {
//!     /// Words that a body must not contain.
//!     words: Vec<String>,
//! }
//!
//! struct Screen {
//!     words: Vec<String>,
//! }
//!
//! impl Screen {
//!     fn screen(&self, message: &mut Message) -> Verdict {
//!         let body = message.body.to_display();
//!         match self.words.iter().find(|word| body.contains(word.as_str())) {
//!             Some(word) => Verdict::deny(403, format_args!("it says `{word}`")),
//!             None => Verdict::Continue,
//!         }
//!     }
//! }
//!
//! impl Plugin for Screen {
//!     type Config = Config;
//!     const HOOKS: Hooks<Self> = hooks![MessagePublish, "screen" => Self::screen, priority = 300, effects = pure];
//!
//!     fn start(_host: &Startup, config: Config) -> Result<Self> {
//!         Ok(Screen { words: config.words })
//!     }
//! }
//!
//! // export!(Screen);
//!
//! let screen = testing::start::<Screen>(r#"{ "words": ["secret"] }"#).unwrap();
//! let answer = screen.call(MessagePublish, "screen", &mut Message::new("a.b", "a secret"));
//! assert_eq!(answer.verdict, Verdict::Deny(403));
//! assert_eq!(answer.reports, ["it says `secret`"]);
//! ```
//!
//! # Points of your own
//!
//! [`points!`] declares them, in a crate that the host and its plugins share. Payloads have
//! [`derive(Payload)`](trait@Payload) and are made of [`Text`], [`Bytes`], [`List`], [`Secret`] and numbers, so that
//! they live on the process's `malloc` and outlive the library that wrote them.
//!
//! # Stability
//!
//! The boundary has its own version, [`boundary::ABI_VERSION`]. `docs/abi.md` says what may change in it, and what
//! never will.

// What the macros expand to begins with `::hookrail_abi`, here too.
extern crate self as hookrail_abi;

mod answer;
pub mod boundary;
pub mod bus;
mod bytes;
mod callback;
pub mod catalogue;
mod config;
mod context;
mod diagnostics;
pub mod dispatch;
mod effects;
mod entry;
mod error;
mod export;
mod hook;
pub mod host;
mod kind;
#[doc(hidden)]
pub mod layout;
mod lifecycle;
mod list;
pub mod memory;
mod message;
pub mod metrics;
#[doc(hidden)]
pub mod name;
pub mod note;
mod payload;
mod plugin;
mod point;
mod priority;
mod secret;
mod shape;
mod shim;
mod state;
mod stream;
pub mod testing;
mod text;
mod time;
#[doc(hidden)]
pub mod unit;
pub mod unload;
pub mod verdict;

pub use answer::Answer;
pub use bytes::Bytes;
pub use callback::Callback;
pub use config::{Configuration, config};
pub use context::CurrentContext;
#[doc(hidden)]
pub use context::monotonic;
pub use dispatch::Fires;
pub use effects::Effects;
#[doc(hidden)]
pub use entry::entry;
pub use error::{Error, Result};
#[doc(hidden)]
pub use hook::hook_words;
pub use hook::{Hook, Hooks};
pub use kind::{FaultPolicy, Fold, Gate, Kind, Notify, RawKind};
pub use lifecycle::{Health, Readiness};
pub use list::List;
pub use message::{DropKind, Dropped, Header, InvalidMessageId, Message, MessageId};
pub use payload::{Format, PAYLOAD_OPS_VERSION, Payload, PayloadOps};
pub use plugin::{Instances, Isolation, NoConfig, Plugin, Startup};
pub use point::Point;
pub use priority::Priority;
pub use secret::Secret;
pub use shape::Shape;
pub use state::State;
#[doc(hidden)]
pub use stream::endpoint_words;
pub use stream::{
    Closed, Endpoint, EndpointKind, Endpoints, Guarantee, Mark, Received, Sink, SinkIo, Source, SourceIo,
};
pub use text::Text;
pub use time::Time;
pub use verdict::{Access, Decision, Flow, Verdict};

/// The crate schemars, for a `JsonSchema` of your own. A later `hookrail-abi` may use another schemars for
/// [`config`](macro@config), and will keep this one.
pub use schemars as schemars1;
/// The crate serde. Its derives need `#[serde(crate = "hookrail_abi::serde")]`.
pub use serde;
/// The crate tracing, for what a plugin tells the host's log.
pub use tracing;

/// What a plugin author needs: `use hookrail_abi::prelude::*;`
pub mod prelude {
    pub use crate::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
    pub use crate::host::{Dir, Instance};
    pub use crate::{
        Access, Bytes, Closed, DropKind, Dropped, Endpoints, Fires, Flow, Header, Health, Hooks, Mark, Message,
        NoConfig, Plugin, Point, Readiness, Received, Result, Secret, Sink, SinkIo, Source, SourceIo, Startup, State,
        Text, Verdict, config, endpoints, export, fires, hooks,
    };
}
