//! `hookrail inspect`: what a library or a package declares.

mod package;
mod text;

use std::fmt::Write;

use hookrail::Inspection;
use indicatif::BinaryBytes;

pub(crate) use self::package::about;
pub(crate) use self::text::{endpoints, hooks};
use self::text::{fires, words};
use crate::args::Inspect;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::file::is_package;
use crate::harmless::part;
use crate::plugins::Finder;
use crate::print;

pub(crate) fn run(options: &Inspect) -> Result<ExitCode, Error> {
    let file = Finder::new(&[]).resolve(&options.file)?;
    if options.schema {
        // SAFETY: whoever asks for the schema was told that it runs the library's code.
        let schema = unsafe { hookrail::schema(&file)? };
        let schema = schema.ok_or(Error::NoSchema(file))?;
        // Formatted for reading; malformed JSON of a plugin is shown as it is.
        match serde_json::from_str::<serde_json::Value>(&schema) {
            Ok(schema) => print::json(&schema)?,
            Err(_) => print::line(schema)?,
        }
        return Ok(ExitCode::Ok);
    }
    if is_package(&file)? {
        package::run(&file, options.json)?;
        return Ok(ExitCode::Ok);
    }
    let inspection = hookrail::inspect(&file)?;
    if options.json {
        print::json(&inspection)?
    } else {
        print::lines(text(&inspection))?
    }
    Ok(ExitCode::Ok)
}

fn text(inspection: &Inspection) -> String {
    let note = &inspection.note;
    let mut text =
        format!("{} {}, {}\n", print::bold(&note.name), part(note.version.clone()), BinaryBytes(inspection.size));
    let facts = [
        ("ABI", note.abi.clone()),
        ("instances", note.instances.clone()),
        ("isolation", note.isolation.clone().unwrap_or_else(|| "not stated".into())),
        ("on panic", note.panic.clone()),
        ("built by", if note.toolchain.is_empty() { "it does not say".into() } else { note.toolchain.clone() }),
        ("asks for", words(&note.capabilities)),
        ("needs", words(&inspection.needed)),
        ("unloading", if inspection.no_delete { "refused by the library (-z nodelete)" } else { "allowed" }.into()),
        ("static TLS", if inspection.static_tls { "yes: there is little room for it" } else { "no" }.into()),
    ];
    for (name, value) in facts {
        let _ = writeln!(text, "  {name:<12}{}", part(value));
    }
    text.push('\n');
    text.push_str(&hooks(&note.hooks));
    text.push_str(&fires(&note.fires));
    text.push_str(&endpoints(&note.endpoints));
    text
}
