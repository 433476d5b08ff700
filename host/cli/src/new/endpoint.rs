//! The files of a new plugin with a source or a sink.

use std::path::Path;

use hookrail::EndpointKind;

use super::abi::Abi;
use super::file::File;
use super::name::Name;
use super::template::{fill, template};

/// The one endpoint that a new plugin has.
pub(super) struct Endpoint<'a> {
    pub(super) kind: EndpointKind,
    pub(super) name: &'a str,
}

/// What differs between a source and a sink.
struct Texts {
    kind: &'static str,
    /// What a package says of it.
    functionality: &'static str,
    /// How the pipeline goes on from it.
    way: &'static str,
    rust: &'static str,
    c: &'static str,
    test_in_c: &'static str,
    pipeline: &'static str,
    /// What the repository is not to have, besides what no plugin's has.
    ignored: &'static str,
}

const SOURCE: Texts = Texts {
    kind: "source",
    functionality: "transport",
    way: "from it to stdout",
    rust: template!("source/lib.rs"),
    c: template!("source/plugin.c"),
    test_in_c: template!("source/test.c"),
    pipeline: template!("source/hookrail.toml"),
    ignored: "",
};

const SINK: Texts = Texts {
    kind: "sink",
    functionality: "data_persistence",
    way: "from stdin to it",
    rust: template!("sink/lib.rs"),
    c: template!("sink/plugin.c"),
    test_in_c: template!("sink/test.c"),
    pipeline: template!("sink/hookrail.toml"),
    ignored: "/lines.txt\n",
};

impl Endpoint<'_> {
    /// A crate.
    pub(super) fn rust(&self, name: &Name, abi: &Abi, author: &str, directory: &Path) -> Vec<File> {
        let texts = self.texts();
        let pipeline = self.pipeline(name);
        let fill = |text: &str| {
            fill(
                text,
                &[
                    ("abi", &abi.dependency(directory)),
                    ("author", author),
                    ("endpoint", self.name),
                    ("functionality", texts.functionality),
                    ("kind", texts.kind),
                    ("library", &name.library()),
                    ("name", name.as_str()),
                    ("pipeline", &pipeline),
                    ("Type", &name.of_type()),
                    ("way", texts.way),
                ],
            )
        };
        let mut files: Vec<File> = vec![
            (".gitignore".into(), format!("{}{}", template!("rust/gitignore"), texts.ignored)),
            // As for a plugin with hooks.
            ("Cargo.lock".into(), super::abi::LOCK.into()),
            ("Cargo.toml".into(), fill(template!("endpoint/Cargo.toml"))),
            ("README.md".into(), fill(template!("endpoint/README.rust.md"))),
            ("hookrail.toml".into(), pipeline.clone()),
            ("src/lib.rs".into(), fill(texts.rust)),
        ];
        files.extend(abi.carried());
        files
    }

    /// A C source with its header.
    pub(super) fn c(&self, name: &Name, abi: &Abi, author: &str) -> Result<Vec<File>, String> {
        let texts = self.texts();
        let pipeline = self.pipeline(name);
        let fill = |text: &str| {
            fill(
                text,
                &[
                    ("author", author),
                    ("endpoint", self.name),
                    ("functionality", texts.functionality),
                    ("kind", texts.kind),
                    ("library", &name.library_in_c()),
                    ("name", name.as_str()),
                    ("pipeline", &pipeline),
                    ("way", texts.way),
                ],
            )
        };
        Ok(vec![
            (".gitignore".into(), format!("{}{}", template!("c/gitignore"), texts.ignored)),
            ("Makefile".into(), fill(template!("c/Makefile"))),
            ("README.md".into(), fill(template!("endpoint/README.c.md"))),
            ("hookrail-package.toml".into(), fill(template!("c/hookrail-package.toml"))),
            ("hookrail.h".into(), abi.header()?),
            ("hookrail.toml".into(), pipeline.clone()),
            ("plugin.c".into(), fill(texts.c)),
            ("test.c".into(), fill(texts.test_in_c)),
        ])
    }

    fn texts(&self) -> &'static Texts {
        match self.kind {
            EndpointKind::Sink => &SINK,
            EndpointKind::Source => &SOURCE,
        }
    }

    /// The configuration of a host that tries it.
    fn pipeline(&self, name: &Name) -> String {
        let plugin = name.as_str();
        // Alone, such a name would mean the program's own endpoint.
        let is_of_program = matches!(plugin, "bus" | "stdin" | "stdout");
        let uses = if is_of_program { format!("{plugin}/{}", self.name) } else { plugin.into() };
        fill(self.texts().pipeline, &[("use", &uses)])
    }
}
