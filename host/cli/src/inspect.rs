//! `hookrail inspect`: what a library or a package says of itself.

mod package;

use std::fmt::Write;

use hookrail::{Inspection, NoteHook};
use indicatif::BinaryBytes;

pub(crate) use self::package::about;
use crate::args::Inspect;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::table::{Column, Target, table};
use crate::{plugin, print};

pub(crate) fn run(options: &Inspect) -> Result<ExitCode, Error> {
    if options.schema {
        // SAFETY: whoever asks for the schema was told that it runs the library's code.
        let schema = unsafe { hookrail::schema(&options.file)? };
        let schema = schema.ok_or_else(|| Error::NoSchema(options.file.clone()))?;
        // Laid out for people; a plugin's mistake is shown as it is.
        match serde_json::from_str::<serde_json::Value>(&schema) {
            Ok(schema) => print::json(&schema)?,
            Err(_) => print::line(schema)?,
        }
        return Ok(ExitCode::Ok);
    }
    if plugin::is_package(&options.file) {
        package::run(&options.file, options.json)?;
        return Ok(ExitCode::Ok);
    }
    let inspection = hookrail::inspect(&options.file)?;
    if options.json {
        print::json(&inspection)?
    } else {
        print::line(text(&inspection))?
    }
    Ok(ExitCode::Ok)
}

fn text(inspection: &Inspection) -> String {
    let note = &inspection.note;
    let mut text = format!("{} {}, {}\n", print::bold(&note.name), note.version, BinaryBytes(inspection.size));
    let facts = [
        ("ABI", note.abi.clone()),
        ("instances", note.instances.clone()),
        ("isolation", note.isolation.clone()),
        ("on panic", note.panic.clone()),
        ("built by", if note.toolchain.is_empty() { "it does not say".into() } else { note.toolchain.clone() }),
        ("asks for", words(&note.capabilities)),
        ("needs", words(&inspection.needed)),
        ("unloading", if inspection.no_delete { "refused by the library (-z nodelete)" } else { "allowed" }.into()),
        ("static TLS", if inspection.static_tls { "yes: there is little of it" } else { "no" }.into()),
    ];
    for (name, value) in facts {
        let _ = writeln!(text, "  {name:<12}{value}");
    }
    text.push('\n');
    text.push_str(&hooks(&note.hooks));
    text
}

/// The callbacks that are declared.
pub(crate) fn hooks(hooks: &[NoteHook]) -> String {
    let columns = [
        Column::Text("point"),
        Column::Number("revision"),
        Column::Text("callback"),
        Column::Number("priority"),
        Column::Text("effects"),
    ];
    let rows = hooks.iter().map(|hook| {
        vec![
            hook.point.clone(),
            hook.revision.to_string(),
            hook.callback.clone(),
            hook.priority.to_string(),
            hook.effects.clone(),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

fn words(words: &[String]) -> String {
    if words.is_empty() { "nothing".into() } else { words.join(", ") }
}
