//! Old plugins run in new hosts, and new plugins in old hosts.
//!
//! `tests/frozen/abi-1.0` holds the sources of the boundary as 1.0 has them. The other side of the matrix, `1.1-test`,
//! is today's sources with one more id to query, one more field in each structure that a plugin meets, and one more key
//! in the note, patched into a copy.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use hookrail::{End, Host, Message, MessagePublish};
use hookrail_tests::scene::patient;
use hookrail_tests::{cc, root};

/// A plugin that uses nothing of 1.1.
const OLD_PLUGIN: &str = r#"//! Built with ABI 1.0.
use hookrail_abi::prelude::*;

struct Old;

impl Old {
    fn mark(&self, message: &mut Message) {
        message.add_header("extra", "not asked for");
    }
}

impl Plugin for Old {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "mark" => Self::mark, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Old)
    }
}

export!(Old, name = "matrix");
"#;

/// A plugin that asks for what is new in 1.1.
const NEWER_PLUGIN: &str = r#"//! Built with ABI 1.1.
use hookrail_abi::prelude::*;

struct Newer;

impl Newer {
    fn mark(&self, message: &mut Message) {
        message.add_header("extra", &hookrail_abi::host::extra());
    }
}

impl Plugin for Newer {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "mark" => Self::mark, priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Newer)
    }
}

export!(Newer, name = "matrix");
"#;

/// A host as small as they come: loads the plugin it is told, dispatches, says what it sees.
const HOST: &str = r#"//! Loads one plugin and dispatches one message.
use std::time::Duration;

use hookrail::{Config, Host, Message, MessagePublish, UnloadLimits};

fn main() {
    // Enough for a busy machine.
    let unload = UnloadLimits::default().with_deadline(Duration::from_secs(120));
    let host = Host::new(Config::default().with_unload(unload)).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    // SAFETY: a plugin of our tests.
    let plugin = unsafe { host.load(std::env::args_os().nth(1).unwrap()) }.unwrap_or_else(|error| panic!("{error}"));
    let mut message = Message::new("a", "");
    let _ = publish.dispatch(&mut message);
    println!("extra: {}", message.header("extra").unwrap());
    println!("end: {}", host.unload(&plugin).unwrap());
}
"#;

#[test]
fn an_old_plugin_runs_in_todays_host() {
    for plugin in [old_plugin(), old_c_plugin()] {
        assert_eq!(dispatch_here(&plugin), "not asked for");
    }
}

#[test]
fn an_old_plugin_runs_in_a_newer_host() {
    for plugin in [old_plugin(), old_c_plugin()] {
        assert_eq!(dispatch_in_newer_host(&plugin), "extra: not asked for\nend: unmapped\n");
    }
}

#[test]
fn a_newer_plugin_runs_in_todays_host_without_what_is_new() {
    assert_eq!(dispatch_here(&newer_plugin()), "the host has none: 0");
}

#[test]
fn a_newer_plugin_runs_in_a_newer_host_with_what_is_new() {
    assert_eq!(dispatch_in_newer_host(&newer_plugin()), "extra: 42 and 43\nend: unmapped\n");
}

fn dispatch_here(plugin: &Path) -> String {
    let host = Host::new(patient()).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    // SAFETY: our own plugin.
    let plugin = unsafe { host.load(plugin) }.unwrap();
    let mut message = Message::new("a", "");
    let _ = publish.dispatch(&mut message);
    assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
    message.header("extra").unwrap().into()
}

// Each package is written and built once: tests run at once, and what one writes another's cargo would read.

fn dispatch_in_newer_host(plugin: &Path) -> String {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        newer_sources();
        let target = "[[bin]]\nname = \"newer-host\"\npath = \"lib.rs\"";
        let directory = package("newer-host", target, &[("hookrail", newer().join("host"))], HOST);
        hookrail_tests::package(&directory, "newer-host")
    });
    let output = Command::new(&*BUILT).arg(plugin).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn frozen() -> PathBuf {
    root().join("tests/frozen/abi-1.0")
}

fn old_plugin() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let directory = package("old-plugin", CDYLIB, &[("hookrail-abi", frozen())], OLD_PLUGIN);
        hookrail_tests::package(&directory, "old_plugin")
    });
    BUILT.clone()
}

/// Its header lies beside it, and is the one that it finds.
fn old_c_plugin() -> PathBuf {
    let source = frozen().join("matrix.c");
    cc::compile(cc::STRICT_C, source.to_str().unwrap(), &["-shared", "-fPIC"], "libhookrail_matrix.so")
}

/// Uses the new field and the new id, where the host has them.
fn newer_plugin() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        newer_sources();
        let directory = package("newer-plugin", CDYLIB, &[("hookrail-abi", newer().join("abi"))], NEWER_PLUGIN);
        hookrail_tests::package(&directory, "newer_plugin")
    });
    BUILT.clone()
}

const CDYLIB: &str = "[lib]\npath = \"lib.rs\"\ncrate-type = [\"cdylib\"]";

fn matrix() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix")
}

fn newer() -> PathBuf {
    matrix().join("1.1-test")
}

/// Writes a package of one file; only what changed, so that cargo builds it once.
fn package(name: &str, target: &str, dependencies: &[(&str, PathBuf)], source: &str) -> PathBuf {
    let directory = matrix().join(name);
    let dependencies: String =
        dependencies.iter().map(|(name, path)| format!("{name} = {{ path = {path:?} }}\n")).collect();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n{target}\n\n[dependencies]\n{dependencies}\n\
         [workspace]\n\n[profile.dev]\ndebug = false\n"
    );
    write(&directory.join("Cargo.toml"), &manifest);
    write(&directory.join("lib.rs"), source);
    // The versions of the workspace: no network, nothing new.
    if !directory.join("Cargo.lock").exists() {
        std::fs::copy(root().join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    }
    directory
}

/// A copy of today's sources with ABI 1.1 in it.
fn newer_sources() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let start = manifest.find("members = [").unwrap();
        let end = manifest.find("[workspace.package]").unwrap();
        let manifest = format!("{}members = [\"abi\", \"host\"]\n\n{}", &manifest[..start], &manifest[end..]);
        write(&newer().join("Cargo.toml"), &manifest);
        for part in ["abi", "host"] {
            copy(&root().join(part), &newer().join(part));
        }
        patch("abi/src/boundary.rs", "ABI_VERSION: u32 = 1 << 16", "ABI_VERSION: u32 = 1 << 16 | 1");
        patch(
            "abi/src/boundary.rs",
            "    /// A service by versioned id, or null.\n    pub query: unsafe extern \"C\" fn(id: Str) -> *const c_void,\n}\n\n/// One callback",
            "    /// A service by versioned id, or null.\n    pub query: unsafe extern \"C\" fn(id: Str) -> *const c_void,\n    /// New in 1.1.\n    pub extra: u32,\n}\n\n/// One callback",
        );
        for (field, next) in [
            ("    pub query: unsafe extern \"C\" fn(id: Str) -> *const c_void,\n", "}\n\n// SAFETY: an entry is never written"),
            ("    pub ops: *const PayloadOps,\n", "}\n\n/// Constants of [`Registration`]"),
        ] {
            patch("abi/src/boundary.rs", &format!("{field}{next}"), &format!("{field}    /// New in 1.1.\n    pub extra: u64,\n{next}"));
        }
        patch("abi/src/entry.rs", "        query: query::<P>,\n    }", "        query: query::<P>,\n        extra: 7,\n    }");
        patch("abi/src/entry.rs", "            ops: (self.ops)(),\n", "            ops: (self.ops)(),\n            extra: 7,\n");
        patch(
            "abi/src/payload.rs",
            "to: *mut u8, room: usize) -> usize>,\n}",
            "to: *mut u8, room: usize) -> usize>,\n    /// New in 1.1.\n    pub extra: usize,\n}",
        );
        let (record, newer) = ("                ops: null(),\n", "                ops: null(),\n                extra: 0,\n");
        patch("host/isolate/src/remote/body.rs", record, newer);
        patch("abi/src/payload.rs", "encode_into: None,\n", "encode_into: None,\n            extra: 7,\n");
        patch("abi/src/note.rs", "{\\\"format\\\":1,", "{\\\"format\\\":1,\\\"extra\\\":[7],");
        patch("abi/src/testing.rs", "    query,\n};", "    query,\n    extra: 0,\n};");
        patch(
            "abi/src/host.rs",
            "pub(crate) fn table() -> Option<HostTable> {",
            "/// What is new in 1.1, where the host has it.\npub fn extra() -> String {\n    match (table(), service::<LogService>(\"extra/1\")) {\n        (Some(host), Some(more)) => format!(\"{} and {}\", host.extra, more.size),\n        (Some(host), None) => format!(\"the host has none: {}\", host.extra),\n        (None, _) => \"no host\".into(),\n    }\n}\n\npub(crate) fn table() -> Option<HostTable> {",
        );
        patch("host/engine/src/service.rs", "    query,\n};", "    query,\n    extra: 42,\n};");
        patch(
            "host/engine/src/service/builtin.rs",
            "        Services::register(\"log/1\", &LOG);",
            "        static EXTRA: LogService = LogService { size: 43, write: log };\n        Services::register(\"extra/1\", &EXTRA);\n        Services::register(\"log/1\", &LOG);",
        );
    });
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, copied) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            if !["cli", "check", "cuttlefish", "examples"].iter().any(|other| entry.file_name() == *other) {
                copy(&source, &copied);
            }
        } else {
            std::fs::create_dir_all(to).unwrap();
            std::fs::copy(&source, &copied).unwrap();
        }
    }
}

fn patch(file: &str, old: &str, new: &str) {
    let file = newer().join(file);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches(old).count(), 1, "{}: {old}", file.display());
    std::fs::write(&file, text.replace(old, new)).unwrap();
}

fn write(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    if std::fs::read_to_string(file).ok().as_deref() != Some(text) {
        std::fs::write(file, text).unwrap();
    }
}
