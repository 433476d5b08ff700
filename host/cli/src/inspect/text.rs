//! What libraries and packages have in common, in readable form.

use hookrail::{NoteEndpoint, NoteHook, NotePoint};

use crate::table::{Column, Target, table};

/// The declared callbacks.
pub(crate) fn hooks(hooks: &[NoteHook]) -> String {
    if hooks.is_empty() {
        return "  no callbacks".into();
    }
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

/// The points that it dispatches itself; nothing if there are none.
pub(super) fn fires(points: &[NotePoint]) -> String {
    if points.is_empty() {
        return String::new();
    }
    let columns = [Column::Text("dispatches"), Column::Number("revision")];
    let rows = points.iter().map(|fired| vec![fired.point.clone(), fired.revision.to_string()]);
    format!("\n\n{}", table(Target::Stdout, &columns, rows))
}

/// The declared sources and sinks; nothing if there are none.
pub(crate) fn endpoints(endpoints: &[NoteEndpoint]) -> String {
    if endpoints.is_empty() {
        return String::new();
    }
    let columns = [Column::Text("endpoint"), Column::Text("name"), Column::Text("guarantee")];
    let rows = endpoints
        .iter()
        .map(|endpoint| vec![endpoint.kind.name().into(), endpoint.name.clone(), endpoint.guarantee.name().into()]);
    format!("\n\n{}", table(Target::Stdout, &columns, rows))
}

/// Words on one line.
pub(super) fn words(words: &[String]) -> String {
    if words.is_empty() { "nothing".into() } else { words.join(", ") }
}
