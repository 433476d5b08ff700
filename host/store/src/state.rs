//! `state.json`: the one file that says what is installed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use hookrail_model::config::CallbackOverride;
use hookrail_model::installed::{Allowance, TrustSource};
use hookrail_model::isolation::Isolation;
use hookrail_model::package::{Digest, KeyId, check_name};
use hookrail_package::{Home, Locked, format};
use semver::Version;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, StoreError, refused};

/// The file's name in the home.
const FILE: &str = "state.json";

/// The format that this host writes, and the only one it reads.
const FORMAT: u32 = 1;

/// The longest lifetime of an allowance.
pub const MAX_ALLOWANCE: Duration = Duration::from_secs(24 * 60 * 60);

/// What is installed, and the operator's settings.
///
/// # Invariants
/// Names are valid for packages, and so for directories. The current version of a plugin is one of the installed ones;
/// so is the previous one, which differs from it. If there is no current version, none is installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    format: u32,
    /// By name; includes uninstalled plugins, whose names keep their owners.
    pub(super) plugins: BTreeMap<String, InstalledPlugin>,
    /// By name; includes prebuilt plugins.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, PluginSettings>,
    #[serde(default, deserialize_with = "allowances")]
    pub(super) allowances: Vec<Allowance>,
}

/// An [`Allowance`] that allows no other fields: answers may grow, but a file states what this host knows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowed {
    plugin: String,
    version: Version,
    sha256: Digest,
    until: String,
}

fn allowances<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Allowance>, D::Error> {
    let allowance = |Allowed { plugin, version, sha256, until }| Allowance::new(plugin, version, sha256, until);
    Vec::deserialize(from).map(|allowed| allowed.into_iter().map(allowance).collect())
}

/// The operator's settings for a plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PluginSettings {
    /// Whether hosts load it.
    pub enabled: bool,
    /// The overrides of its callbacks; a host's configuration takes precedence over them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<CallbackOverride>,
    /// In which process hosts run it, if an operator has decided that; a host's configuration takes precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
}

/// A plugin that is or was installed from a package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InstalledPlugin {
    /// The version that hosts load.
    pub current: Option<Version>,
    /// The version that was current before it, for a rollback.
    pub previous: Option<Version>,
    /// The key that first installed the name, and therefore owns it.
    pub owner: Option<KeyId>,
    /// The newest version ever installed.
    pub newest: Version,
    /// The versions in the store.
    pub versions: BTreeMap<Version, InstalledVersion>,
}

/// An installed version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InstalledVersion {
    /// The SHA-256 of the package it came from.
    pub package: Digest,
    /// The SHA-256 of its `package.json`, which contains those of all its files.
    pub metadata: Digest,
    /// What makes it trusted.
    pub trusted_by: TrustSource,
    /// When it was installed, as RFC 3339.
    pub installed_at: String,
}

impl State {
    /// All plugins ever installed, by name.
    pub fn plugins(&self) -> &BTreeMap<String, InstalledPlugin> {
        &self.plugins
    }

    /// The operator's settings for a plugin.
    pub fn settings(&self, name: &str) -> PluginSettings {
        self.settings.get(name).cloned().unwrap_or_default()
    }

    /// The enabled plugins.
    pub fn enabled(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().filter(|(_, settings)| settings.enabled).map(|(name, _)| &**name)
    }

    /// The packages that may be installed once, whoever signed them.
    pub fn allowances(&self) -> impl Iterator<Item = &Allowance> {
        self.allowances.iter().filter(|allowed| holds(allowed))
    }

    /// An installed plugin with its current version.
    ///
    /// # Errors
    /// If no plugin with that name is installed.
    pub fn installed(&self, name: &str) -> Result<(&InstalledPlugin, &Version, &InstalledVersion), Error> {
        let plugin = self.plugins.get(name);
        let current = plugin.and_then(|plugin| Some((plugin, plugin.current.as_ref()?)));
        let (plugin, version) = current.ok_or_else(|| refused(name, StoreError::NotInstalled))?;
        // By the type invariant.
        Ok((plugin, version, &plugin.versions[version]))
    }

    /// Whether a version is installed.
    pub(super) fn has(&self, name: &str, version: &str) -> bool {
        let plugin = self.plugins.get(name);
        plugin.is_some_and(|plugin| plugin.versions.keys().any(|known| known.to_string() == version))
    }

    pub(super) fn read(home: &Home) -> Result<Self, Error> {
        State::of(Self::bytes(home)?.as_deref(), home)
    }

    /// The bytes of `state.json`, if it exists: as long as they are the same, so is the state.
    pub(super) fn bytes(home: &Home) -> Result<Option<Vec<u8>>, Error> {
        Ok(home.read(FILE)?)
    }

    /// Parses the state.
    pub(super) fn of(bytes: Option<&[u8]>, home: &Home) -> Result<Self, Error> {
        let Some(bytes) = bytes else {
            return Ok(State {
                format: FORMAT,
                plugins: BTreeMap::new(),
                settings: BTreeMap::new(),
                allowances: Vec::new(),
            });
        };
        // INVARIANT: it has been checked.
        format::parse::<State>(bytes, FORMAT).and_then(|state| state.check().map(|()| state)).map_err(|why| {
            let plugin = home.path().join(FILE).display().to_string();
            Error::Store { plugin, why: StoreError::Damaged(why) }
        })
    }

    pub(super) fn write(&self, home: &Locked<'_>) -> Result<(), Error> {
        let mut json = serde_json::to_vec_pretty(self).expect("nothing of it can fail to be JSON");
        json.push(b'\n');
        Ok(home.write(FILE, &json)?)
    }

    /// Checks what the types do not express.
    fn check(&self) -> Result<(), String> {
        self.plugins.iter().try_for_each(|(name, plugin)| {
            check_name(name).map_err(|error| error.to_string())?;
            plugin.check().map_err(|why| format!("of `{name}` {why}"))
        })
    }
}

impl InstalledPlugin {
    /// A plugin of which nothing is installed yet.
    pub(super) fn new(newest: Version) -> Self {
        InstalledPlugin { current: None, previous: None, owner: None, newest, versions: BTreeMap::new() }
    }

    fn check(&self) -> Result<(), String> {
        for version in self.current.iter().chain(&self.previous) {
            if !self.versions.contains_key(version) {
                return Err(format!("version {version} is not installed"));
            }
        }
        let is_known = |by: &TrustSource| matches!(by, TrustSource::Allowed | TrustSource::Key { .. });
        if let Some((version, _)) = self.versions.iter().find(|(_, installed)| !is_known(&installed.trusted_by)) {
            return Err(format!("version {version} is trusted for a reason that this host does not know"));
        }
        match &self.current {
            Some(_) if self.current == self.previous => Err("two versions are the same".into()),
            None if !self.versions.is_empty() => Err("no version is the current one".into()),
            _ => Ok(()),
        }
    }
}

/// Whether an allowance has not expired yet. One that ends later than any that could be made now was made while the clock
/// was wrong.
pub(super) fn holds(allowance: &Allowance) -> bool {
    let now = SystemTime::now();
    let is_in_time = |until: SystemTime| until.duration_since(now).is_ok_and(|left| left <= MAX_ALLOWANCE);
    humantime::parse_rfc3339(&allowance.until).is_ok_and(is_in_time)
}
