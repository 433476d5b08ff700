//! The store follows a host that has rolled back by itself.

use std::thread::sleep;
use std::time::Duration;

use hookrail_engine::{Fallback, Remark};
use hookrail_model::log;
use hookrail_package::PackageError;
use hookrail_store::agree;

use super::Verbs;
use crate::error::Error;

/// How long to wait before the next attempt, while another process changes the store.
const AGAIN: Duration = Duration::from_millis(50);

impl Verbs<'_> {
    /// The host has rolled back a version on probation, and the previous one serves again; the next host must start
    /// with that one. Nothing is done if something else is installed by now.
    pub(crate) fn fell_back(self, fallback: &Fallback<'_>) {
        let Fallback { plugin: name, from, to, reason } = *fallback;
        if !self.attached.is_live {
            return;
        }
        let followed = loop {
            match self.follow_back(name, from, to) {
                // The change may belong to the very verb that installed the version.
                Err(Error::PackageRejected { why: PackageError::HomeInUse { .. }, .. })
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
                self.core.table.remark(name, Remark::GivenUp(why));
            }
            Err(error) => log!(error, plugin = name, "the next host starts with {from} again: {error}"),
        }
    }

    fn follow_back(self, name: &str, from: &str, to: &str) -> Result<bool, Error> {
        let mut change = self.attached.store.change()?;
        let Ok((plugin, current, _)) = change.state().installed(name) else { return Ok(false) };
        let previous = plugin.previous.as_ref().map(ToString::to_string);
        let is_it = (&*current.to_string(), previous.as_deref()) == (from, Some(to));
        if is_it {
            change.rollback(name, agree)?;
        }
        Ok(is_it)
    }
}
