//! The socket of a host, while it is open.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::Value;

use crate::error::Error;
use crate::manager::Manager;
use crate::server::Server;
use crate::socket::Socket;

/// An open control socket. When this is dropped the socket is removed, and its connections are
/// closed; a command that is being carried out is finished, and its answer is lost.
pub struct Control {
    socket: Socket,
    server: Arc<Server>,
    accepting: Option<JoinHandle<()>>,
    /// The process that opened it: the child of a fork has neither the threads nor a say.
    process: u32,
}

impl Manager {
    /// Opens a control socket at `path`, by which [`Client`](crate::Client) and the program `hookrail` manage this
    /// host for as long as the answer lives. Where its directory is missing it is made, for this user alone.
    ///
    /// The socket is for this user alone, and for root: who may open it may have native code loaded
    /// into this process. A socket that a dead process left behind is replaced; one that somebody
    /// listens on is an error.
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
    /// What the program says of itself from now on, in the answer of [`Status`](hookrail_model::command::Status). Called on
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
