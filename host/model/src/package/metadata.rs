//! The metadata of a package.

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Deserializer, Serialize};

use super::digest::Digest;
use super::object::{Object, object, objects};
use super::path::MemberPath;
use super::range::Range;
use super::shown::shown;
use super::target::Build;
use crate::constructors;
use crate::note::{EndpointKind, Guarantee, Note, NoteEndpoint, NoteHook, NotePoint};
use crate::parse::ParseError;

/// The format that this host writes, and the only one it reads.
pub const FORMAT: u32 = 1;

/// The largest metadata, in bytes.
pub const MAX_METADATA: u64 = 1 << 20;

/// The metadata of a package: the JSON beside the tar.
///
/// It is also a part of answers, where a newer host may say more than this version knows. So deserialising ignores
/// unknown fields and keeps unknown values, while [`read`](Self::read) and [`check`](Self::check) refuse both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, description = "The metadata of a package: the JSON beside the tar.")]
#[non_exhaustive]
pub struct Metadata {
    /// The format of this file: 1.
    pub format: u32,
    /// The plugin's name, as its libraries declare it: globally unique, letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The plugin's version, as its libraries declare it.
    #[schemars(with = "String")]
    pub version: Version,
    /// What it is for, on one line.
    pub description: String,
    /// When it was built, as RFC 3339 in UTC.
    pub built_at: String,
    /// The tar beside this file.
    #[serde(deserialize_with = "object")]
    pub tar: Tar,
    /// All files in the tar, relative to the directory with the plugin's name.
    #[serde(deserialize_with = "objects")]
    pub files: Vec<File>,
    /// Who wrote it: name and a way to reach them, as free text.
    pub authors: Vec<String>,
    /// Who built it.
    #[serde(deserialize_with = "object")]
    pub builder: Builder,
    /// Where its source is: a URL.
    pub source: String,
    /// What it does; at least one.
    #[serde(deserialize_with = "functionality")]
    pub functionality: Vec<Functionality>,
    /// What it works with.
    #[serde(deserialize_with = "object")]
    pub compatibility: Compatibility,
    /// Other plugins that must be enabled wherever it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "objects")]
    pub requires: Vec<Requirement>,
    /// What it was built for; at least one.
    #[serde(deserialize_with = "objects")]
    pub targets: Vec<Build>,
    /// The callbacks that it may register, as its libraries declare.
    #[serde(deserialize_with = "hooks")]
    #[schemars(with = "Vec<Hook>")]
    pub hooks: Vec<NoteHook>,
    /// The points that it dispatches itself, as its libraries declare.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "fires")]
    #[schemars(with = "Vec<Fired>")]
    pub fires: Vec<NotePoint>,
    /// Its sources and sinks, as its libraries declare.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "endpoints")]
    #[schemars(with = "Vec<Endpoint>")]
    pub endpoints: Vec<NoteEndpoint>,
    /// What it asks the operator to grant, as its libraries declare.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Where its author wants it to run, as its libraries declare: `worker` or `in-process`, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
}

/// The tar of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tar {
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct File {
    /// Its path.
    pub path: MemberPath,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// Who built a package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct Builder {
    /// Their name.
    pub name: String,
    /// A way to reach them.
    pub contact: String,
    /// Where to find out more about them, for example their public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Their signature of the tar, in minisign format. It is only shown; what a host trusts is the signature of the
    /// whole package beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// What a package works with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct Compatibility {
    /// Versions of the host.
    pub host: Range,
    /// Versions of the ABI.
    pub abi: Range,
}

/// A plugin that another one needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct Requirement {
    /// Its name.
    pub name: String,
    /// The versions of it that are acceptable.
    pub versions: Range,
}

/// What a plugin does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    with = "String",
    extend("pattern" = "^(authentication|authorisation|data_persistence|management|message_processing|rule_engine_extension|transport|x-[a-z0-9_-]+)$")
)]
pub struct Functionality(String);

/// The known kinds of functionality; names that begin with `x-` are free for anyone.
const KNOWN: [&str; 7] = [
    "authentication",
    "authorisation",
    "data_persistence",
    "management",
    "message_processing",
    "rule_engine_extension",
    "transport",
];

/// A [`NoteHook`] whose fields are all required: a note may leave some out, but a package states what it knows.
#[derive(Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, description = "A callback that the plugin may register.")]
struct Hook {
    /// The hook point.
    point: String,
    /// The point's revision.
    revision: u32,
    /// The callback's name.
    name: String,
    /// Its priority.
    priority: i32,
    /// What it touches: `pure`, `local` or `external`.
    effects: String,
}

fn hooks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<NoteHook>, D::Error> {
    let note = |Hook { point, revision, name, priority, effects }| {
        let mut hook = NoteHook::new(point, revision, name, priority);
        hook.effects = effects;
        hook
    };
    objects(from).map(|hooks| hooks.into_iter().map(note).collect())
}

/// As [`Hook`], for a [`NotePoint`].
#[derive(Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, description = "A point that the plugin dispatches itself.")]
struct Fired {
    /// The hook point.
    point: String,
    /// The point's revision.
    revision: u32,
}

fn fires<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<NotePoint>, D::Error> {
    let note = |Fired { point, revision }| NotePoint { point, revision };
    objects(from).map(|points| points.into_iter().map(note).collect())
}

/// As [`Hook`], for a [`NoteEndpoint`].
#[derive(Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, description = "A source or a sink of the plugin.")]
struct Endpoint {
    /// Which of both.
    kind: EndpointKind,
    /// Its name, unique among those of its kind.
    name: String,
    /// How often a message arrives if a process is killed on the way.
    guarantee: Guarantee,
}

fn endpoints<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<NoteEndpoint>, D::Error> {
    let note = |Endpoint { kind, name, guarantee }| NoteEndpoint { kind, name, guarantee };
    objects(from).map(|endpoints| endpoints.into_iter().map(note).collect())
}

constructors! {
    /// A tar of that digest and length.
    Tar(sha256: Digest, size: u64)

    /// A file of that digest and length.
    File(path: MemberPath, sha256: Digest, size: u64)

    /// A builder, and a way to reach them.
    Builder(name: impl Into<String>, contact: impl Into<String>) { website: None, signature: None }

    /// Versions of the host and of the ABI.
    Compatibility(host: Range, abi: Range)

    /// A plugin, and the versions of it that are acceptable.
    Requirement(name: impl Into<String>, versions: Range)
}

impl Metadata {
    /// A draft for the plugin with that note. What its author says of it, what it was built for and when are still
    /// empty; its files are filled in when it is packed.
    pub fn new(note: Note, version: Version, builder: Builder, compatibility: Compatibility) -> Self {
        Metadata {
            format: FORMAT,
            name: note.name,
            version,
            description: String::new(),
            built_at: String::new(),
            tar: Tar::default(),
            files: Vec::new(),
            authors: Vec::new(),
            builder,
            source: String::new(),
            functionality: Vec::new(),
            compatibility,
            requires: Vec::new(),
            targets: Vec::new(),
            hooks: note.hooks,
            fires: note.fires,
            endpoints: note.endpoints,
            capabilities: note.capabilities,
            isolation: note.isolation,
        }
    }

    /// Parses the bytes of the JSON file.
    ///
    /// # Errors
    /// If they are not valid metadata: the text says why, for display.
    pub fn read(json: &[u8]) -> Result<Self, ParseError> {
        let wrong = |why: String| ParseError::new(shown(&why));
        let (mut json, mut unknown) = (serde_json::Deserializer::from_slice(json), None);
        let read = serde_ignored::deserialize(&mut json, |path| {
            unknown.get_or_insert_with(|| path.to_string());
        });
        let Object(metadata): Object<Metadata> = read.map_err(|error| wrong(error.to_string()))?;
        json.end().map_err(|error| wrong(error.to_string()))?;
        if let Some(field) = unknown {
            return Err(wrong(format!("unknown field `{field}`")));
        }
        metadata.check().map_err(|error| wrong(error.to_string()))?;
        Ok(metadata)
    }

    /// The bytes of the JSON file.
    pub fn write(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("nothing of it can fail to be JSON");
        json.push(b'\n');
        json
    }

    /// The schema of the JSON file.
    pub fn schema() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Metadata);
        schema.insert("title".into(), "Metadata of a Hookrail package".into());
        schema.to_value()
    }

    /// `NAME-VERSION`, the name of the package and of its members.
    pub fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// Keeps those that this version does not know.
fn functionality<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Functionality>, D::Error> {
    Vec::deserialize(from).map(|all| all.into_iter().map(Functionality).collect())
}

impl Functionality {
    /// Refuses one that is neither known nor somebody's own.
    pub(super) fn check(&self) -> Result<(), ParseError> {
        Functionality::try_from(self.0.clone()).map(drop)
    }
}

impl TryFrom<String> for Functionality {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let is_own = text.strip_prefix("x-").is_some_and(|own| {
            !own.is_empty()
                && own
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
        });
        if is_own || KNOWN.contains(&&*text) {
            return Ok(Functionality(text));
        }
        let known = KNOWN.join(", ");
        Err(ParseError::new(format!("the functionality `{text}` is none of {known}, and does not begin with `x-`")))
    }
}

impl From<Functionality> for String {
    fn from(functionality: Functionality) -> String {
        functionality.0
    }
}
