//! Which host is meant: one that runs, or what is installed where none does.

use hookrail::control::command::Command;
use hookrail::control::{CallError, Client, Manage, Offline, Running, running};

use crate::args::Selection;
use crate::error::Error;
use crate::{plugins, settings};

/// Has a command about what is installed carried out: by the host that is meant, or without one where none
/// was named and none runs that loads what is installed. Returns whether a host did it, too.
pub(crate) fn ask<C: Command>(selection: &Selection, command: C) -> Result<(C::Answer, bool), Error> {
    /// As [`hookrail::ApiMisuse::NoStore`] crosses a socket.
    const NO_STORE: &str = "HR0112";
    match connect(selection) {
        Ok(mut client) => match client.ask(command.clone()) {
            Err(CallError::Refused(problem)) if problem.code == NO_STORE && selection.is_empty() => {}
            answer => return Ok((answer?, true)),
        },
        Err(Error::NoneRuns(_)) => {}
        Err(error) => return Err(error),
    }
    let config = settings::read(None)?;
    let store = plugins::store(&config)?;
    Ok((Offline::new(config, store)?.ask(command)?, false))
}

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
        (None, _) => Err(Error::NoneRuns(settings::home()?.join("run"))),
    }
}

/// The hosts that run, as far as this user can see.
pub(crate) fn all() -> Result<Vec<Running>, Error> {
    let home = settings::home()?;
    running(&home).map_err(|source| Error::System { what: "look for running hosts", source })
}
