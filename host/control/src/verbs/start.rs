//! Loading enabled plugins.

use std::sync::mpsc::channel;
use std::thread;

use hookrail_engine::Remark;
use hookrail_image::SealedCopy;
use hookrail_store::{Enabled, LoadSpec};

use super::Verbs;
use crate::error::Error;

/// An enabled plugin that was not loaded, or one that the program had loaded before, and to which what the store says of
/// its callbacks does not apply.
#[derive(Debug)]
#[non_exhaustive]
pub struct NotLoaded {
    /// Its name.
    pub plugin: String,
    /// Why.
    pub error: Error,
}

/// What a host loads: the library, verified and in memory.
pub(super) struct Opened {
    pub(super) spec: LoadSpec,
    pub(super) copy: SealedCopy,
}

impl Opened {
    pub(super) fn of(spec: LoadSpec) -> Result<Self, Error> {
        Ok(Opened { copy: spec.library.verified()?, spec })
    }
}

impl Verbs<'_> {
    /// Loads all plugins that are enabled and not loaded.
    pub(crate) fn load_enabled(self) -> Result<Vec<NotLoaded>, Error> {
        let mut failed = self.override_loaded()?;
        let enabled = self.attached.store.enabled()?;
        thread::scope(|scope| {
            // The next plugins are verified while one is being loaded. The queue need not be bounded: the copies stay
            // in memory once loaded anyway.
            let (send, verified) = channel();
            scope.spawn(move || {
                for Enabled { name, spec, .. } in enabled {
                    if send.send((name, spec.map_err(Error::from).and_then(Opened::of))).is_err() {
                        return;
                    }
                }
            });
            for (plugin, opened) in verified {
                if self.core.table.plugin(&plugin).is_some() {
                    continue;
                }
                if let Err(error) = opened.and_then(|opened| self.load(opened)) {
                    self.core.table.remark(&plugin, Remark::NotLoaded(error.to_string()));
                    failed.push(NotLoaded { plugin, error });
                }
            }
        });
        Ok(failed)
    }

    pub(super) fn load(self, Opened { spec, copy }: Opened) -> Result<(), Error> {
        // SAFETY: only live stores get here; they come by `Manager::open_store`, whose caller trusts what is installed.
        unsafe { self.core.load(copy, self.wishes(&spec))? };
        Ok(())
    }
}
