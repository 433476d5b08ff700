//! What is installed, for people and programs.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::Store;
use super::examine::examine;
use super::library::prebuilt;
use super::state::{Installed, Kind, State, Voucher};
use crate::error::Error;
use crate::package::{Rejected, Trust};

/// How closely what is installed is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// All files are held against their digests.
    Files,
    /// The metadata alone: of a thousand plugins in no time.
    Metadata,
}

/// A plugin that is installed, or came with the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The version that hosts load.
    pub version: Version,
    /// Where it comes from.
    pub kind: Kind,
    /// Whether hosts shall load it.
    pub enabled: bool,
    /// Who vouches for it.
    pub signature: Standing,
    /// What is wrong, if it is `modified` or `invalid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Who vouched for it when it was installed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<Voucher>,
    /// Since when it is there, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<String>,
    /// The version that a rollback leads to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Version>,
}

/// How it stands with who vouches for a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It came with the host, and stands in no store.
    BuiltIn,
    /// Its key was revoked, or what it says of itself cannot be read.
    Invalid,
    /// Its files are not those that were installed.
    Modified,
    /// A key that is trusted vouches for it, and nothing that was looked at has changed.
    Signed,
    /// The operator allowed it, and nobody else vouches for it.
    Unsigned,
}

impl Store {
    /// What is installed, or came with the program, by name.
    pub fn list(&self, depth: Depth) -> Result<Vec<Listed>, Error> {
        self.undisturbed(|state| {
            let trust = Trust::read(self.home())?;
            let names: Vec<_> = state.plugins().keys().collect();
            let installed = |name: &&String| self.installed(state, &trust, name, depth);
            let came_with = || self.prebuilt.keys().filter_map(|name| self.prebuilt(state, name)).collect();
            let mut listed = on_all_cores(&names, installed, came_with);
            listed.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(listed)
        })
    }

    /// One of them.
    pub fn listed(&self, name: &str, depth: Depth) -> Result<Option<Listed>, Error> {
        self.undisturbed(|state| {
            let installed = self.installed(state, &Trust::read(self.home())?, name, depth);
            Ok(installed.or_else(|| self.prebuilt(state, name)))
        })
    }

    fn installed(&self, state: &State, trust: &Trust, name: &str, depth: Depth) -> Option<Listed> {
        let (plugin, version, installed) = state.installed(name).ok()?;
        let Installed { by, at, .. } = installed.clone();
        let examined = examine(self, trust, name, version, installed, depth);
        let signature = match (&examined, &by) {
            (Ok(_), Voucher::Allowed) => Standing::Unsigned,
            (Ok(_), Voucher::Key { .. }) => Standing::Signed,
            (Err(error), _) => standing(error),
        };
        Some(Listed {
            name: name.into(),
            version: version.clone(),
            kind: Kind::External,
            enabled: state.desired(name).enabled,
            signature,
            why: examined.err().map(|error| error.to_string()),
            by: Some(by),
            at: Some(at),
            previous: plugin.previous.clone(),
        })
    }

    fn prebuilt(&self, state: &State, name: &str) -> Option<Listed> {
        let library = prebuilt(name, self.came_with(state, name)?);
        Some(Listed {
            name: name.into(),
            version: library.as_ref().map_or(Version::new(0, 0, 0), |library| library.version.clone()),
            kind: Kind::Prebuilt,
            enabled: state.desired(name).enabled,
            signature: library.as_ref().map_or(Standing::Invalid, |_| Standing::BuiltIn),
            why: library.err().map(|error| error.to_string()),
            by: None,
            at: None,
            previous: None,
        })
    }
}

impl Standing {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Standing::BuiltIn => "built-in",
            Standing::Invalid => "invalid",
            Standing::Modified => "modified",
            Standing::Signed => "signed",
            Standing::Unsigned => "unsigned",
        }
    }
}

/// What becomes of all of them, behind what the caller finds meanwhile: files are opened and read on all cores
/// where there are many.
fn on_all_cores<T: Sync, R: Send>(
    all: &[T],
    each: impl Fn(&T) -> Option<R> + Sync,
    meanwhile: impl FnOnce() -> Vec<R>,
) -> Vec<R> {
    /// Fewer are not worth a thread.
    const SHARE: usize = 100;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let shares = all.chunks(all.len().div_ceil(cores).max(SHARE));
    let found = |share: &[T]| share.iter().filter_map(&each).collect::<Vec<_>>();
    if shares.len() < 2 {
        let mut results = meanwhile();
        results.extend(found(all));
        return results;
    }
    thread::scope(|scope| {
        let shares: Vec<_> = shares.map(|share| scope.spawn(|| found(share))).collect();
        let mut results = meanwhile();
        for share in shares {
            results.extend(share.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    })
}

fn standing(error: &Error) -> Standing {
    match error {
        Error::PackageRejected { why: Rejected::Differs { .. } | Rejected::Files(_), .. } => Standing::Modified,
        _ => Standing::Invalid,
    }
}
