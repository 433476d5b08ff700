//! The operator's commands on a host and on what is installed: carried out, and carried over a socket.
//!
//! Owns how each command is carried out ([`Manager`]), the host and its store changed as one, and the Unix socket by
//! which a running host is managed from outside, with its client. Must know nothing of arguments and HTTP: those
//! translate, as the socket does. Stands on engine and store. Crates above and programs register commands of
//! their own by [`Manager::register`].
//!
//! # The life of a control channel
//!
//! 1. [`Manager::new`] manages a host, and [`Manager::open_store`] gives it what is installed.
//! 2. [`Manager::open_control`] makes the socket, for this user alone, and answers the [`Control`] that
//!    keeps it open. [`socket_in`] says where operators look for it.
//! 3. [`Control::report`] adds what the program has to say of itself to the answer of
//!    [`Status`](command::Status).
//! 4. Elsewhere, [`running`] finds the hosts that run, and [`Client::connect`] reaches one. [`Manage::ask`] has a
//!    [`command`] carried out, with its own answer; where no host runs, [`Offline`] has it on what is
//!    installed. [`Client::events`] has what has many answers.
//! 5. A command and its answer are a line of JSON each: [`wire`].
//! 6. When the [`Control`] is dropped the socket is gone, and so are its connections. It may be
//!    dropped before its host or after it.
//!
//! ```
//! use hookrail::control::command::{List, Status};
//! use hookrail::control::{Client, Manage, Manager};
//! use hookrail::{Config, Host};
//!
//! let host = Host::new(Config::default())?;
//! let socket = std::env::temp_dir().join(format!("hookrail-doc-{}.sock", std::process::id()));
//! let control = Manager::new(&host).open_control(&socket)?;
//! control.report(|| serde_json::json!({ "served": 3 }));
//!
//! let mut client = Client::connect(&socket).unwrap();
//! assert_eq!(client.ask(Status {}).unwrap().report["served"], 3);
//! assert!(client.ask(List::new()).unwrap().is_empty());
//! # Ok::<(), hookrail::control::Error>(())
//! ```
//!
//! # Who may use it
//!
//! Who may open the socket may have native code loaded into the process. That is nobody who could
//! not do so anyway: the file has mode 0600, and a peer that is neither this user nor root is
//! refused. Do not hand the socket to others.

mod attached_store;
mod call;
mod client;
mod commands;
mod control;
mod ending;
mod error;
mod manage;
mod manager;
mod offline;
mod running;
mod server;
mod socket;
mod standard;
mod verbs;

#[doc(no_inline)]
pub use hookrail_model::{command, wire};

pub use call::Call;
pub use client::{Client, EventStream};
pub use commands::Handler;
pub use control::Control;
pub use error::{CallError, ControlError, Error};
pub use manage::Manage;
pub use manager::Manager;
pub use offline::Offline;
pub use running::{Running, running, socket_in};
pub use verbs::NotLoaded;
