//! The operator's configuration.

use std::collections::BTreeMap;

use hookrail_abi::config;

/// Configuration of the plugin `stamp`.
#[config]
pub(crate) struct Config {
    /// Headers that are the same on every message.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,

    /// The header for the name of this host: a name, `true` for `host`, or `false` for none.
    #[serde(default = "Named::yes")]
    pub(crate) host: Named,

    /// The header for the time when this host received the message, in RFC 3339 and UTC with nine fractional digits: a
    /// name, `true` for `received`, or `false` for none.
    #[serde(default = "Named::yes")]
    pub(crate) received: Named,

    /// The header for a number that counts the messages of this instance, from 1 at each start: a
    /// name, `true` for `counter`, or `false` for none.
    #[serde(default = "Named::no")]
    pub(crate) counter: Named,

    /// What to do when a message already has a header of that name.
    #[serde(default)]
    pub(crate) existing: Existing,
}

/// A header's name, or whether the header is added under its usual name.
#[config]
#[serde(untagged, expecting = "the name of a header, true or false")]
pub(crate) enum Named {
    /// The header has this name.
    Name(String),
    /// The header has its usual name, or is left out.
    Switch(bool),
}

/// What to do with a header that is already there.
#[config]
#[derive(Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Existing {
    /// Keep it, and append the new one.
    Append,
    /// Keep it, and leave out the new one.
    Keep,
    /// Remove all headers of that name, and append the new one, so that it cannot be forged.
    #[default]
    Replace,
}

impl Named {
    /// The name of the header, if it is added.
    pub(crate) fn or(self, usual: &str) -> Option<String> {
        match self {
            Named::Name(name) => Some(name),
            Named::Switch(there_is) => there_is.then(|| usual.into()),
        }
    }

    fn yes() -> Self {
        Named::Switch(true)
    }

    fn no() -> Self {
        Named::Switch(false)
    }
}
