//! The commands where no host runs.

use hookrail_engine::{Config, Host};
use hookrail_model::command::Command;
use hookrail_store::Store;

use crate::error::{ControlError, Error};
use crate::manage::Manage;
use crate::manager::Manager;

/// Carries out commands on what is installed where no host runs, with the answers that a host gives.
#[derive(Debug)]
pub struct Offline {
    manager: Manager,
    /// It loads nothing; the manager's commands are carried out on it.
    _host: Host,
}

impl Offline {
    /// On a store; hosts would have this configuration.
    pub fn new(config: Config, store: Store) -> Result<Self, Error> {
        let host = Host::new(config)?;
        let manager = Manager::new(&host);
        manager.attach(store, false)?;
        Ok(Offline { manager, _host: host })
    }
}

impl Manage for Offline {
    type Error = Error;

    fn ask<C: Command>(&mut self, command: C) -> Result<C::Answer, Error> {
        if C::REQUIRES.host {
            return Err(ControlError::NeedsHost.into());
        }
        self.manager.ask(command)
    }
}
