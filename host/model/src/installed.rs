//! What is installed, and what it is configured with.

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::package::{Digest, KeyId, Metadata};

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
    pub signature: SignatureStatus,
    /// What is wrong, if it is `modified` or `invalid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Who vouched for it when it was installed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<TrustSource>,
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
pub enum SignatureStatus {
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

/// Where a plugin comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// From a package.
    External,
    /// From the release of the program.
    Prebuilt,
}

impl SignatureStatus {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            SignatureStatus::BuiltIn => "built-in",
            SignatureStatus::Invalid => "invalid",
            SignatureStatus::Modified => "modified",
            SignatureStatus::Signed => "signed",
            SignatureStatus::Unsigned => "unsigned",
        }
    }
}

/// Who vouches for what is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustSource {
    /// The operator, who allowed exactly that file.
    Allowed,
    /// A key that was trusted.
    Key {
        /// Its number.
        id: KeyId,
        /// Whose it was.
        name: String,
    },
}

/// One package that may be installed once, whoever signed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// The plugin.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The SHA-256 of the package.
    pub sha256: Digest,
    /// Until when, as RFC 3339.
    pub until: String,
}

/// What was installed, or would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Installation {
    /// What it says of itself.
    pub metadata: Metadata,
    /// The SHA-256 of the package.
    pub sha256: Digest,
    /// Who vouches for it.
    pub by: TrustSource,
    /// The version in whose place it comes.
    pub replaces: Option<Version>,
    /// Whether hosts shall load it: as the version before it.
    pub enabled: bool,
    /// Whether nothing was installed.
    pub dry_run: bool,
}

/// What a plugin is configured with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// The configuration; null if there is none.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
    /// How often the operator has set another one: 0 for one that does not come from them.
    pub revision: u64,
    /// Since when it applies, as RFC 3339.
    pub since: Option<String>,
}

/// Where a configuration comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The host's own configuration says it, which goes before what is set.
    Host,
    /// There is none.
    Nothing,
    /// The operator has set it.
    Operator,
    /// It is the default that the package brought.
    Package,
}

/// A configuration that was set before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormerConfig {
    /// Its number: those of later ones are greater.
    pub revision: u64,
    /// Since when it applied, as RFC 3339.
    pub since: String,
    /// The configuration.
    pub value: Value,
}
