//! What is installed in a [`Home`](hookrail_package::Home), and what its operator wants of it.
//!
//! Owns the files of what is installed, and each change of them, whole or not at all. Must know nothing of hosts and
//! chains, and points and callbacks are names to it: whoever loads what is installed is asked to agree, and answers. Stands on package.
//!
//! ```text
//! lock                     held by whoever changes anything
//! state.json               the truth: what is installed, and what is wanted of it
//! store/NAME/VERSION/      the files of a package, and its metadata as package.json
//! incoming/                packages that are dropped in, for a host to install
//! staged/                  packages that were checked, at hand for an hour
//! config/NAME/config.json  a plugin's configuration and those before it, which outlive the plugin
//! ```
//!
//! # The life of an installed plugin
//!
//! 1. [`Store::change`] takes the lock, and collects what a crash left behind.
//! 2. [`Change::install`] copies a package once, and verifies, checks and unpacks that copy. The plugin is
//!    disabled until [`Change::enable`] says that hosts shall load it.
//! 3. A later version takes the place of the one before it, which is kept: [`Change::rollback`] swaps the
//!    two. Older ones go.
//! 4. [`Store::list`] tells what is installed, and who vouches for it. [`Store::wanted`] is what a host
//!    loads; [`Library::open`] copies it into memory, and refuses what differs from what was installed.
//!    `Manager::open_store` does so with all that is enabled.
//! 5. [`Change::configure`] sets a plugin's configuration, in one file of its own with those before it.
//! 6. [`Change::uninstall`] removes the files. Whose the name is stays known, unless it is purged.
//!
//! # A crash at any moment
//!
//! `state.json` is replaced as a whole. Files are there, and synced, before it names them, and go after it
//! has ceased to. So what is read behind a crash is the state before a change or the one after it, whole;
//! what neither names is collected by the next change.

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

pub use change::{Change, unasked};
pub use error::{Error, MAX_CONFIG, StoreError};
pub use examine::Depth;
pub use install::Install;
pub use library::{Library, Wanted};
pub use order::Enabled;
pub use state::{Desired, Installed, Plugin, State};
pub use store::Store;
pub use verbs::MAX_ALLOWANCE;

// For the crates above.
#[doc(hidden)]
pub use {rehearsal::Rehearsal, verbs::validate};
