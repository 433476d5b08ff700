//! Packages that are dropped into the home while a run goes on.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, Scope};
use std::time::Duration;

use hookrail::control::command::ImportIncoming;
use hookrail::control::{self, Manager};

use crate::error::Error;
use crate::plugin::text;
use crate::stderr;

/// How often the directory is looked at. Not by a watch of the system, of which a user has only so many: a run
/// may be one of a thousand in a script.
const REGULARLY: Duration = Duration::from_secs(1);

/// Ends the looking when it is dropped.
pub(super) struct Ender {
    _sender: Sender<()>,
}

/// Looks now, and on a thread of its own from then on, until what this answers is dropped.
pub(super) fn begin<'scope>(scope: &'scope Scope<'scope, '_>, manager: &'scope Manager) -> Result<Ender, Error> {
    let (sender, ended) = channel();
    let mut failed = None;
    let mut look = move || {
        // Once for each reason: it will be the same in a second.
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
    spawned.map_err(|source| Error::System { what: "start a thread", source })?;
    Ok(Ender { _sender: sender })
}

fn import_incoming(manager: &Manager) -> Result<(), control::Error> {
    manager.ask(ImportIncoming {})?.iter().for_each(|taken| stderr::line(text::taken(taken)));
    Ok(())
}
