//! A plugin that a test writes, builds and changes: it prefixes every message with a word.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{own_target, root};

/// The package of the plugin `tiny-NAME`.
pub struct Tiny {
    /// Its path.
    pub directory: PathBuf,
    name: String,
}

impl Tiny {
    /// Creates the package in a subdirectory of `directory`; its source is not written yet.
    pub fn new(directory: &Path, name: &str) -> Self {
        let tiny = Tiny { directory: directory.join(name), name: format!("tiny-{name}") };
        fs::create_dir_all(tiny.directory.join("src")).unwrap();
        let (name, abi) = (&tiny.name, root().join("abi"));
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
             [dependencies]\nhookrail-abi = {{ path = {abi:?} }}\n[profile.dev]\ndebug = false\n[workspace]\n"
        );
        fs::write(tiny.directory.join("Cargo.toml"), manifest).unwrap();
        // The versions of the workspace, so that cargo does not query a registry.
        fs::copy(root().join("tests/zoo/Cargo.lock"), tiny.directory.join("Cargo.lock")).unwrap();
        tiny
    }

    /// Writes a source that prefixes messages with this word.
    pub fn says(&self, word: &str) -> &Self {
        let source = r#"//! Puts a word before every message.
use hookrail_abi::prelude::*;

const WORD: &str = "WORD ";

struct Tiny;

impl Tiny {
    fn say(&self, message: &mut Message) {
        let said = [WORD.as_bytes(), &message.body].concat();
        message.body.set(&said);
    }
}

impl Plugin for Tiny {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "say" => Self::say, priority = 500, effects = pure];

    fn start(_host: &Startup, _config: NoConfig) -> Result<Self> {
        Ok(Tiny)
    }
}

export!(Tiny);
"#;
        self.is(&source.replace("WORD \"", &format!("{word} \"")))
    }

    /// Replaces its source.
    pub fn is(&self, source: &str) -> &Self {
        fs::write(self.directory.join("src/lib.rs"), source).unwrap();
        self
    }

    /// The target directory: that of the zoo, which has the same dependencies.
    pub fn target() -> PathBuf {
        own_target("zoo")
    }

    /// Builds it, and keeps a copy of that build under a unique name.
    pub fn build(&self) -> PathBuf {
        let library = crate::package(&self.directory, &self.name.replace('-', "_"));
        let builds = fs::read_dir(&self.directory).unwrap().count();
        let copy = self.directory.join(format!("build-{builds}.so"));
        fs::copy(library, &copy).unwrap();
        copy
    }
}
