//! What is installed follows a host that went back by itself.

use std::thread::sleep;
use std::time::Duration;

use super::Manager;
use crate::error::Error;
use crate::package::Rejected;

/// How long to wait before the next try, where somebody else changes what is installed.
const AGAIN: Duration = Duration::from_millis(50);

impl Manager<'_> {
    /// The host has given up a version on probation, and the one before it serves again: the next host
    /// begins with that. Nothing is done where something else is installed by now.
    pub(crate) fn went_back(self, name: &str, from: &str, to: &str, reason: &str) {
        if !self.stock.is_live {
            return;
        }
        let followed = loop {
            match self.follow_back(name, from, to) {
                // It may be the very verb that brought the version.
                Err(Error::PackageRejected { why: Rejected::HomeInUse { .. }, .. })
                    if !self.core.table.is_closing() =>
                {
                    sleep(AGAIN);
                }
                followed => break followed,
            }
        };
        match followed {
            Ok(false) => {}
            Ok(true) => {
                let why = format!("{from} was rolled back: {reason}; `hookrail plugin rollback {name}` tries it again");
                self.stock.given_up.lock().insert(name.into(), why);
            }
            Err(error) => log!(error, plugin = name, "the next host begins with {from} again: {error}"),
        }
    }

    fn follow_back(self, name: &str, from: &str, to: &str) -> Result<bool, Error> {
        let mut change = self.stock.store.change()?;
        let Ok((plugin, current, _)) = change.state().installed(name) else { return Ok(false) };
        let previous = plugin.previous.as_ref().map(ToString::to_string);
        let is_it = (&*current.to_string(), previous.as_deref()) == (from, Some(to));
        if is_it {
            change.rollback(name, |_| Ok(()))?;
        }
        Ok(is_it)
    }
}
