//! The configuration of an instance, which it may write itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::boundary::{CONFIG_ANY_REVISION, CONFIG_CHANGED, CONFIG_REFUSED};
use crate::error::Result;
use crate::host::StoredConfig;

/// A configuration with its revision, and whether another one fits the plugin.
#[derive(Debug)]
pub(super) struct Kept {
    now: Mutex<StoredConfig>,
    fits: fn(&str) -> Result<()>,
}

impl Kept {
    pub(super) fn new(json: &str, fits: fn(&str) -> Result<()>) -> Self {
        Kept { now: Mutex::new(StoredConfig { json: json.into(), revision: 0 }), fits }
    }

    pub(super) fn now(&self) -> MutexGuard<'_, StoredConfig> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody else has set it.
    pub(super) fn set(&self, json: &str) {
        let mut now = self.now();
        (now.json, now.revision) = (json.into(), now.revision + 1);
    }

    /// Takes what the plugin has written, and returns its revision; or the answer, and why it is refused.
    pub(super) fn write(&self, json: &str, if_revision: u64) -> Result<u64, (u32, String)> {
        (self.fits)(json).map_err(|error| (CONFIG_REFUSED, error.to_string()))?;
        let mut now = self.now();
        if if_revision != CONFIG_ANY_REVISION && if_revision != now.revision {
            let why = format!("its configuration has revision {} by now, not {if_revision}", now.revision);
            return Err((CONFIG_CHANGED, why));
        }
        *now = StoredConfig { json: json.into(), revision: now.revision + 1 };
        Ok(now.revision)
    }
}

#[cfg(test)]
mod tests {
    use crate::host::NotWritten;
    use crate::prelude::*;
    use crate::testing;

    struct Writes(Instance);

    #[config]
    struct Config {
        /// What it is called.
        #[serde(default)]
        name: String,
    }

    impl Plugin for Writes {
        type Config = Config;
        const HOOKS: Hooks<Self> = hooks![MessagePublish, "write" => |it: &Writes, message: &mut Message| {
            let said = match it.0.write_config(&String::from_utf8_lossy(&message.body), Some(message.flags)) {
                Ok(revision) => revision.to_string(),
                Err(why) => format!("{why:?}"),
            };
            message.set_header("said", &said);
        }, priority = 10, effects = external];

        fn start(host: &Startup, config: Config) -> Result<Self> {
            drop(config.name);
            Ok(Writes(host.instance()))
        }

        fn reload(&self, _: Config) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_plugin_writes_its_configuration_under_the_revision_that_it_knows() {
        let plugin = testing::start::<Writes>("{}").unwrap();
        let write = |json: &str, revision| {
            let mut message = Message::new("a", json);
            message.flags = revision;
            plugin.call(MessagePublish, "write", &mut message);
            message.header("said").unwrap().to_owned()
        };
        assert_eq!(write(r#"{ "name": "ada" }"#, 0), "1");
        plugin.reload(r#"{ "name": "bea" }"#).unwrap();
        let changed = NotWritten::Changed("its configuration has revision 2 by now, not 1".into());
        assert_eq!(write("{}", 1), format!("{changed:?}"));
        assert!(write(r#"{ "nam": "x" }"#, 2).contains("unknown field `nam`"));
        let stored = plugin.stored_config();
        assert_eq!((&*stored.json, stored.revision), (r#"{ "name": "bea" }"#, 2));
    }
}
