//! What libraries and packages have in common, in readable form.

use hookrail::NoteHook;

use crate::table::{Column, Target, table};

/// The declared callbacks.
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
            hook.name.clone(),
            hook.priority.to_string(),
            hook.effects.clone(),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

/// Words on one line.
pub(super) fn words(words: &[String]) -> String {
    if words.is_empty() { "nothing".into() } else { words.join(", ") }
}
