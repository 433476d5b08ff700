//! Executing commands where no host runs.

use hookrail_engine::{Config, Host};
use hookrail_model::command::Command;
use hookrail_store::Store;

use crate::attached_store::AttachedStore;
use crate::error::{ControlError, Error};
use crate::manage::Manage;
use crate::manager::Manager;

/// Executes commands on the store where no host runs, with the same answers that a host returns.
#[derive(Debug)]
pub struct Offline {
    manager: Manager,
    /// It loads nothing; the manager executes its commands on it.
    _host: Host,
}

impl Offline {
    /// Executes commands on this store; `config` is the configuration that a host would have.
    ///
    /// # Errors
    /// If the configuration contradicts itself, or the store cannot be attached.
    pub fn new(config: Config, store: Store) -> Result<Self, Error> {
        let host = Host::new(config)?;
        let manager = Manager::over(&host);
        manager.attach(AttachedStore { store, is_live: false, is_kept: true })?;
        Ok(Offline { manager, _host: host })
    }
}

impl Manage for Offline {
    type Error = Error;

    fn ask<C: Command>(&mut self, command: C) -> Result<C::Answer, Error> {
        if C::REQUIRES.host {
            // This includes all that load a library by its file, as `Manager::over` requires.
            return Err(ControlError::NeedsHost.into());
        }
        self.manager.ask(command)
    }
}
