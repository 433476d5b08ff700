//! The files of a new plugin.

use std::path::Path;

use hookrail_abi::RawKind;

use super::abi::Abi;
use super::file::File;
use super::name::Name;
use super::own::Own;
use super::point::Hooked;

macro_rules! template {
    ($file:literal) => {
        include_str!(concat!("../../templates/", $file))
    };
}

pub(super) use template;

/// A crate.
pub(super) fn rust(
    name: &Name,
    hooked: &Hooked,
    priority: i32,
    abi: &Abi,
    author: &str,
    directory: &Path,
) -> Vec<File> {
    let (payload, example) = hooked.payload();
    let (lib, config) = match hooked.kind {
        RawKind::Notify => (template!("rust/notify.rs"), "{ every = 100 }"),
        RawKind::Fold | RawKind::Gate => (template!("rust/fold.rs"), "{ mark = \"here\" }"),
    };
    let fill = |text: &str| {
        fill(
            text,
            &[
                ("abi", &abi.dependency(directory)),
                ("author", author),
                ("callback", hooked.callback()),
                ("config", config),
                ("crate", &name.in_rust()),
                ("example", example),
                ("library", &name.library()),
                ("name", name.as_str()),
                ("Payload", payload),
                ("point", hooked.name),
                ("Point", &hooked.of_type()),
                ("priority", &priority.to_string()),
                ("Type", &name.of_type()),
            ],
        )
    };
    let mut files: Vec<File> = vec![
        (".gitignore".into(), template!("rust/gitignore").into()),
        // The versions that the program was built with: they are already downloaded, and work together.
        ("Cargo.lock".into(), super::abi::LOCK.into()),
        ("Cargo.toml".into(), fill(template!("rust/Cargo.toml"))),
        ("README.md".into(), fill(template!("rust/README.md"))),
        ("benches/cost.rs".into(), fill(template!("rust/cost.rs"))),
        ("src/lib.rs".into(), fill(lib)),
    ];
    files.extend(abi.carried());
    files
}

/// A crate that hooks a point of somebody's own program.
pub(super) fn own(name: &Name, own: &Own, priority: i32, author: &str, directory: &Path) -> Vec<File> {
    let point = own.point.path.rsplit("::").next().unwrap_or(&own.point.path);
    let (borrow, answer) = match own.point.kind {
        RawKind::Fold => ("&mut ", "May return a `Flow`, or a `Verdict` where the point may be denied."),
        RawKind::Gate => ("&mut ", "May return an `Access`."),
        RawKind::Notify => ("&", "Returns nothing."),
    };
    let of_type = name.of_type();
    let of_type = if of_type == point { of_type + "Plugin" } else { of_type };
    let fill = |text: &str| {
        fill(
            text,
            &[
                ("abi", &own.abi(directory)),
                ("answer", answer),
                ("author", author),
                ("borrow", borrow),
                ("dependency", &own.dependency(directory)),
                ("library", &name.library()),
                ("name", name.as_str()),
                ("path", &format!("{}::{}", own.library.in_rust, own.point.path)),
                ("point", &own.point.name),
                ("Point", point),
                ("points", &own.library.name),
                ("priority", &priority.to_string()),
                ("Type", &of_type),
            ],
        )
    };
    vec![
        (".gitignore".into(), template!("rust/gitignore").into()),
        ("Cargo.lock".into(), super::abi::LOCK.into()),
        ("Cargo.toml".into(), fill(template!("own/Cargo.toml"))),
        ("README.md".into(), fill(template!("own/README.md"))),
        ("src/lib.rs".into(), fill(template!("own/lib.rs"))),
    ]
}

/// A C source with its header.
pub(super) fn c(name: &Name, hooked: &Hooked, priority: i32, abi: &Abi, author: &str) -> Result<Vec<File>, String> {
    let (body, expected) = match hooked.kind {
        RawKind::Notify => ("  (void)payload; // Look at it here.".to_owned(), String::new()),
        RawKind::Fold | RawKind::Gate => (
            format!(
                "  if (!hookrail_message_set_header(payload, \"{}\", \"seen\")) {{\n    hookrail_host->report(HOOKRAIL_REPORT_FAULT, \
             hookrail_str_of(\"no memory for a header\"));\n    return HOOKRAIL_VERDICT_FAULT;\n  }}",
                name.as_str()
            ),
            format!(
                "  const hookrail_text *header = hookrail_message_header(&payload, \"{}\");\n  \
             EXPECT(header != NULL && hookrail_text_equals(header, \"seen\"));\n",
                name.as_str()
            ),
        ),
    };
    let fill = |text: &str| {
        fill(
            text,
            &[
                ("author", author),
                ("body", &body),
                ("callback", hooked.callback()),
                ("expected", &expected),
                ("functionality", "message_processing"),
                ("library", &name.library_in_c()),
                ("name", name.as_str()),
                ("payload", &format!("hookrail_{}", hooked.payload().0.to_ascii_lowercase())),
                ("point", hooked.name),
                ("POINT", &hooked.in_c()),
                ("priority", &priority.to_string()),
            ],
        )
    };
    Ok(vec![
        (".gitignore".into(), template!("c/gitignore").into()),
        ("Makefile".into(), fill(template!("c/Makefile"))),
        ("README.md".into(), fill(template!("c/README.md"))),
        ("hookrail-package.toml".into(), fill(template!("c/hookrail-package.toml"))),
        ("hookrail.h".into(), abi.header()?),
        ("plugin.c".into(), fill(template!("c/plugin.c"))),
        ("test.c".into(), fill(template!("c/test.c"))),
    ])
}

/// Replaces each `{{name}}` with its value.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    text
}
