//! The store keeps the configurations that plugins write themselves, as it keeps those that the operator sets.

use std::sync::Arc;

use hookrail_engine::{Keeper, NotWritten};
use hookrail_model::installed::{Configured, Origin};
use hookrail_store::StoreError;
use serde_json::Value;

use crate::error::Error;
use crate::verbs::Verbs;

/// Lends the verbs of a managed host, while there is one.
pub(crate) trait Managed: Send + Sync {
    /// Calls `run` with them; `None` if the host is gone.
    fn with_verbs<R>(&self, run: impl FnOnce(Verbs<'_>) -> R) -> Option<R>;
}

/// Keeps configurations in the store of a managed host.
pub(crate) struct StoreKeeper<M>(pub(crate) Arc<M>);

impl<M: Managed> Keeper for StoreKeeper<M> {
    fn stored(&self, plugin: &str) -> Result<Option<(Value, u64)>, NotWritten> {
        let stored = self.0.with_verbs(|verbs| verbs.config(plugin));
        match stored.ok_or_else(gone)? {
            Err(Error::Store { why: StoreError::NotInstalled, .. }) => Ok(None),
            Err(error) => Err(not_written(error)),
            // The host's own configuration, of which there may be several instances.
            Ok(Configured { origin: Origin::Host, .. }) => Ok(None),
            Ok(Configured { value, revision, .. }) => Ok(Some((value, revision))),
        }
    }

    fn write(&self, plugin: &str, config: &Value, if_revision: Option<u64>) -> Result<Option<u64>, NotWritten> {
        let kept = self.0.with_verbs(|verbs| verbs.keep_own(plugin, config, if_revision));
        kept.ok_or_else(gone)?.map_err(not_written)
    }
}

fn not_written(error: Error) -> NotWritten {
    let why = NotWritten::of(error.code(), error.is_retryable(), &error.to_string());
    match (why, &error) {
        (NotWritten::Refused(why), Error::Store { why: StoreError::ConfigChanged { .. }, .. }) => {
            NotWritten::Changed(why)
        }
        (why, _) => why,
    }
}

fn gone() -> NotWritten {
    NotWritten::Refused("the host is ending".into())
}
