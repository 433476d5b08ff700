//! The control socket of a host, while it is open.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::Value;

use crate::error::Error;
use crate::manager::Manager;
use crate::server::Server;
use crate::socket::Socket;

/// An open control socket. Dropping it removes the socket and closes its connections; a command in execution is
/// completed, and its answer is lost.
#[must_use = "dropping it closes the socket"]
pub struct Control {
    socket: Socket,
    server: Arc<Server>,
    accepting: Option<JoinHandle<()>>,
    /// The process that opened it. The child of a fork has none of its threads, and must leave the socket alone.
    process: u32,
}

impl Manager {
    /// Opens a control socket at `path`, through which [`Client`](crate::Client) and the program `hookrail` manage this
    /// host for as long as the returned [`Control`] lives. If its directory does not exist it is created, for this user
    /// alone.
    ///
    /// The socket is open to this user and root only: a peer that can open it can have native code loaded into this
    /// process. A socket left by a dead process is replaced; one with a live listener is an error.
    ///
    /// # Errors
    /// If `path` is too long, another process listens there, or the system refuses.
    pub fn open_control(&self, path: impl AsRef<Path>) -> Result<Control, Error> {
        let socket = Socket::bind(path.as_ref())?;
        let server = Server::new(self.clone());
        let (listener, accepting) = (socket.listener()?, server.clone());
        let accepting = std::thread::Builder::new()
            .name("hookrail-control".into())
            .spawn(move || accepting.accept(&listener))
            .map_err(|source| Error::system("start a thread".into(), source))?;
        Ok(Control { socket, server, accepting: Some(accepting), process: std::process::id() })
    }
}

impl Control {
    /// Sets the program's own report, which becomes part of the answer of [`Status`](hookrail_model::command::Status).
    /// `report` is called for each such command, on a thread of the control channel, so it should not block.
    pub fn report(&self, report: impl Fn() -> Value + Send + Sync + 'static) {
        self.server.report(Box::new(report));
    }

    /// The path of the socket.
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
            // The thread returns nothing, and has not panicked.
            let _ = accepting.join();
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("path", &self.path()).finish_non_exhaustive()
    }
}
