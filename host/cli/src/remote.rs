//! Selecting a host: a running one, or the store if none runs.

use hookrail::control::command::Command;
use hookrail::control::{CallError, Client, Manage, Offline, Running, running};

use crate::args::Selection;
use crate::error::Error;
use crate::{plugins, settings};

/// Executes a command on the store: through the selected host, or without a host if none was named and none that loads
/// from the store runs. Also returns whether a host executed it.
pub(crate) fn ask<C: Command>(selection: &Selection, command: C) -> Result<(C::Answer, bool), Error> {
    /// The code of [`hookrail::ApiMisuse::NoStore`] when it crosses a socket.
    const NO_STORE: &str = "HR0112";
    match connect(selection) {
        Ok(mut client) => match client.ask(command.clone()) {
            Err(CallError::Refused(problem)) if problem.code == NO_STORE && selection.is_empty() => {}
            answer => return Ok((answer?, true)),
        },
        Err(Error::NoneRuns(_)) => {}
        Err(error) => return Err(error),
    }
    let config = settings::read()?.config;
    let store = plugins::store(&config)?;
    Ok((Offline::new(config, store)?.ask(command)?, false))
}

/// A connection to the selected host: the named one, else the only running one.
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

/// The running hosts that this user can see.
pub(crate) fn all() -> Result<Vec<Running>, Error> {
    let home = settings::home()?;
    running(&home).map_err(|cause| Error::system(format!("look for running hosts in {}", home.display()), cause))
}
