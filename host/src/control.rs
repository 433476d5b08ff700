//! The control channel: a Unix socket by which a running host is managed from outside.
//!
//! # The life of a control channel
//!
//! 1. [`Host::open_control`] makes the socket, for this user alone, and answers the [`Control`] that
//!    keeps it open. [`socket_in`] says where operators look for it.
//! 2. [`Control::report`] adds what the program has to say of itself to the answer of
//!    [`Command::Status`].
//! 3. Elsewhere, [`running`] finds the hosts that run, and [`Client::connect`] reaches one. [`Manage`] has a
//!    function for each command that has one answer; where no host runs, [`Offline`] has those on what is
//!    installed. [`Client::events`] has the rest.
//! 4. A [`Command`] and its answer are a line of JSON each: [`wire`].
//! 5. When the [`Control`] is dropped the socket is gone, and so are its connections. It may be
//!    dropped before its [`Host`] or behind it.
//!
//! ```
//! use hookrail::control::{Client, Manage};
//! use hookrail::{Config, Host};
//!
//! let host = Host::new(Config::default())?;
//! let socket = std::env::temp_dir().join(format!("hookrail-doc-{}.sock", std::process::id()));
//! let control = host.open_control(&socket)?;
//! control.report(|| serde_json::json!({ "served": 3 }));
//!
//! let mut client = Client::connect(&socket).unwrap();
//! assert_eq!(client.status().unwrap().report["served"], 3);
//! assert!(client.list().unwrap().is_empty());
//! # Ok::<(), hookrail::Error>(())
//! ```
//!
//! # Who may use it
//!
//! Who may open the socket may have native code loaded into the process. That is nobody who could
//! not do so anyway: the file has mode 0600, and a peer that is neither this user nor root is
//! refused. Do not hand the socket to others.

pub(crate) mod act;
mod client;
pub(crate) mod ending;
mod error;
mod running;
mod server;
mod socket;
mod verbs;
pub mod wire;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::Value;

pub use self::client::{Client, EventStream};
pub use self::ending::LONGEST_WAIT;
pub use self::error::{CallError, ControlError};
pub use self::running::{Running, running, socket_in};
use self::server::Server;
use self::socket::Socket;
pub use self::verbs::Manage;
pub use self::wire::Command;
use crate::error::Error;
use crate::host::Host;
pub use crate::manage::Offline;

/// An open control socket. When this is dropped the socket is removed, and its connections are
/// closed; a command that is being carried out is finished, and its answer is lost.
pub struct Control {
    socket: Socket,
    server: Arc<Server>,
    accepting: Option<JoinHandle<()>>,
    /// The process that opened it: the child of a fork has neither the threads nor a say.
    process: u32,
}

impl Host {
    /// Opens a control socket at `path`, by which [`control::Client`](Client) and the program
    /// `hookrail` manage this host for as long as the answer lives. Where its folder is missing it
    /// is made, for this user alone.
    ///
    /// The socket is for this user alone, and for root: who may open it may have native code loaded
    /// into this process. A socket that a dead process left behind is replaced; one that somebody
    /// listens on is an error.
    pub fn open_control(&self, path: impl AsRef<Path>) -> Result<Control, Error> {
        let socket = Socket::bind(path.as_ref())?;
        let server = Server::new(&self.core);
        let (listener, accepting) = (socket.listener()?, server.clone());
        let accepting = std::thread::Builder::new()
            .name("hookrail-control".into())
            .spawn(move || accepting.accept(&listener))
            .map_err(|source| Error::System { what: "start a thread".into(), source })?;
        Ok(Control { socket, server, accepting: Some(accepting), process: std::process::id() })
    }
}

impl Control {
    /// What the program says of itself from now on, in the answer of [`Command::Status`]. Called on
    /// a thread of the control channel for each of them, so it should not wait for anything.
    pub fn report(&self, report: impl Fn() -> Value + Send + Sync + 'static) {
        self.server.report(Box::new(report));
    }

    /// Where the socket is.
    pub fn path(&self) -> &Path {
        self.socket.path()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        self.socket.remove();
        self.server.close();
        if let Some(accepting) = self.accepting.take() {
            self.socket.wake();
            // It has nothing to say, and has not panicked.
            let _ = accepting.join();
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("path", &self.path()).finish_non_exhaustive()
    }
}
