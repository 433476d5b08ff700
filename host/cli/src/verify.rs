//! `hookrail verify`: who signed a package, and whether its content matches its metadata.

use std::fmt::Write;

use hookrail::package::{BuiltBy, Metadata, Signed, Trust, fits_here};
use indicatif::BinaryBytes;
use serde::Serialize;

use crate::args::Verify;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::part;
use crate::{print, trust};

/// The results for a package.
#[derive(Serialize)]
struct Verified<'a> {
    signed: &'a Signed,
    /// The signer of the tar in it, if it is signed.
    built_by: Option<BuiltBy>,
    /// Why it does not work with this host, if it does not.
    unfit: Option<String>,
    metadata: &'a Metadata,
}

pub(crate) fn run(options: &Verify) -> Result<ExitCode, Error> {
    let trust = match &options.key {
        None => Trust::read(&trust::home()?)?,
        Some(key) => {
            let mut only = Trust::default();
            only.add(trust::public_key(key)?, "given by --key".into()).expect("nothing is known of any key yet");
            only
        }
    };
    let (mut package, signed) = trust.open(&options.file)?;
    package.verify()?;
    let built_by = trust.builder(&package)?;
    let metadata = package.metadata();
    let unfit = fits_here(metadata).err().map(|why| why.to_string());
    let verified = Verified { signed: &signed, built_by, unfit, metadata };
    if options.json {
        print::json(&verified)?
    } else {
        print::lines(text(&verified))?
    }
    Ok(ExitCode::Ok)
}

fn text(Verified { signed, built_by, unfit, metadata }: &Verified<'_>) -> String {
    let version = part(format!("{}: {}", metadata.version, metadata.description));
    let mut text = format!("{} {version}\n", print::bold(&metadata.name));
    let builder = &metadata.builder;
    let facts = [
        ("signed by", format!("{} ({})", signed.name, signed.key.id())),
        ("who says", signed.comment.clone()),
        ("built by", format!("{}, {}{}", builder.name, builder.contact, signature(built_by.as_ref()))),
        ("built at", metadata.built_at.clone()),
        ("written by", metadata.authors.join(", ")),
        ("source", metadata.source.clone()),
        ("for hosts", metadata.compatibility.host.to_string()),
        ("for", metadata.targets.iter().map(|build| build.target.to_string()).collect::<Vec<_>>().join(", ")),
        ("here", unfit.clone().unwrap_or_else(|| "it works with this host".into())),
        ("files", format!("{}, {}, all as they were packed", metadata.files.len(), BinaryBytes(metadata.tar.size))),
    ];
    for (name, value) in facts {
        let _ = writeln!(text, "  {name:<12}{}", part(value));
    }
    text.truncate(text.trim_end().len());
    text
}

/// The result for the builder's own signature.
fn signature(built_by: Option<&BuiltBy>) -> String {
    match built_by {
        None => String::new(),
        Some(BuiltBy { key, name: Some(name), .. }) => format!("; signed by {name} ({key})"),
        Some(BuiltBy { key, name: None, .. }) => format!("; signed by the key {key}, which is unknown here"),
    }
}
