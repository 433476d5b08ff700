//! What one generation of a plugin hands to the next: requested from its instances, limited in size, and given to the
//! new instances.

use hookrail_abi::boundary::{self, Registrar, SavedState, StateTable};
use hookrail_model::error::{Error, Incompatible, Misbehaved};

use super::{Instance, Loaded, States};

const NO_TABLE: &str = "it has no table `state/1`";

/// A function of the `state/1` table that hands over.
type Save = unsafe extern "C" fn(*mut boundary::Instance, *mut SavedState) -> u32;

impl Loaded {
    /// What each started instance hands to the next generation. Their callbacks keep running.
    pub(crate) fn save(&self, limit: usize) -> Result<States, Error> {
        let mut states = States::new();
        let Some(table) = self.state_table() else { return Ok(states) };
        for instance in self.instances.iter().filter(|instance| instance.started) {
            if let Some(state) = self.ask(instance, "save", table.save, limit)? {
                states.insert(instance.name.to_string(), state);
            }
        }
        Ok(states)
    }

    /// What changed in an instance since it saved. None of its callbacks runs any more.
    pub(crate) fn save_changes(&self, instance: &str, limit: usize) -> Result<Option<SavedState>, Error> {
        match (self.state_table(), self.started(instance)) {
            (Some(table), Some(instance)) => self.ask(instance, "save_changes", table.save_changes, limit),
            _ => Ok(None),
        }
    }

    /// Hands the previous generation's last changes to a started instance, whose callbacks keep running.
    pub(crate) fn apply_changes(&self, instance: &str, rest: &SavedState) -> Result<(), Error> {
        let refused = |said| failed("apply_changes", instance, said);
        let table = self.state_table().ok_or_else(|| refused(NO_TABLE))?;
        let started = self.started(instance).ok_or_else(|| refused("the instance is not started"))?;
        // SAFETY: by its invariant the instance's state is valid; the rest is only read.
        self.call("apply_changes", instance, || unsafe { (table.apply_changes)(started.state, rest) })
    }

    /// Starts an instance with a state, in place of the entry's `start`.
    ///
    /// # Safety
    /// `registrar` is a `Startup`, as the host's `register` expects it, and nobody else uses it during the call.
    pub(super) unsafe fn restore(
        &self,
        instance: &Instance,
        registrar: *mut Registrar,
        state: &SavedState,
    ) -> Result<(), Error> {
        let restored = match self.state_table() {
            Some(table) => {
                // SAFETY: by its invariant the instance's state is valid; the saved state is only read, and the
                // registrar is a `Startup` that nobody else uses during the call.
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

    fn ask(
        &self,
        instance: &Instance,
        call: &'static str,
        save: Save,
        limit: usize,
    ) -> Result<Option<SavedState>, Error> {
        let mut state = SavedState::none();
        // SAFETY: by its invariant the instance's state is valid; ours is exclusive.
        self.call(call, &instance.name, || unsafe { save(instance.state, &mut state) })?;
        let bytes = state.bytes.len() + state.schema.len();
        if bytes > limit {
            let why = Misbehaved::state_too_long(call, bytes, limit);
            return Err(Error::misbehaved(instance.name.to_string(), why));
        }
        Ok((!state.schema.is_empty()).then_some(state))
    }

    fn started(&self, name: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.started && &*instance.name == name)
    }

    fn state_table(&self) -> Option<StateTable> {
        self.library.table()
    }
}

fn failed(call: &'static str, instance: &str, said: &str) -> Error {
    Error::misbehaved(instance, Misbehaved::failed(call, said))
}
