//! What is installed, for people and programs.

use semver::Version;
use serde::Serialize;

use super::Store;
use super::examine::examine;
use super::state::{Installed, Kind, Plugin, State, Voucher};
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

/// A plugin that is installed.
#[derive(Clone, Debug, Serialize)]
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
    pub why: Option<String>,
    /// Who vouched for it when it was installed.
    pub by: Voucher,
    /// Since when it is there, as RFC 3339.
    pub at: String,
    /// The version that a rollback leads to.
    pub previous: Option<Version>,
}

/// How it stands with who vouches for a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
    /// What is installed, by name.
    pub fn list(&self, depth: Depth) -> Result<Vec<Listed>, Error> {
        loop {
            let state = self.state()?;
            let listed = self.list_of(&state, depth)?;
            // What went while it was looked at would look damaged.
            if self.state()? == state {
                return Ok(listed);
            }
        }
    }

    fn list_of(&self, state: &State, depth: Depth) -> Result<Vec<Listed>, Error> {
        let trust = Trust::read(self.home())?;
        let installed = |(name, plugin): (&String, &Plugin)| {
            let version = plugin.current.clone()?;
            let Installed { by, at, .. } = plugin.versions[&version].clone();
            let examined = examine(self, &trust, name, &version, &plugin.versions[&version], depth);
            let signature = match (&examined, &by) {
                (Ok(_), Voucher::Allowed) => Standing::Unsigned,
                (Ok(_), Voucher::Key { .. }) => Standing::Signed,
                (Err(error), _) => standing(error),
            };
            Some(Listed {
                name: name.clone(),
                version,
                kind: plugin.kind,
                enabled: plugin.enabled,
                signature,
                why: examined.err().map(|error| error.to_string()),
                by,
                at,
                previous: plugin.previous.clone(),
            })
        };
        Ok(state.plugins().iter().filter_map(installed).collect())
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

fn standing(error: &Error) -> Standing {
    match error {
        Error::PackageRejected { why: Rejected::Differs { .. } | Rejected::Files(_), .. } => Standing::Modified,
        _ => Standing::Invalid,
    }
}
