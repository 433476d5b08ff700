//! Packages that are dropped into the home during a run.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, Scope};
use std::time::Duration;

use hookrail::control::command::ImportIncoming;
use hookrail::control::{self, Manager};

use crate::error::Error;
use crate::plugin::text;
use crate::stderr;

/// How often the directory is checked. File watches are not used, since they are limited per user, and a run may be one
/// of a thousand in a script.
const REGULARLY: Duration = Duration::from_secs(1);

/// Ends the checking when it is dropped.
pub(super) struct Ender {
    _sender: Sender<()>,
}

/// Checks now, and from then on regularly on its own thread, until the returned value is dropped.
pub(super) fn begin<'scope>(scope: &'scope Scope<'scope, '_>, manager: &'scope Manager) -> Result<Ender, Error> {
    let (sender, ended) = channel();
    let mut failed = None;
    let mut look = move || {
        // Each reason is reported once: it will be the same in a second.
        let before = std::mem::replace(&mut failed, import_incoming(manager).err().map(|error| error.to_string()));
        if let Some(error) = failed.as_ref().filter(|_| failed != before) {
            tracing::error!("packages that are dropped in cannot be installed: {error}");
        }
    };
    look();
    let looking = move || {
        while ended.recv_timeout(REGULARLY) == Err(RecvTimeoutError::Timeout) {
            look();
        }
    };
    let spawned = thread::Builder::new().name("incoming".into()).spawn_scoped(scope, looking);
    spawned.map_err(|cause| Error::system("start a thread", cause))?;
    Ok(Ender { _sender: sender })
}

fn import_incoming(manager: &Manager) -> Result<(), control::Error> {
    // What waits is looked at again in a second.
    let taken = manager.ask(ImportIncoming::new())?.into_iter().filter(|taken| !taken.waiting);
    taken.for_each(|taken| stderr::line(text::taken(&taken)));
    Ok(())
}
