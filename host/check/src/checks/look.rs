//! Inspecting the file, before any of its code runs.

use std::collections::BTreeSet;

use hookrail::{Capability, NoteHook};
use hookrail_abi::boundary::{ENTRY_SYMBOL, Entry, Growing};
use hookrail_abi::catalogue::RENAMED;

use crate::answer::{Found, Not};
use crate::counted::counted;
use crate::subject::{OF_ANOTHER, Subject, is_declared};

pub(in super::super) fn entry_symbol(subject: &Subject) -> Found {
    let [entry] = &subject.inspection.image.entries[..] else {
        return Err(format!("it exports `{ENTRY_SYMBOL}` {} times", subject.inspection.image.entries.len()).into());
    };
    if !entry.is_data {
        return Err(format!("`{ENTRY_SYMBOL}` is a function; it must be data, a `hookrail_entry`").into());
    }
    let needed = Entry::FIRST as u64;
    if entry.size < needed {
        return Err(format!("`{ENTRY_SYMBOL}` has {} bytes, {needed} are needed", entry.size).into());
    }
    Ok(format!("{} bytes of data", entry.size))
}

pub(in super::super) fn executable_stack(subject: &Subject) -> Found {
    let image = &subject.inspection.image;
    match (image.executable_stack, image.writable_code) {
        (false, false) => Ok("neither its stack nor other writable memory is executable".into()),
        (true, _) => Err("it asks for executable stacks, and makes those of all threads of the process so".into()),
        (_, true) => Err("it has memory that is writable and executable at once".into()),
    }
}

pub(in super::super) fn text_relocations(subject: &Subject) -> Found {
    if subject.inspection.image.text_relocations {
        return Err("its code is patched when it is loaded: build it with -fPIC".into());
    }
    Ok("its code is position-independent".into())
}

pub(in super::super) fn search_path(subject: &Subject) -> Found {
    match &subject.inspection.image.search_paths[..] {
        [] => Ok("none".into()),
        paths => Err(format!("it has libraries looked for in {}", paths.join(", ")).into()),
    }
}

pub(in super::super) fn removable(subject: &Subject) -> Found {
    if subject.inspection.no_delete {
        return Err("it asks never to be removed (-z nodelete)".into());
    }
    if subject.inspection.unique_symbols {
        return Err(Not::Warned("it has unique symbols, and once they are used it stays: -fno-gnu-unique".into()));
    }
    Ok("it may be removed".into())
}

pub(in super::super) fn libraries(subject: &Subject) -> Found {
    let inspection = &subject.inspection;
    let foreign: Vec<_> = inspection.unhooked.iter().filter(|name| inspection.needed.contains(name)).cloned().collect();
    match &foreign[..] {
        [] => Ok(format!("the system's alone, {} of them", inspection.needed.len())),
        _ => Err(Not::Warned(format!("it needs {}: link what is not the system's statically", foreign.join(", ")))),
    }
}

pub(in super::super) fn imports(subject: &Subject) -> Found {
    let inspection = &subject.inspection;
    let telltale: Vec<_> =
        inspection.unhooked.iter().filter(|name| !inspection.needed.contains(name)).cloned().collect();
    match &telltale[..] {
        [] => Ok("nothing that would run its code where the host cannot see it".into()),
        _ => Err(Not::Warned(format!("it imports {}, so it is never closed", telltale.join(", ")))),
    }
}

pub(in super::super) fn static_tls(subject: &Subject) -> Found {
    if subject.inspection.static_tls {
        let why = "it takes room in every thread's static block, of which there is little: fewer builds of it \
                   fit beside each other";
        return Err(Not::Warned(why.into()));
    }
    Ok("it takes no room in the static block of threads".into())
}

pub(in super::super) fn constructors(subject: &Subject) -> Found {
    // DT_INIT and `frame_dummy` of the C runtime, and the function that stores the arguments for Rust's standard
    // library.
    const USUAL: u64 = 3;
    match subject.inspection.image.constructors {
        few @ 0..=USUAL => Ok(format!("{few}, those of the runtimes")),
        many => Err(Not::Warned(format!("{many} run before the host can know: what they leave with threads pins it"))),
    }
}

pub(in super::super) fn note(subject: &Subject) -> Found {
    let note = &subject.inspection.note;
    for capability in &note.capabilities {
        capability.parse::<Capability>().map_err(|error| error.to_string())?;
    }
    one_of("panic", &note.panic, &["abort", "unwind"])?;
    if note.panic == "abort" {
        return Err("its panics abort the process: remove panic = \"abort\" from its profile".into());
    }
    if note.hooks.is_empty() && note.endpoints.is_empty() {
        return Err(Not::Warned("it hooks nothing, and has neither sources nor sinks".into()));
    }
    for hook in &note.hooks {
        let NoteHook { point, name: callback, priority, effects, .. } = hook;
        if let Some((_, now)) = RENAMED.iter().find(|(then, _)| then == point) {
            return Err(format!("it hooks {point}, which is called {now} now").into());
        }
        one_of("effects", effects, &["external", "local", "pure"])?;
        if [1000, i32::MIN, i32::MAX].contains(priority) {
            return Err(format!("`{callback}` on {point} has the reserved priority {priority}").into());
        }
    }
    let unknown: BTreeSet<_> = note.hooks.iter().map(|hook| &*hook.point).filter(|point| !is_declared(point)).collect();
    if !unknown.is_empty() {
        let unknown: Vec<_> = unknown.into_iter().collect();
        return Err(Not::Warned(format!("it hooks {}: {OF_ANOTHER}", unknown.join(", "))));
    }
    let hooks = counted(note.hooks.len(), "hook");
    let endpoints = match note.endpoints.len() {
        0 => String::new(),
        count => format!(", {}", counted(count, "endpoint")),
    };
    Ok(format!("{} {}, {hooks}{endpoints}", note.name, note.version))
}

fn one_of(key: &str, value: &str, words: &[&str]) -> Result<(), Not> {
    if words.contains(&value) {
        return Ok(());
    }
    Err(format!("its `{key}` is `{value}`, which is none of: {}", words.join(", ")).into())
}
