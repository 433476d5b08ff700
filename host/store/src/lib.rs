//! The plugins installed in a [`Home`](hookrail_package::Home), and the operator's settings for them.
//!
//! Owns the files of installed plugins, and each change of them, which happens as a whole or not at all. Must know
//! nothing of hosts and chains: points and callbacks are only names here, and a host that loads from the store agrees
//! to changes through a callback. Stands on package.
//!
//! ```text
//! lock                     held by whoever changes anything
//! state.json               the truth: what is installed, and what is spec of it
//! store/NAME/VERSION/      the files of a package, and its metadata as package.json
//! incoming/                packages that are dropped in, for a host to install
//! staged/                  packages that were checked, at hand for an hour
//! config/NAME/config.json  a plugin's configuration and those before it, which outlive the plugin
//! ```
//!
//! # The life of an installed plugin
//!
//! 1. [`Store::change`] takes the lock, and collects the remains of crashes.
//! 2. [`Change::install`] copies a package once, and verifies, checks and unpacks that copy. The plugin is disabled
//!    until [`Change::enable`] makes hosts load it.
//! 3. A later version replaces the one before it, which is kept: [`Change::rollback`] swaps the two. Older ones are
//!    removed.
//! 4. [`Store::list`] returns what is installed, and what makes it trusted. [`Store::load_spec`] is what a host loads;
//!    [`Library::open`] copies it into memory, and refuses it if it differs from what was installed.
//!    `Manager::open_store` does so for all enabled plugins.
//! 5. [`Change::configure`] sets a plugin's configuration, in a file of its own that also holds the earlier ones.
//! 6. [`Change::uninstall`] removes the files. The owner of the name is remembered, unless the plugin is purged.
//!
//! # A crash at any moment
//!
//! `state.json` is replaced as a whole. Files exist and are synced before it names them, and are removed after it has
//! stopped naming them. So what is read after a crash is either the state before a change or the one after it,
//! complete; the next change collects what neither names.

mod change;
mod collect;
mod config;
mod configure;
mod error;
mod examine;
mod install;
mod library;
mod list;
mod order;
mod rehearsal;
mod requires;
mod stage;
mod state;
mod store;
mod unpack;
mod verbs;

#[doc(no_inline)]
pub use hookrail_model::installed::{
    Allowance, Configured, FormerConfig, Installation, Kind, Listed, Origin, SignatureStatus, TrustSource,
};
pub use semver::Version;

pub use hookrail_model::config::MAX_CONFIG;

pub use change::{Change, agree};
pub use error::{Error, StoreError};
pub use examine::Depth;
pub use install::Install;
pub use library::{Declared, Library, LoadSpec};
pub use order::Enabled;
pub use state::{InstalledPlugin, InstalledVersion, MAX_ALLOWANCE, PluginSettings, State};
pub use store::Store;

// For the crates above this one.
#[doc(hidden)]
pub use {rehearsal::Rehearsal, verbs::validate};
