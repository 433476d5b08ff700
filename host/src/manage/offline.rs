//! The verbs where no host runs.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::Config;
use crate::control::act::{Asker, Takes, act};
use crate::control::wire::Command;
use crate::control::{ControlError, Manage};
use crate::error::Error;
use crate::host::Host;
use crate::store::Store;

/// Carries out commands on what is installed where no host runs, with the answers that a host gives.
#[derive(Debug)]
pub struct Offline {
    /// It loads nothing.
    host: Host,
}

impl Offline {
    /// On a store; hosts would have this configuration.
    pub fn new(config: Config, store: Store) -> Result<Self, Error> {
        let host = Host::new(config)?;
        host.give(store, false)?;
        Ok(Offline { host })
    }
}

impl Manage for Offline {
    type Error = Error;

    fn ask<T: DeserializeOwned>(&mut self, command: &Command) -> Result<T, Error> {
        if Takes::of(command).host {
            return Err(ControlError::NeedsHost.into());
        }
        let answer = act(&self.host.core, command, self)?;
        Ok(serde_json::from_value(answer).expect("a command answers in the form that it says"))
    }
}

impl Asker for Offline {
    fn is_gone(&self) -> bool {
        false
    }

    fn report(&self) -> Value {
        Value::Null
    }
}
