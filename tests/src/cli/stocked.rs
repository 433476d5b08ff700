//! Packages of a tiny plugin in several versions, and homes to install them into.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use crate::cc;
use crate::cli::{PATIENT, directory, hookrail, run, text};
use crate::{binary, root};

/// The target of this machine, in the form that packages use.
pub const TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

/// The directory with the packages `screen-VERSION.hrp`, signed with `me.key`, and the configurations `one.json` and
/// `two.json`: made once for all tests.
pub fn packages() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let directory = directory(&format!("packages_{}", binary()));
        let source = with_tables(&fs::read_to_string(root().join("abi/examples/c/screen.c")).unwrap());
        fs::create_dir(directory.join("src")).unwrap();
        fs::write(directory.join("src/lib.rs"), "//! Nobody builds it here.\n").unwrap();
        for limit in ["one", "two"] {
            fs::write(directory.join(format!("{limit}.json")), format!("{{\"limit\": {limit:?}}}\n")).unwrap();
        }
        made(&directory, &["keygen", "--key", "me.key", "--no-password"]);
        for version in ["1.0.0", "1.1.0", "1.2.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0"] {
            let file = directory.join(format!("screen-{version}.c"));
            let defined = format!("#define SCREEN_VERSION \"{version}\"\n");
            fs::write(&file, defined + &source.replace("\"1.0.0\"", &format!("{version:?}"))).unwrap();
            let library = file.with_extension("so");
            cc::compile(cc::STRICT_C, file.to_str().unwrap(), &["-shared", "-fPIC"], library.to_str().unwrap());
            let manifest = format!(
                "[package]\nname = \"screen\"\nversion = \"{version}\"\nedition = \"2024\"\ndescription = \"Denies.\"\n\
                 authors = [\"Jane <jane@example.org>\"]\nrepository = \"https://code.example\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
                 [package.metadata.hookrail]\nfunctionality = [\"message_processing\"]\n[workspace]\n"
            );
            fs::write(directory.join("Cargo.toml"), manifest).unwrap();
            let library = format!("{TARGET}={}", library.display());
            let _ = fs::remove_dir_all(directory.join("etc"));
            if version == "4.0.0" {
                fs::create_dir(directory.join("etc")).unwrap();
                fs::write(directory.join("etc/screen.json"), "{ \"four\": true }\n").unwrap();
            }
            made(&directory, &["pack", ".", "--lib", &library, "--sign", "--key", "me.key"]);
        }
        directory
    })
}

/// The example with the tables of `screen_tables.c`, in which its versions differ.
fn with_tables(example: &str) -> String {
    let changes = [
        (
            "#include <hookrail.h>",
            "#include <hookrail.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n\nstatic void linger(void);",
        ),
        (
            "HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks,",
            concat!(include_str!("screen_tables.c"), "HOOKRAIL_ENTRY(create, start,"),
        ),
        ("hookrail_no_table);", "tables);"),
        (
            "  if (memmem(body->ptr, body->len, \"confidential\"",
            "  if (strcmp(SCREEN_VERSION, \"4.0.0\") == 0 && memmem(body->ptr, body->len, \"boom\", 4) != NULL) {\n\
               return HOOKRAIL_VERDICT_FAULT;\n  }\n\
             if (memmem(body->ptr, body->len, \"linger\", 6) != NULL) {\n    linger();\n  }\n  if (memmem(body->ptr, body->len, \"confidential\"",
        ),
    ];
    changes.into_iter().fold(example.to_owned(), |source, (of, by)| {
        assert_eq!(source.matches(of).count(), 1, "{of}");
        source.replace(of, by)
    })
}

fn made(directory: &Path, arguments: &[&str]) {
    let mut command = hookrail(arguments);
    let output = run(command.current_dir(directory).env("SOURCE_DATE_EPOCH", "1700000000"), b"");
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
}

/// A home that trusts the key of the packages.
pub struct Stocked {
    /// Its path.
    pub home: PathBuf,
}

impl Stocked {
    /// In a directory of the test, with this name.
    pub fn new(test: &str) -> Self {
        let stocked = Stocked { home: directory(test).join("home") };
        stocked.ok(&["trust", "add", "me.pub", "--name", "Jane"]);
        stocked
    }

    /// The program with this home, in the directory of the packages.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = hookrail(arguments);
        command.current_dir(packages()).env("HOOKRAIL_HOME", &self.home).envs(PATIENT);
        command
    }

    /// Runs the program with this home.
    pub fn run(&self, arguments: &[&str]) -> Output {
        run(&mut self.command(arguments), b"")
    }

    /// As [`run`](Self::run), but must succeed; returns its stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).to_owned()
    }

    /// As [`ok`](Self::ok); returns its stdout as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// The error message of a refusal, which must have this code and this exit code.
    pub fn refused(&self, arguments: &[&str], code: &str, exit: i32) -> String {
        let output = self.run(arguments);
        let said = text(&output.stderr).to_owned();
        assert!(said.contains(&format!("error[{code}]: ")) && said.contains("\n  fix: "), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        said
    }

    /// Everything in the home: modes and contents, without timestamps.
    pub fn all(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let (mut all, mut directories) = (BTreeMap::new(), vec![self.home.clone()]);
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                let metadata = path.symlink_metadata().unwrap();
                let mut bytes = Vec::new();
                if metadata.is_dir() {
                    directories.push(path.clone());
                } else {
                    bytes = fs::read(&path).unwrap();
                }
                if ["state.json", "trust.json", "config.json"].iter().any(|name| path.ends_with(name)) {
                    let moments = ["at\": ", "\"added\": ", "\"since\": "];
                    let is_moment = |line: &&str| moments.iter().any(|moment| line.contains(moment));
                    let text = String::from_utf8(bytes).unwrap();
                    bytes = text.lines().filter(|line| !is_moment(line)).collect::<String>().into();
                }
                let below = path.strip_prefix(&self.home).unwrap().to_owned();
                all.insert(below, (metadata.permissions().mode(), bytes));
            }
        }
        all
    }

    /// The plugin as it is listed, if it is.
    pub fn screen(&self) -> Option<Value> {
        let listed = self.json(&["plugin", "list"]);
        listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == "screen").cloned()
    }

    /// Its status, in the words of the table in docs/guide/operating.md.
    pub fn status(&self) -> String {
        let Some(plugin) = self.screen() else { return "not installed".into() };
        let status = plugin["status"].as_str().unwrap();
        match (status, plugin["loaded"].as_bool().unwrap()) {
            ("stopped", true) => "stopped, loaded".into(),
            ("stopped", false) => "stopped, not loaded".into(),
            (status, _) => status.into(),
        }
    }
}
