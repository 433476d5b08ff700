//! The configuration of an instance, which it may write itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hookrail_abi::Text;
use hookrail_abi::boundary::{CONFIG_ANY_REVISION, CONFIG_CHANGED, CONFIG_REFUSED};

/// A configuration, and how often it was written.
#[derive(Default)]
pub(super) struct Config(Mutex<(String, u64)>);

impl Config {
    /// An instance begins with that one.
    pub(super) fn begin(&self, json: &str) {
        *self.now() = (json.into(), 0);
    }

    /// Appends it to `out`, and returns its revision.
    pub(super) fn read(&self, out: &mut Text) -> u64 {
        let now = self.now();
        out.push_str(&now.0);
        now.1
    }

    /// Takes what the plugin has written; returns its revision, or the answer and why it is refused.
    pub(super) fn write(&self, json: String, if_revision: u64) -> Result<u64, (u32, &'static str)> {
        if serde_json::from_str::<serde_json::Value>(&json).is_err() {
            return Err((CONFIG_REFUSED, "the configuration is not JSON"));
        }
        let mut now = self.now();
        if if_revision != CONFIG_ANY_REVISION && if_revision != now.1 {
            return Err((CONFIG_CHANGED, "its configuration has another revision by now"));
        }
        *now = (json, now.1 + 1);
        Ok(now.1)
    }

    fn now(&self) -> MutexGuard<'_, (String, u64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
