//! Which running host is meant.

use hookrail::control::{Client, Running, running};

use crate::args::{Selection, Setup};
use crate::error::Error;
use crate::plugins;

/// A connection to the host that is meant: the one that is named, else the only one that runs.
pub(crate) fn connect(selection: &Selection) -> Result<Client, Error> {
    if let Some(socket) = &selection.control {
        return Ok(Client::connect(socket)?);
    }
    let mut running = all()?;
    if let Some(pid) = selection.pid {
        let found = running.iter().find(|host| host.pid == pid).map(|host| host.socket.clone());
        return Ok(Client::connect(found.ok_or(Error::NotRunning { pid, running })?)?);
    }
    match (running.pop(), running.is_empty()) {
        (Some(only), true) => Ok(Client::connect(only.socket)?),
        (Some(last), false) => {
            running.push(last);
            Err(Error::SeveralRun(running))
        }
        (None, _) => Err(Error::NoneRuns(plugins::config(&Setup::default())?.home().join("run"))),
    }
}

/// The hosts that run, as far as this user can see.
pub(crate) fn all() -> Result<Vec<Running>, Error> {
    let home = plugins::config(&Setup::default())?.home();
    running(&home).map_err(|source| Error::System { what: "look for running hosts", source })
}

/// A running host, for people: its process and what it was started with.
pub(crate) fn describe(host: &Running) -> String {
    let arguments = std::fs::read(format!("/proc/{}/cmdline", host.pid)).unwrap_or_default();
    let arguments: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    // Whatever it was started with: nothing of it may steer the terminal.
    format!("{}  {}", host.pid, arguments.join(" ").trim_end().escape_debug())
}
