//! The note of a plugin, read from its section. What is wrong in it is named here, before anything relies on it.

use std::collections::BTreeSet;

use hookrail_abi::name::is_plain;
use hookrail_abi::note::{KIND, OWNER};
use hookrail_model::error::Incompatible;
use hookrail_model::instance::HOST;
use hookrail_model::note::{AnyNote, FORMAT, Note};
use semver::Version;

/// How much of a malformed note an error shows, in bytes.
const EXCERPT: usize = 40;

/// The longest note, in bytes: room for thousands of hooks.
const MAX_NOTE: usize = 1 << 20;

/// The JSON in the section of the note.
pub(crate) fn read(section: &[u8]) -> Result<Note, Incompatible> {
    if section.len() > MAX_NOTE {
        return Err(Incompatible::MalformedNote(format!("it has {} bytes, {MAX_NOTE} are allowed", section.len())));
    }
    let cut = || Incompatible::MalformedNote("it is cut off".into());
    let word = |at: usize| {
        let bytes = section.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or_else(cut)?;
        Ok::<_, Incompatible>(u32::from_le_bytes(bytes))
    };
    let (owner, content, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
    if section.get(12..12usize.saturating_add(owner)) != Some(OWNER) || kind != KIND {
        return Err(Incompatible::MalformedNote("its owner or type is not that of a plugin".into()));
    }
    let start = 12 + owner.next_multiple_of(4);
    let json = section.get(start..start.saturating_add(content)).ok_or_else(cut)?;
    let malformed = |error: serde_json::Error| Incompatible::MalformedNote(located(json, &error));
    // What another format has in the other fields is not known.
    let AnyNote { format, .. } = serde_json::from_slice(json).map_err(malformed)?;
    if format != FORMAT {
        return Err(Incompatible::note_format(format, FORMAT));
    }
    let note = serde_json::from_slice(json).map_err(malformed)?;
    check(&note).map_err(Incompatible::MalformedNote)?;
    Ok(note)
}

/// What the parser says, with the text that it stopped at.
fn located(json: &[u8], error: &serde_json::Error) -> String {
    let mut why = error.to_string();
    if let Some(at) = why.find(" at line ") {
        why.truncate(at);
    }
    // Columns count from 1, and name the byte after what was read last.
    let at = error.column().min(json.len());
    let near = &json[at.saturating_sub(EXCERPT / 2)..(at + EXCERPT / 2).min(json.len())];
    let near = String::from_utf8_lossy(near);
    // The one text of a note that an author in C writes without quotes.
    let hint = if near.contains("\"priority\"") { " (a priority is one decimal number)" } else { "" };
    format!("{why}, near `{}`{hint}", near.trim())
}

fn check(note: &Note) -> Result<(), String> {
    if note.name.starts_with('.') || !is_plain(&note.name) {
        return Err(format!("the name `{}` is not made of letters, digits, `-`, `_` and `.`", note.name));
    }
    if note.name == HOST {
        return Err(format!("the name `{}` is that of the host's own callbacks", note.name));
    }
    if Version::parse(&note.version).is_err() {
        return Err(format!("the version `{}` is not of the form 1.2.3", note.version));
    }
    if !matches!(&*note.instances, "many" | "one") {
        return Err(format!("the instances are `{}`, not `many` or `one`", note.instances));
    }
    if let Some(isolation) = note.isolation.as_deref().filter(|place| !matches!(*place, "in-process" | "worker")) {
        return Err(format!("the isolation is `{isolation}`, not `in-process` or `worker`"));
    }
    let mut seen = BTreeSet::new();
    for hook in &note.hooks {
        if !is_plain(&hook.name) {
            return Err(format!(
                "the callback `{}` has a name that is not made of letters, digits, `-`, `_` and `.`",
                hook.name
            ));
        }
        if !seen.insert((&hook.point, &hook.name)) {
            return Err(format!("the callback `{}` is declared twice on {}", hook.name, hook.point));
        }
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = note.fires.iter().find(|fired| !seen.insert(&fired.point)) {
        return Err(format!("the dispatched point `{}` is declared twice", twice.point));
    }
    let mut seen = BTreeSet::new();
    for endpoint in &note.endpoints {
        let (kind, name) = (endpoint.kind.name(), &endpoint.name);
        if !is_plain(name) {
            return Err(format!(
                "the {kind} `{name}` has a name that is not made of letters, digits, `-`, `_` and `.`"
            ));
        }
        if !seen.insert((kind, name)) {
            return Err(format!("the {kind} `{name}` is declared twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(json: &str) -> Vec<u8> {
        let mut section = Vec::new();
        for word in [OWNER.len(), json.len(), KIND as usize] {
            section.extend((word as u32).to_le_bytes());
        }
        section.extend(OWNER);
        section.resize(section.len().next_multiple_of(4), 0);
        section.extend(json.as_bytes());
        section
    }

    #[test]
    fn a_mistake_in_a_note_is_named_with_its_text() {
        const HOOK: &str = r#"{"point": "a.b", "revision": 1, "name": "c", "priority": 5, "effects": "pure"}"#;
        const POINT: &str = r#"{"point": "a.b", "revision": 1}"#;
        let note = |fields: &str, hooks: &str| {
            format!(r#"{{"format": 1, "name": "a", "abi": "1.0", {fields}, "hooks": [{hooks}]}}"#)
        };
        let version = r#""version": "1.0.0""#;
        for (json, said) in [
            (note(version, &HOOK.replace('5', "0x10")), r#""priority": 0x10"#.to_owned()),
            (note(version, &HOOK.replace('5', "1 + 1")), r#""priority": 1 + 1"#.to_owned()),
            (note(version, &HOOK.replace("\"pure\"", "HOOKRAIL_ON_FAULT_OPEN_NAME")), "HOOKRAIL_ON_FAULT".to_owned()),
            (note(r#""version": "1""#, HOOK), "the version `1`".into()),
            (note(r#""version": "one""#, HOOK), "the version `one`".into()),
            (note(&format!(r#"{version}, "instances": "two""#), HOOK), "the instances are `two`".into()),
            (note(&format!(r#"{version}, "instances": one"#), HOOK), r#""instances": one"#.into()),
            (note(&format!(r#"{version}, "isolation": "Worker""#), HOOK), "the isolation is `Worker`".into()),
            (note(version, &HOOK.replace("\"c\"", "\"f g!\"")), "the callback `f g!`".into()),
            (note(version, &HOOK.replace("\"c\"", "\"\"")), "the callback ``".into()),
            (note(version, &format!("{HOOK}, {HOOK}")), "the callback `c` is declared twice on a.b".into()),
            (
                note(&format!(r#"{version}, "fires": [{POINT}, {POINT}]"#), HOOK),
                "the dispatched point `a.b` is declared twice".into(),
            ),
            (note(version, HOOK).replace("\"name\": \"a\"", "\"name\": a"), r#""name": a"#.into()),
            (note(version, HOOK).replace("\"name\": \"a\"", "\"name\": \"hookrail\""), "host's own".into()),
        ] {
            let Err(Incompatible::MalformedNote(why)) = read(&section(&json)) else { panic!("{json} is accepted") };
            assert!(why.contains(&said), "{json}: {why}");
        }
        assert!(read(&section(&note(version, HOOK))).is_ok());
        let many = vec![HOOK; 100_000].join(", ");
        let Err(Incompatible::MalformedNote(why)) = read(&section(&note(version, &many))) else { panic!("it is read") };
        assert!(why.contains("1048576 are allowed"), "{why}");
    }
}
