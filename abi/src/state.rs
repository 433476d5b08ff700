//! What an instance hands to the next generation.

use std::fmt::Debug;
use std::ops::RangeBounds;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Bytes;
use crate::boundary::SavedState;
use crate::error::Result;

/// What an instance hands to the next generation: bytes, and what kind of state they are.
///
/// ```
/// use hookrail_abi::State;
///
/// let state = State::json("counter", 2, &[1, 2, 3]).unwrap();
/// assert_eq!(state.parse::<Vec<u32>>("counter", 1..=2).unwrap(), [1, 2, 3]);
/// let error = state.parse::<Vec<u32>>("counter", ..2).unwrap_err();
/// assert_eq!(error.to_string(), "the state is `counter` version 2; this build takes `counter` version ..2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct State {
    /// The kind of state, for example the plugin's name. Must not be empty.
    pub schema: String,
    /// The version of the schema.
    pub version: u32,
    /// The state itself, which is opaque to the host.
    pub bytes: Bytes,
}

impl State {
    /// A state with these bytes.
    pub fn new(schema: impl Into<String>, version: u32, bytes: impl Into<Bytes>) -> Self {
        State { schema: schema.into(), version, bytes: bytes.into() }
    }

    /// A state that holds `value` as JSON.
    ///
    /// # Errors
    /// If `value` cannot be serialised.
    pub fn json(schema: impl Into<String>, version: u32, value: &impl Serialize) -> Result<Self> {
        Ok(State::new(schema, version, serde_json::to_vec(value)?))
    }

    /// Parses the value of a JSON state that has this schema and one of these versions.
    ///
    /// # Errors
    /// If the state has another schema or version, or is not valid JSON for `T`.
    pub fn parse<T: DeserializeOwned>(&self, schema: &str, versions: impl RangeBounds<u32> + Debug) -> Result<T> {
        if self.schema != schema || !versions.contains(&self.version) {
            let State { schema: found, version, .. } = self;
            let takes = format!("this build takes `{schema}` version {versions:?}");
            return Err(format!("the state is `{found}` version {version}; {takes}").into());
        }
        serde_json::from_slice(&self.bytes)
            .map_err(|error| format!("the state `{schema}` version {} is damaged: {error}", self.version).into())
    }

    /// Saves it in the host's structure, field by field: that may be of another size than ours.
    ///
    /// # Safety
    /// `out` points to a saved state of any version, which nobody else uses during the call.
    pub(crate) unsafe fn save(self, out: *mut SavedState) -> Result<()> {
        if self.schema.is_empty() {
            return Err("a state needs a schema".into());
        }
        // SAFETY: by the contract it is a saved state, of which every version has these fields.
        unsafe {
            (*out).version = self.version;
            (*out).schema = self.schema.into();
            (*out).bytes = self.bytes;
        }
        Ok(())
    }

    /// Returns `None` for "there is no state".
    ///
    /// # Safety
    /// `saved` points to a saved state of any version, which nobody changes during the call.
    pub(crate) unsafe fn of_saved(saved: *const SavedState) -> Option<Self> {
        // SAFETY: by the contract it is a saved state, of which every version has these fields.
        let (version, schema, bytes) = unsafe { ((*saved).version, &(*saved).schema, &(*saved).bytes) };
        (!schema.is_empty()).then(|| State { schema: schema.to_string(), version, bytes: bytes.clone() })
    }
}
