//! `hookrail pack`: a package of a plugin, from its crate or from existing libraries.

mod contents;
mod manifest;
mod moment;
mod placeholder;
mod subject;

use std::path::PathBuf;

use hookrail::package::{Build, Content, Libc, MemberPath, Metadata, Package, Target, write};
use hookrail::{ParseError, inspect};

use crate::args::Pack;
use crate::built::Built;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::key::Signer;
use crate::{duration, print, stderr};

use contents::Contents;
use manifest::Manifest;
use subject::Subject;

pub(crate) fn run(options: &Pack) -> Result<ExitCode, Error> {
    let subject = Subject::of(options)?;
    // Missing fields are reported before the build starts.
    let manifest = Manifest::of(&subject)?;
    let signer = options.sign.then(|| Signer::open(&options.key)).transpose()?;
    let Some(libraries) = libraries(&subject, options)? else { return Ok(ExitCode::Failure) };
    let mut contents = Contents::of(&subject.directory, options.source)?;
    let mut builds = Vec::new();
    let mut note = None;
    for (target, file) in libraries {
        let inspection = hookrail::package::inspect_for(target, &file)?;
        let name = format!("lib/{target}/lib{}.so", inspection.note.name.replace(['-', '.'], "_"));
        let path: MemberPath = name.parse().map_err(|why: ParseError| subject.refused(why.to_string()))?;
        let libc = inspection.image.glibc.as_deref().and_then(|text| text.parse().ok());
        builds.push(Build::new(target, libc.unwrap_or(Libc::OLDEST).max(Libc::OLDEST), path.clone()));
        contents.add(Content::new(path, &file));
        if target == Target::HERE {
            contents.add_schema(&inspection.note.name, &file)?;
        }
        note.get_or_insert(inspection.note);
    }
    let note = note.expect("there is a library for each target, and one target at least");
    subject.is(&note)?;
    let version = note.version.parse().map_err(|error| {
        subject.refused(format!("its version {} does not follow Semantic Versioning: {error}", note.version))
    })?;
    let mut draft = Metadata::new(note, version, manifest.builder, manifest.compatibility);
    draft.description = manifest.description;
    draft.built_at = moment::of(&subject.directory)?;
    (draft.authors, draft.source) = (manifest.authors, manifest.source);
    (draft.functionality, draft.requires) = (manifest.functionality, manifest.requires);
    draft.targets = builds;
    let comment = format!("{}.tar", draft.full_name());
    let mut sign_tar = |tar: &mut std::fs::File| {
        let signer = signer.as_ref().expect("it is asked only then");
        signer.sign(tar, &comment).map_err(|error| {
            hookrail::package::Error::system("sign the tar".into(), std::io::Error::other(error.to_string()))
        })
    };
    let sign: Option<hookrail::package::SignTar<'_>> = if options.sign { Some(&mut sign_tar) } else { None };
    let (file, metadata) = write(draft, contents.files, &options.to, sign)?;
    // Contradictions between libraries are found by reading the package as a host would.
    if let Err(error) = Package::open(&file).and_then(|mut package| package.verify()) {
        let _ = std::fs::remove_file(&file);
        return Err(error.into());
    }
    let signature = signer.map(|signer| signer.sign_beside(&file, None)).transpose()?;
    stderr::line(format_args!("{} files packed for {}", metadata.files.len(), targets(&metadata)));
    match &signature {
        Some(signature) => stderr::line(format_args!("signed: {}", signature.display())),
        None => stderr::line(format_args!("not signed; `hookrail sign {}` signs it", file.display())),
    }
    if options.json {
        print::json(&metadata)?
    } else {
        print::line(file.display())?
    }
    Ok(ExitCode::Ok)
}

fn targets(metadata: &Metadata) -> String {
    metadata.targets.iter().map(|build| build.target.to_string()).collect::<Vec<_>>().join(", ")
}

/// The given libraries, or the one that cargo builds; `None` if cargo has reported why it cannot.
fn libraries(subject: &Subject, options: &Pack) -> Result<Option<Vec<(Target, PathBuf)>>, Error> {
    let Some(package) = &subject.package else { return Ok(Some(options.libraries.clone())) };
    match package.build(true, &[], true, &Interrupt::install()?)? {
        Built::Library { file, time } => {
            stderr::line(format_args!("built in {}", duration::text(time)));
            inspect(&file)?;
            Ok(Some(vec![(Target::HERE, file)]))
        }
        Built::Failed(_) | Built::Interrupted => Ok(None),
    }
}
