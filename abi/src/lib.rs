//! Everything that crosses the boundary between a Hookrail host and its plugins, and what authors of
//! plugins write against.
//!
//! Owns layouts, their growth, and the macros that make a library a plugin. Must know nothing of hosts: a host is a
//! table of functions.
//!
//! # The life of a plugin
//!
//! 1. You declare a type and implement [`Plugin`] for it; its callbacks stand in
//!    [`Plugin::HOOKS`], made by [`hooks!`]: a [`Point`](trait@Point), a [`Priority`], a name, a
//!    function, [`Effects`].
//! 2. [`export!`] makes the library a plugin: it exports one entry ([`boundary::Entry`]), and writes
//!    a [`note`] into the file, which the host reads before any code of it runs.
//! 3. The host holds the operator's configuration against the JSON Schema of [`Plugin::Config`], and
//!    calls [`Plugin::start`] for each instance with a [`Startup`].
//! 4. Callbacks run, on any thread, on several at once. They edit the payload, such as a [`Message`],
//!    and return nothing, a [`Flow`], a [`Verdict`] or an [`Access`], or a `Result` of these, as the kind of their point
//!    allows: see [`Answer`].
//! 5. A new configuration may come while they run: [`Plugin::reload`].
//! 6. A new build may take its place while traffic flows: [`Plugin::save`] hands a [`State`] to the
//!    new generation's [`Plugin::restore`], and [`Plugin::save_changes`] to its [`Plugin::apply_changes`] what
//!    changed until nobody called the old one any more.
//! 7. When the plugin is unloaded no callback runs any more; [`Plugin::stop`] is called, the value is
//!    dropped, and the library closed.
//!
//! A panic in any of these is caught here, in the plugin, and reaches the host as a fault. What a
//! plugin says by `tracing` or `log` reaches the host's log, with the instance and the generation on it.
//!
//! # Example
//!
//! A whole plugin, driven in a plain test by [`testing`] as a host would drive it. In a library of
//! its own, of crate type `cdylib`, only the line with `export!` comes on top.
//!
//! ```
//! use hookrail_abi::prelude::*;
//! use hookrail_abi::testing;
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! /// What an operator writes.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
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
//! assert_eq!(answer.said, ["it says `secret`"]);
//! ```
//!
//! # Points of your own
//!
//! [`points!`] declares them, in a crate that the host and its plugins share. Payloads are made of
//! [`Text`], [`Bytes`], [`List`], [`Secret`] and numbers, so that they live on the process's `malloc`
//! and outlive the library that wrote into them.
//!
//! # Stability
//!
//! The boundary has a version of its own, [`boundary::ABI_VERSION`]. `docs/abi.md` says what may
//! change about it, and what never may.

mod answer;
pub mod boundary;
mod bytes;
pub mod catalogue;
mod diagnostics;
mod effects;
mod entry;
mod error;
mod export;
mod hook;
pub mod host;
mod kind;
mod list;
pub mod memory;
mod message;
pub mod note;
mod payload;
mod plugin;
mod point;
mod priority;
mod secret;
mod shape;
mod shim;
mod state;
pub mod testing;
mod text;
#[doc(hidden)]
pub mod unload;
pub mod verdict;

pub use answer::Answer;
pub use bytes::Bytes;
pub use effects::Effects;
#[doc(hidden)]
pub use entry::entry;
pub use error::{Error, Result};
#[doc(hidden)]
pub use hook::hook_words;
pub use hook::{Hook, Hooks};
pub use kind::{FaultPolicy, Fold, Gate, Kind, Notify, RawKind};
pub use list::List;
pub use message::{Dropped, Header, Message, MessageId, NoMessageId};
pub use payload::{Format, PayloadOps};
pub use plugin::{Instances, Isolation, NoConfig, Plugin, Startup};
pub use point::Point;
pub use priority::Priority;
pub use secret::Secret;
pub use shape::Shape;
pub use state::State;
pub use text::Text;
pub use verdict::{Access, Decision, Flow, Verdict};

/// What an author needs: `use hookrail_abi::prelude::*;`
pub mod prelude {
    pub use crate::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
    pub use crate::host::{Dir, Instance};
    pub use crate::{
        Access, Bytes, Dropped, Flow, Header, Hooks, Message, NoConfig, Plugin, Point, Result, Secret, Startup, State,
        Text, Verdict, export, hooks,
    };
}
