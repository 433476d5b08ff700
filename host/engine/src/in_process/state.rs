//! What one generation of a plugin hands to the next: requested from its instances, limited in size, and given to the
//! new instances.

use hookrail_abi::boundary::{Registrar, SavedState, StateTable};
use hookrail_model::error::{Error, Incompatible, Misbehaved};

use super::{InProcess, Instance};
use crate::body::{Body, Saved};

const NO_TABLE: &str = "it has no table `state/1`";

impl InProcess {
    /// Asks a started instance to hand over; `None` if it hands over nothing, or is not started.
    pub(super) fn hand_over(&self, instance: &str, what: Saved, limit: usize) -> Result<Option<SavedState>, Error> {
        let (Some(table), Some(instance)) = (self.state_table(), self.started(instance)) else { return Ok(None) };
        let save = match what {
            Saved::Changes => table.save_changes,
            Saved::State => table.save,
        };
        let mut state = SavedState::none();
        // SAFETY: by its invariant the instance's state is valid; ours is exclusive.
        self.call(what.call(), &instance.name, || unsafe { save(instance.state, &mut state) })?;
        let bytes = state.bytes.len() + state.schema.len();
        if bytes > limit {
            let why = Misbehaved::state_too_long(what.call(), bytes, limit);
            return Err(Error::misbehaved(instance.name.to_string(), why));
        }
        Ok((!state.schema.is_empty()).then_some(state))
    }

    /// Hands the previous generation's last changes to a started instance.
    pub(super) fn take_changes(&self, instance: &str, changes: &SavedState) -> Result<(), Error> {
        let refused = |said| failed("apply_changes", instance, said);
        let table = self.state_table().ok_or_else(|| refused(NO_TABLE))?;
        let started = self.started(instance).ok_or_else(|| refused("the instance is not started"))?;
        // SAFETY: by its invariant the instance's state is valid; the changes are only read.
        self.call("apply_changes", instance, || unsafe { (table.apply_changes)(started.state, changes) })
    }

    /// Starts an instance with a state, in place of the entry's `start`.
    ///
    /// # Safety
    /// `registrar` is what the host's `register` expects, and nobody else uses it during the call.
    pub(super) unsafe fn restore(
        &self,
        instance: &Instance,
        registrar: *mut Registrar,
        state: &SavedState,
    ) -> Result<(), Error> {
        let restored = match self.state_table() {
            Some(table) => {
                // SAFETY: by its invariant the instance's state is valid; the saved state is only read, and the
                // registrar is what `register` expects, which nobody else uses during the call.
                self.call("restore", &instance.name, || unsafe { (table.restore)(instance.state, registrar, state) })
            }
            None => Err(failed("restore", &instance.name, NO_TABLE)),
        };
        restored.map_err(|error| match error {
            Error::PluginMisbehaved { why: Misbehaved::Failed { message: said, .. }, .. } => Error::incompatible(
                self.note().name.clone(),
                Incompatible::state(instance.name.to_string(), state.schema.as_str(), state.version, said),
            ),
            other => other,
        })
    }

    pub(super) fn started(&self, name: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.started && &*instance.name == name)
    }

    fn state_table(&self) -> Option<StateTable> {
        self.library.table()
    }
}

fn failed(call: &'static str, instance: &str, said: &str) -> Error {
    Error::misbehaved(instance, Misbehaved::failed(call, said))
}
