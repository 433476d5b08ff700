//! What a package declares, and who signed it. None of its code runs.

use std::fmt::Write;
use std::path::Path;

use hookrail::package::{Metadata, Package, Signed, Trust, fits_here};
use indicatif::BinaryBytes;
use serde::Serialize;

use super::text::{endpoints, fires, hooks, words};
use crate::error::Error;
use crate::harmless::part;
use crate::table::{Column, Target, table};
use crate::{print, trust};

/// An inspected package.
#[derive(Serialize)]
struct Seen<'a> {
    /// The signer, if the key is trusted.
    signed: Option<Signed>,
    /// Why no trusted key has signed it.
    unsigned: Option<String>,
    /// Why it does not work with this host, if it does not.
    unfit: Option<String>,
    metadata: &'a Metadata,
}

pub(super) fn run(file: &Path, json: bool) -> Result<(), Error> {
    let trust = Trust::read(&trust::home()?)?;
    let (package, signed, unsigned) = match trust.open(file) {
        Ok((package, signed)) => (package, Some(signed), None),
        // Only inspected: its unverified content is harmless.
        Err(error) => (Package::open(file)?, None, Some(error.to_string())),
    };
    let metadata = package.metadata();
    let unfit = fits_here(metadata).err().map(|why| why.to_string());
    let seen = Seen { signed, unsigned, unfit, metadata };
    if json { print::json(&seen) } else { print::lines(text(&seen)) }
}

fn text(Seen { signed, unsigned, unfit, metadata }: &Seen<'_>) -> String {
    let version = part(format!("{}: {}", metadata.version, metadata.description));
    let mut text = format!("{} {version}\n", print::bold(&metadata.name));
    let signed = signed.as_ref().map(|signed| format!("{} ({})", signed.name, signed.key.id()));
    let nobody = || format!("no trusted key: {}", unsigned.as_deref().unwrap_or_default());
    let _ = writeln!(text, "  {:<12}{}", "signed by", part(signed.unwrap_or_else(nobody)));
    text.push_str(&about(metadata));
    let here = unfit.as_deref().unwrap_or("it claims to work with this host");
    let _ = writeln!(text, "  {:<12}{}", "here", part(here.into()));
    let columns = [Column::Text("target"), Column::Text("glibc"), Column::Text("library"), Column::Number("size")];
    let rows = metadata.targets.iter().map(|build| {
        let size = metadata.files.iter().find(|file| file.path == build.library).map_or(0, |file| file.size);
        let library = build.library.as_str().to_owned();
        vec![build.target.to_string(), build.libc.to_string(), library, BinaryBytes(size).to_string()]
    });
    let _ = write!(text, "\n{}\n\n{}", table(Target::Stdout, &columns, rows), hooks(&metadata.hooks));
    text.push_str(&fires(&metadata.fires));
    text.push_str(&endpoints(&metadata.endpoints));
    text
}

/// Its metadata other than the name, one line per field.
pub(crate) fn about(metadata: &Metadata) -> String {
    let builder = &metadata.builder;
    let functionality: Vec<_> = metadata.functionality.iter().cloned().map(String::from).collect();
    let website = builder.website.as_ref().map(|website| format!(", {website}")).unwrap_or_default();
    let facts = [
        ("does", functionality.join(", ")),
        ("written by", metadata.authors.join(", ")),
        ("built by", format!("{}, {}{website}", builder.name, builder.contact)),
        ("built at", metadata.built_at.clone()),
        ("source", metadata.source.clone()),
        ("for hosts", metadata.compatibility.host.to_string()),
        ("for ABIs", metadata.compatibility.abi.to_string()),
        ("asks for", words(&metadata.capabilities)),
        ("isolation", metadata.isolation.clone().unwrap_or_else(|| "not stated".into())),
    ];
    facts.into_iter().map(|(name, value)| format!("  {name:<12}{}\n", part(value))).collect()
}
