//! Installed plugins and their configurations.

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::constructors;
use crate::isolation::Placed;
use crate::named::display_name;
use crate::package::{Digest, KeyId, Metadata};

/// A plugin that is installed, or was bundled with the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The version that hosts load.
    pub version: Version,
    /// Where it comes from.
    pub kind: Kind,
    /// Whether hosts load it.
    pub enabled: bool,
    /// In which process hosts run it, unless their own configuration decides that.
    #[serde(default)]
    pub isolation: Placed,
    /// The status of its signature.
    pub signature: SignatureStatus,
    /// What is wrong, if the status is `modified` or `invalid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// What made it trusted when it was installed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trusted_by: Option<TrustSource>,
    /// When it was installed, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub installed_at: Option<String>,
    /// The version that a rollback returns to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Version>,
}

/// The status of a plugin's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SignatureStatus {
    /// It was bundled with the program, and is in no store.
    BuiltIn,
    /// Its key was revoked, or its metadata cannot be read.
    Invalid,
    /// Its files are not those that were installed.
    Modified,
    /// It is signed with a trusted key, and nothing that was checked has changed.
    Signed,
    /// The operator allowed it, and no trusted key has signed it.
    Unsigned,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// Where a plugin comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// From a package.
    External,
    /// From the release of the program.
    Prebuilt,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

impl SignatureStatus {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            SignatureStatus::BuiltIn => "built-in",
            SignatureStatus::Invalid => "invalid",
            SignatureStatus::Modified => "modified",
            SignatureStatus::Signed => "signed",
            SignatureStatus::Unsigned => "unsigned",
            SignatureStatus::Unknown => "unknown",
        }
    }
}

/// What makes an installed plugin trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrustSource {
    /// The operator's allowance of exactly that file.
    Allowed,
    /// A trusted key.
    #[non_exhaustive]
    Key {
        /// The key's id.
        id: KeyId,
        /// The name of the key's owner.
        name: String,
    },
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// A package that may be installed once, whoever signed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Allowance {
    /// The plugin's id.
    pub plugin: String,
    /// Its version.
    pub version: Version,
    /// The SHA-256 of the package.
    pub sha256: Digest,
    /// When the allowance expires, as RFC 3339.
    pub until: String,
}

/// What was installed, or would be in a dry run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Installation {
    /// Its metadata.
    pub metadata: Metadata,
    /// The SHA-256 of the package.
    pub sha256: Digest,
    /// What makes it trusted.
    pub trusted_by: TrustSource,
    /// The version that it replaces.
    pub replaces: Option<Version>,
    /// Whether hosts load it; taken over from the version before it.
    pub enabled: bool,
    /// Whether it was a dry run, which installs nothing.
    pub dry_run: bool,
}

/// The configuration of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Configured {
    /// The configuration; null if there is none.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
    /// How often the operator and the plugin itself have changed it; 0 if nobody did.
    pub revision: u64,
    /// Since when it has applied, as RFC 3339.
    pub since: Option<String>,
}

/// Where a configuration comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Origin {
    /// The host's own configuration, which takes precedence over the operator's.
    Host,
    /// There is no configuration.
    Nothing,
    /// The operator set it.
    Operator,
    /// The default configuration of the package.
    Package,
    /// The plugin wrote it itself.
    Plugin,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

/// A configuration that was set before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FormerConfig {
    /// Its revision: later ones have greater numbers.
    pub revision: u64,
    /// Since when it applied, as RFC 3339.
    pub since: String,
    /// Who set it: the operator, or the plugin itself.
    #[serde(default = "Origin::operator")]
    pub origin: Origin,
    /// The configuration.
    pub value: Value,
}

impl Kind {
    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::External => "external",
            Kind::Prebuilt => "prebuilt",
            Kind::Unknown => "unknown",
        }
    }
}

impl Origin {
    /// Who sets configurations, unless something else is said.
    const fn operator() -> Self {
        Origin::Operator
    }

    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Host => "host",
            Origin::Nothing => "nothing",
            Origin::Operator => "operator",
            Origin::Package => "package",
            Origin::Plugin => "plugin",
            Origin::Unknown => "unknown",
        }
    }
}

display_name!(Kind, Origin, SignatureStatus);

constructors! {
    /// A plugin of which nothing more is known.
    Listed(name: impl Into<String>, version: Version, kind: Kind, enabled: bool, signature: SignatureStatus) {
        isolation: Placed::default(),
        reason: None,
        trusted_by: None,
        installed_at: None,
        previous: None,
    }

    /// A package of that plugin, version and digest, until a time as RFC 3339.
    Allowance(plugin: impl Into<String>, version: Version, sha256: Digest, until: impl Into<String>)

    /// A package that replaces nothing and is not enabled.
    Installation(metadata: Metadata, sha256: Digest, trusted_by: TrustSource) {
        replaces: None,
        enabled: false,
        dry_run: false,
    }

    /// A configuration, how often it was changed, and since when it has applied, as RFC 3339.
    Configured(value: Value, origin: Origin, revision: u64, since: Option<String>)

    /// A configuration that the operator set at a time, as RFC 3339.
    FormerConfig(revision: u64, since: impl Into<String>, value: Value) {
        origin: Origin::Operator,
    }
}

constructors! {
    TrustSource: key = Key(id: KeyId, name: impl Into<String>),
}
