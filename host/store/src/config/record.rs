//! `config/NAME/config.json`: the current configuration and earlier ones, in one file, so that a crash leaves both or
//! neither.

use std::io;

use hookrail_model::installed::{FormerConfig, Origin};
use hookrail_package::{Locked, format, now};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::error::{Error, StoreError, failed};
use crate::store::Store;
use crate::unpack::{make, sync};

/// The format that this host writes, and the only one it reads.
const FORMAT: u32 = 1;

/// How many earlier configurations are kept.
const KEPT: usize = 10;

/// How many of them may be the plugin's own: what it writes never displaces all that the operator has set.
const OF_PLUGIN: usize = 5;

/// The configurations that an operator has set for a plugin, and that it has written itself.
///
/// # Invariants
/// The revisions decrease, from the current one at the front to the oldest that is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    format: u32,
    #[serde(deserialize_with = "settings")]
    settings: Vec<FormerConfig>,
}

/// A [`FormerConfig`] that allows no other fields: answers may grow, but a file states what this host knows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    revision: u64,
    since: String,
    #[serde(default = "operator")]
    origin: Origin,
    value: Value,
}

fn operator() -> Origin {
    Origin::Operator
}

fn settings<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<FormerConfig>, D::Error> {
    let setting = |Setting { revision, since, origin, value }| {
        let mut setting = FormerConfig::new(revision, since, value);
        setting.origin = origin;
        setting
    };
    Vec::deserialize(from).map(|settings| settings.into_iter().map(setting).collect())
}

impl Record {
    pub(crate) fn read(store: &Store, name: &str) -> Result<Self, Error> {
        // A file is only as safe as the directories that contain it.
        for directory in [store.configs(), store.config(name)] {
            match directory.symlink_metadata() {
                Ok(_) => store.home().check(&directory)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Record { format: FORMAT, settings: Vec::new() });
                }
                Err(source) => return Err(failed("look at", &directory)(source)),
            }
        }
        let Some(bytes) = store.home().read(&file(name))? else {
            return Ok(Record { format: FORMAT, settings: Vec::new() });
        };
        // INVARIANT: it has been checked.
        format::parse::<Record>(&bytes, FORMAT).and_then(|record| record.check().map(|()| record)).map_err(|why| {
            let plugin = store.home().path().join(file(name)).display().to_string();
            Error::Store { plugin, why: StoreError::DamagedConfig(why) }
        })
    }

    /// Writes it as the record of a plugin, and syncs it.
    pub(crate) fn write(&self, store: &Store, name: &str, home: &Locked<'_>) -> Result<(), Error> {
        let (configs, directory) = (store.configs(), store.config(name));
        for directory in [&configs, &directory] {
            if !directory.exists() {
                // It may contain passwords.
                make(directory, 0o700)?;
            }
        }
        // Before the file, so that it is never visible and still unsynced.
        sync(store.home().path())?;
        sync(&configs)?;
        let mut json = serde_json::to_vec_pretty(self).expect("nothing of it can fail to be JSON");
        json.push(b'\n');
        Ok(home.write(&file(name), &json)?)
    }

    pub(crate) fn current(&self) -> Option<&FormerConfig> {
        self.settings.first()
    }

    pub(crate) fn into_current(self) -> Option<FormerConfig> {
        self.settings.into_iter().next()
    }

    pub(crate) fn into_former(self) -> Vec<FormerConfig> {
        self.settings.into_iter().skip(1).collect()
    }

    /// The record with `value` as the current configuration, which the operator or the plugin sets.
    pub(crate) fn followed_by(mut self, value: Value, origin: Origin) -> Self {
        // INVARIANT: it is greater than all existing ones.
        let revision = self.current().map_or(0, |current| current.revision) + 1;
        let mut setting = FormerConfig::new(revision, now(), value);
        setting.origin = origin;
        self.settings.insert(0, setting);
        let is_own = |setting: &FormerConfig| setting.origin == Origin::Plugin;
        while self.settings.len() > 1 + KEPT {
            let former = &self.settings[1..];
            let own = former.iter().filter(|setting| is_own(setting)).count();
            let oldest_own = former.iter().rposition(is_own).filter(|_| own > OF_PLUGIN);
            self.settings.remove(1 + oldest_own.unwrap_or(KEPT));
        }
        self
    }

    /// Checks what the types do not express.
    fn check(&self) -> Result<(), String> {
        match self.settings.windows(2).find(|pair| pair[0].revision <= pair[1].revision) {
            Some(pair) => Err(format!("revision {} stands before {}", pair[0].revision, pair[1].revision)),
            None if self.settings.iter().any(|it| !matches!(it.origin, Origin::Operator | Origin::Plugin)) => {
                Err("a configuration in it was set by neither the operator nor the plugin".into())
            }
            None if self.settings.first().is_none_or(|current| current.revision == u64::MAX) => {
                Err("it has no current revision, or one that none can follow".into())
            }
            None => Ok(()),
        }
    }
}

/// The name of the file, relative to the home.
fn file(name: &str) -> String {
    format!("config/{name}/config.json")
}
