//! The configuration of the instance, which it may write: the services `config/1` and `config/2`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Handle, Running};
use crate::boundary::{
    self, CONFIG_ANY_REVISION, CONFIG_CHANGED, CONFIG_REFUSED, ConfigService, Str, WritableConfigService,
};
use crate::host::StoredConfig;
use crate::{Configuration, Plugin, Text};

pub(super) static CONFIG: ConfigService = ConfigService { size: size_of::<ConfigService>() as u32, read };

pub(super) static WRITABLE: WritableConfigService =
    WritableConfigService { size: size_of::<WritableConfigService>() as u32, read, stored, write };

impl<P: Plugin> Running<P> {
    /// The configuration that is kept for the instance: what it was started with or given by `reload`, or has written
    /// itself since.
    pub fn stored_config(&self) -> StoredConfig {
        self.handle.config.now().clone()
    }
}

/// A configuration with its revision.
#[derive(Debug)]
pub(super) struct Kept {
    now: Mutex<StoredConfig>,
    fits: fn(&str) -> crate::Result<()>,
}

impl Kept {
    pub(super) fn new<P: Plugin>(json: &str) -> Self {
        let fits = |json: &str| P::Config::from_json(json).map(drop);
        Kept { now: Mutex::new(StoredConfig { json: json.into(), revision: 0 }), fits }
    }

    pub(super) fn set(&self, json: &str) {
        let mut now = self.now();
        (now.json, now.revision) = (json.into(), now.revision + 1);
    }

    fn now(&self) -> MutexGuard<'_, StoredConfig> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// # Safety
/// `handle` is that of an instance whose `Running` is still there; nobody else uses `out` during the call.
unsafe extern "C" fn read(handle: *const boundary::Handle, out: *mut Text) -> u32 {
    // SAFETY: the handle is ours, kept while the instance lives; the text is exclusive.
    unsafe { (*out).push_str(&(*handle.cast::<Handle>()).config.now().json) };
    0
}

/// # Safety
/// `handle` is that of an instance whose `Running` is still there; nobody else uses the others during the call.
unsafe extern "C" fn stored(handle: *const boundary::Handle, out: *mut Text, revision: *mut u64) -> u32 {
    // SAFETY: the handle is ours, kept while the instance lives; the others are exclusive.
    let (handle, out, revision) = unsafe { (&*handle.cast::<Handle>(), &mut *out, &mut *revision) };
    let now = handle.config.now();
    out.push_str(&now.json);
    *revision = now.revision;
    0
}

/// # Safety
/// As for `stored`; `json` is readable for the call.
unsafe extern "C" fn write(
    handle: *const boundary::Handle,
    json: Str,
    if_revision: u64,
    revision: *mut u64,
    why: *mut Text,
) -> u32 {
    // SAFETY: the handle is ours, kept while the instance lives; the text holds for the call, the others are exclusive.
    let (handle, json, revision, why) =
        unsafe { (&*handle.cast::<Handle>(), json.to_text(), &mut *revision, &mut *why) };
    let kept = &handle.config;
    if let Err(error) = (kept.fits)(&json) {
        why.push_str(&error.to_string());
        return CONFIG_REFUSED;
    }
    let mut now = kept.now();
    if if_revision != CONFIG_ANY_REVISION && if_revision != now.revision {
        why.push_str(&format!("its configuration has revision {} by now, not {if_revision}", now.revision));
        return CONFIG_CHANGED;
    }
    *now = StoredConfig { json: json.into_owned(), revision: now.revision + 1 };
    *revision = now.revision;
    0
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
