//! What a manifest declares about the plugin.

use std::collections::BTreeMap;

use hookrail::package::{Builder, Compatibility, Functionality, Range, Requirement};
use serde::Deserialize;

use super::placeholder;
use super::subject::Subject;
use crate::cargo::PackageInfo;
use crate::error::Error;

/// What only the author can know of a package.
pub(super) struct Manifest {
    pub(super) description: String,
    pub(super) authors: Vec<String>,
    pub(super) builder: Builder,
    pub(super) source: String,
    pub(super) functionality: Vec<Functionality>,
    pub(super) compatibility: Compatibility,
    pub(super) requires: Vec<Requirement>,
}

/// `[package.metadata.hookrail]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    functionality: Vec<Functionality>,
    builder: Option<Builder>,
    host: Option<Range>,
    abi: Option<Range>,
    /// Versions of other plugins, by name.
    #[serde(default)]
    requires: BTreeMap<String, Range>,
}

impl Manifest {
    /// Reads a manifest; reports everything at once that the author has to fill in.
    pub(super) fn of(subject: &Subject) -> Result<Self, Error> {
        let about = &subject.about;
        let refused = |why: String| subject.refused(why);
        let table = about.metadata.as_ref().and_then(|metadata| metadata.get("hookrail")).cloned();
        let table: Table = table
            .map_or(Ok(Table::default()), serde_json::from_value)
            .map_err(|error| refused(format!("[package.metadata.hookrail]: {error}")))?;
        let left = left(about, table.builder.as_ref());
        let builder = table.builder.or_else(|| about.authors.first().and_then(|author| builder(author)));
        let source = about.repository.clone().or_else(|| about.homepage.clone());
        let missing: Vec<_> = [
            (about.description.is_none(), "`description` in [package]"),
            (about.authors.is_empty(), "`authors = [\"Name <name@example.org>\"]` in [package]"),
            (source.is_none(), "`repository`, the address of its source, in [package]"),
            (
                table.functionality.is_empty(),
                "`functionality = [\"message_processing\"]`, or what it does, in [package.metadata.hookrail]",
            ),
            (
                builder.is_none(),
                "`builder = { name = \"..\", contact = \"..\" }` in [package.metadata.hookrail], or an author with an address in <>",
            ),
        ]
        .into_iter()
        .filter(|(is_missing, _)| *is_missing)
        .map(|(_, what)| what.to_owned())
        .chain(left)
        .collect();
        let (Some(description), Some(source), Some(builder), true) =
            (about.description.clone(), source, builder, missing.is_empty())
        else {
            return Err(refused(format!("its {} lacks\n  {}", subject.manifest, missing.join("\n  "))));
        };
        let any = || "~> 1.0".parse::<Range>().expect("this is a range");
        Ok(Manifest {
            description,
            authors: about.authors.clone(),
            builder,
            source,
            functionality: table.functionality,
            requires: table.requires.into_iter().map(|(name, versions)| Requirement::new(name, versions)).collect(),
            compatibility: Compatibility::new(table.host.unwrap_or_else(any), table.abi.unwrap_or_else(any)),
        })
    }
}

/// The placeholders that are still in it, each with its key.
fn left(about: &PackageInfo, builder: Option<&Builder>) -> Vec<String> {
    let texts = about.description.iter().map(|text| ("description", text));
    let texts = texts.chain(about.authors.iter().map(|author| ("authors", author)));
    let texts =
        texts.chain(builder.iter().flat_map(|builder| [("builder", &builder.name), ("builder", &builder.contact)]));
    let texts = texts.filter(|(_, text)| placeholder::is_left(text));
    let addresses = about.repository.iter().map(|text| ("repository", text));
    let addresses = addresses.chain(about.homepage.iter().map(|text| ("homepage", text)));
    let addresses = addresses.filter(|(_, text)| placeholder::is_address_left(text));
    texts.chain(addresses).map(|(key, text)| format!("`{key}`: `{text}` is a placeholder")).collect()
}

/// An author `Name <address>` as a builder.
fn builder(author: &str) -> Option<Builder> {
    let (name, contact) = author.strip_suffix('>')?.split_once('<')?;
    Some(Builder::new(name.trim(), contact.trim()))
}
