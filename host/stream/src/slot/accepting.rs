//! What a plugin would accept, and what it never can.

use std::sync::Arc;

use hookrail_engine::secrets::{self, Resolved};
use hookrail_engine::{Accepted, Endpoint, Endpoints};
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::instance::plugin_of;

use super::Slot;
use super::target::{Target, name_of};

impl Slot {
    /// Has the plugin accept the endpoint, if it serves, and forgets it: to know whether it would.
    pub(crate) fn try_accept(&self, serving: &[Arc<Endpoints>]) -> Result<(), Error> {
        match self.served_by(serving)? {
            Some(endpoints) => self.accept_of(endpoints).map(drop),
            None => Ok(()),
        }
    }

    /// Finds what is wrong with its configuration for good, whatever its plugin may refuse now and accept later.
    pub(crate) fn check(&self, serving: &[Arc<Endpoints>]) -> Result<(), Error> {
        let Some(endpoints) = self.served_by(serving)? else { return Ok(()) };
        let (instance, name) = self.names(endpoints)?;
        endpoints
            .check(instance, self.way.kind(), name, &self.resolved()?)
            .map_err(|error| of_endpoint(error, &self.key))
    }

    /// Those of its plugin, if that serves. One of the program's own is accepted.
    fn served_by<'a>(&self, serving: &'a [Arc<Endpoints>]) -> Result<Option<&'a Arc<Endpoints>>, Error> {
        let Some(instance) = self.instance() else {
            return self.accept_own().map(|_| None);
        };
        let found = serving.iter().find(|endpoints| self.uses_of(endpoints));
        // Its plugin is there, so waiting for it would be in vain.
        if found.is_none() && serving.iter().any(|endpoints| endpoints.plugin() == plugin_of(instance)) {
            let why = format!("it has no {}", self.way.kind().name());
            return Err(Error::misbehaved(instance, Misbehaved::failed("accept", why)));
        }
        Ok(found)
    }

    /// Its configuration, with the secrets that are in files now.
    fn resolved(&self) -> Result<Resolved, Error> {
        Ok(secrets::resolve(&self.config, &self.key)?)
    }

    /// As [`resolved`](Self::resolved), for an endpoint that is given it.
    fn given(&self) -> Result<Resolved, Error> {
        let resolved = self.resolved()?;
        *self.secrets.lock() = resolved.fingerprint();
        Ok(resolved)
    }

    /// Whether the secrets that its endpoint was given last are others by now.
    pub(crate) fn has_other_secrets(&self) -> bool {
        let given = *self.secrets.lock();
        given.is_some() && given != secrets::fingerprint(&self.config)
    }

    pub(super) fn accept_own(&self) -> Result<Box<dyn Endpoint>, Error> {
        let config = self.given()?;
        let accepted = self.own.accept(self.way.kind(), &self.uses, &self.path, config.value());
        accepted.map_err(|error| config.hidden(error))
    }

    pub(super) fn accept_of(&self, of: &Arc<Endpoints>) -> Result<Accepted, Error> {
        let (instance, name) = self.names(of)?;
        of.accept(instance, self.way.kind(), name, &self.given()?).map_err(|error| of_endpoint(error, &self.key))
    }

    /// The instance, and the endpoint of it.
    fn names<'a>(&'a self, of: &'a Endpoints) -> Result<(&'a str, &'a str), Error> {
        let Target::Plugin { instance, name } = &self.target else { unreachable!("it is no plugin's") };
        Ok((instance, name_of(name.as_deref(), instance, self.way.kind(), of.declared())?))
    }
}

/// What is wrong with the configuration of an endpoint, which has that key.
pub(crate) fn of_endpoint(error: Error, key: &str) -> Error {
    match error {
        Error::Config(error) => error.of_endpoint(key).into(),
        error => error,
    }
}
