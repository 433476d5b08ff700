//! The operator's commands on a host and on its store: executing them, and carrying them over a socket.
//!
//! Owns how each command is executed ([`Manager`]), changing the host and its store as one, and the Unix socket through
//! which a running host is managed from outside, with its client. Must know nothing of arguments and HTTP: those
//! translate to commands, as the socket does. Stands on engine and store. Crates above and programs register their own
//! commands by [`Manager::register`].
//!
//! # The life of a control channel
//!
//! 1. [`Manager::new`] manages a host, and [`Manager::open_store`] gives it a store.
//! 2. [`Manager::open_control`] opens the socket, for this user alone, and returns the [`Control`] that keeps it open.
//!    [`socket_in`] returns the path at which operators look for it.
//! 3. [`Control::report`] adds the program's own report to the answer of [`Status`](command::Status).
//! 4. In another process, [`running`] finds the running hosts, and [`Client::connect`] connects to one. [`Manage::ask`]
//!    executes a [`command`] and returns its typed answer; where no host runs, [`Offline`] executes it on the store.
//!    [`Client::events`] subscribes to the one command with many answers.
//! 5. A command and its answer are one line of JSON each: [`wire`].
//! 6. When the [`Control`] is dropped, the socket and its connections are closed. It may be dropped before or after its
//!    host.
//!
//! ```
//! use hookrail::control::command::{List, Status};
//! use hookrail::control::{Client, Manage, Manager};
//! use hookrail::{Config, Host};
//!
//! let host = Host::new(Config::default())?;
//! let socket = std::env::temp_dir().join(format!("hookrail-doc-{}.sock", std::process::id()));
//! // SAFETY: only this user and root can open the socket, and they could run any code in this process anyway.
//! let control = unsafe { Manager::new(&host) }.open_control(&socket)?;
//! control.report(|| serde_json::json!({ "served": 3 }));
//!
//! let mut client = Client::connect(&socket).unwrap();
//! assert_eq!(client.ask(Status::new()).unwrap().report["served"], 3);
//! assert!(client.ask(List::new()).unwrap().is_empty());
//! # Ok::<(), hookrail::control::Error>(())
//! ```
//!
//! # Who may use it
//!
//! A peer that can open the socket can have native code loaded into the process. Only peers that could do so anyway can
//! open it: the file has mode 0600, and a peer that is neither this user nor root is refused. Do not give others access
//! to the socket.

mod address;
mod attached_store;
mod call;
mod client;
mod commands;
mod control;
mod ending;
mod error;
mod feed;
mod keeper;
mod lines;
mod manage;
mod manager;
mod offline;
mod peer;
mod running;
mod server;
mod socket;
mod standard;
mod verbs;

#[doc(no_inline)]
pub use hookrail_model::{command, wire};

pub use call::Call;
pub use client::{Client, EventStream, ItemStream};
pub use commands::Handler;
pub use control::Control;
pub use error::{CallError, ControlError, Error};
pub use feed::Feed;
pub use manage::Manage;
pub use manager::Manager;
pub use offline::Offline;
pub use running::{Running, running, socket_in};
pub use verbs::NotLoaded;
