//! The errors of a host, by who is at fault. Every error has a stable code and names the next step.
//!
//! In all crates of the host, an error's `Display` is the whole of it, in one line unless it lists mistakes: what
//! happened, to what, and why. So no error has a `source()`: what prints an error and its sources would print the
//! reason twice. The reason of a failed system call is the field `cause`, for programs that look at its kind.
//!
//! Errors of packages, of the store and of commands are defined by the crates those belong to; they wrap this one.

mod config;
mod constructors;
mod lines;
mod misuse;
mod no_plugin;
mod system;

use std::borrow::Cow;
use std::io;

use serde::{Deserialize, Serialize};

pub use self::config::ConfigError;
pub use self::lines::lines;
pub use self::misuse::{ApiMisuse, NO_PLUGIN};
pub use self::no_plugin::Compiler;

/// An error of the host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program that embeds the host asked for something that is not possible.
    #[error(transparent)]
    ApiMisuse(#[from] ApiMisuse),
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The library cannot work with this host.
    #[error("{plugin}: {why}")]
    #[non_exhaustive]
    PluginIncompatible {
        /// The plugin's name, or its file while the name is not known.
        plugin: String,
        /// What does not fit.
        why: Incompatible,
    },
    /// The plugin broke a rule or failed.
    #[error("{plugin}: {why}")]
    #[non_exhaustive]
    PluginMisbehaved {
        /// The instance's name, or the plugin's.
        plugin: String,
        /// What it did.
        why: Misbehaved,
    },
    /// A system call failed.
    #[error("cannot {what}: {cause}")]
    #[non_exhaustive]
    System {
        /// What was attempted, with the file it was attempted on.
        what: String,
        /// Why it failed.
        cause: io::Error,
    },
}

/// Why a library cannot work with this host.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Incompatible {
    /// Its ABI versions and the host's have none in common.
    #[error("it works with ABI {plugin}, this host offers {host}")]
    #[non_exhaustive]
    Abi {
        /// The plugin's range.
        plugin: String,
        /// The host's range.
        host: String,
    },
    /// The file is truncated or damaged.
    #[error("the file is truncated or damaged: {0}")]
    Damaged(String),
    /// It is to run in a worker, and hooks a point whose payload never leaves the host's process.
    #[error("it registers `{callback}` on {point}, whose payload never leaves the process of the host")]
    #[non_exhaustive]
    LocalPoint {
        /// The point.
        point: String,
        /// The callback's name.
        callback: String,
    },
    /// Its note says what no note may say.
    #[error("its note is malformed: {0}")]
    MalformedNote(String),
    /// A structure of it has a null where a function belongs.
    #[error("its {what} lacks the function `{function}`")]
    #[non_exhaustive]
    MissingFunction {
        /// The structure: `entry`, or the table with its id.
        what: String,
        /// The function.
        function: String,
    },
    /// It is not a file that can be loaded.
    #[error("it is {0}, not a shared library")]
    NotALibrary(String),
    /// It is a shared library, but not a plugin.
    #[error("it is a shared library but not a Hookrail plugin: {why}")]
    #[non_exhaustive]
    NotAPlugin {
        /// What it lacks.
        why: String,
        /// What has compiled it.
        compiler: Compiler,
    },
    /// The loader returned an already loaded image, with whatever is in its statics.
    #[error("the loader returned an image of it that was already loaded")]
    NotFresh,
    /// The file's note contradicts the code.
    #[error("its note and its code disagree on {field}: the note says {note}, the code {code}")]
    #[non_exhaustive]
    NoteDisagrees {
        /// The field in which they differ.
        field: String,
        /// The value in the note.
        note: String,
        /// The value in the code.
        code: String,
    },
    /// Its note has a format that is newer than this host.
    #[error("its note has format {plugin}, this host reads format {host}")]
    #[non_exhaustive]
    NoteFormat {
        /// The note's format.
        plugin: u32,
        /// The format that this host reads.
        host: u32,
    },
    /// A structure of it is smaller than the first version of that structure.
    #[error("its {what} has {size} bytes, {needed} are needed")]
    #[non_exhaustive]
    TooSmall {
        /// The structure: `entry`, or the table with its id.
        what: String,
        /// The size that it states, in bytes.
        size: usize,
        /// The size of the first version, in bytes.
        needed: usize,
    },
    /// The system's loader refused it.
    #[error("the system cannot load it: {0}")]
    Open(String),
    /// It is for another machine.
    #[error("it is for {found}, not for {here}")]
    #[non_exhaustive]
    OtherMachine {
        /// The file's machine.
        found: String,
        /// The machine it should be for.
        here: Cow<'static, str>,
    },
    /// A panic in it would abort the host.
    #[error("it was built with panic = \"abort\": a panic in it would end the host")]
    PanicAborts,
    /// The payload of a point has another layout in the plugin.
    #[error("it was built for another payload of {point}: {difference}")]
    #[non_exhaustive]
    Payload {
        /// The point.
        point: String,
        /// The type, the field, and both layouts.
        difference: String,
    },
    /// It was built for another revision of a point.
    #[error("it was built for revision {plugin} of {point}, this host has revision {host}")]
    #[non_exhaustive]
    PointRevision {
        /// The point.
        point: String,
        /// The plugin's revision.
        plugin: u32,
        /// The host's revision.
        host: u32,
    },
    /// It has its own heap.
    #[error(
        "its `{0}` is not the one of this process: it brings a heap of its own, and payloads are grown and freed on both sides"
    )]
    PrivateHeap(Cow<'static, str>),
    /// It does not accept the state of the previous generation.
    #[error("{instance} does not accept the state `{schema}` version {version}: {message}")]
    #[non_exhaustive]
    State {
        /// The instance.
        instance: String,
        /// The schema of the state.
        schema: String,
        /// Its version.
        version: u32,
        /// The plugin's reason.
        message: String,
    },
    /// It hooks a point that this host does not have.
    #[error("it hooks {point}, which this host does not dispatch{}", hint(known))]
    #[non_exhaustive]
    UnknownPoint {
        /// The point.
        point: String,
        /// A point with a similar name.
        known: Option<String>,
    },
}

/// What a plugin did.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Misbehaved {
    /// It asked to be called in the form that is reserved for asynchronous callbacks.
    #[error("it registered `{callback}` on {point} as asynchronous, and this host calls callbacks only synchronously")]
    #[non_exhaustive]
    Asynchronous {
        /// The point.
        point: String,
        /// The callback's name.
        callback: String,
    },
    /// It registered a callback twice.
    #[error("it registered `{callback}` twice on {point}")]
    #[non_exhaustive]
    DuplicateCallback {
        /// The point.
        point: String,
        /// The callback's name.
        callback: String,
    },
    /// One of its functions failed.
    #[error("its {call} failed: {message}")]
    #[non_exhaustive]
    Failed {
        /// The function.
        call: Cow<'static, str>,
        /// What the plugin reported.
        message: String,
    },
    /// It made a malformed registration.
    #[error("it registered `{callback}` on {point} with {what}")]
    #[non_exhaustive]
    Malformed {
        /// The point.
        point: String,
        /// The callback's name.
        callback: String,
        /// What is wrong.
        what: String,
    },
    /// It gave no priority.
    #[error("it registered `{callback}` on {point} without a priority")]
    #[non_exhaustive]
    NoPriority {
        /// The point.
        point: String,
        /// The callback's name.
        callback: String,
    },
    /// It gave a reserved priority.
    #[error("it registered `{callback}` on {point} with the reserved priority {priority}")]
    #[non_exhaustive]
    ReservedPriority {
        /// The point.
        point: String,
        /// The callback's name.
        callback: String,
        /// The priority.
        priority: i32,
    },
    /// It handed over more state than is allowed.
    #[error("its {call} handed over {bytes} bytes, {limit} are allowed")]
    #[non_exhaustive]
    StateTooLong {
        /// The function.
        call: Cow<'static, str>,
        /// The size of the state, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Its worker process ended during a call.
    #[error("its worker {how} in {call}")]
    #[non_exhaustive]
    WorkerEnded {
        /// The function.
        call: Cow<'static, str>,
        /// How the process ended.
        how: String,
    },
    /// A call into its worker process did not return in time, so the process was ended.
    #[error("its {call} did not return within {within}, so its worker was ended")]
    #[non_exhaustive]
    WorkerLate {
        /// The function.
        call: Cow<'static, str>,
        /// The time that it had.
        within: String,
    },
    /// An instance was started, and was not ready in time.
    #[error("it is not ready after {after}: {why}")]
    #[non_exhaustive]
    NotReady {
        /// The time that it had.
        after: String,
        /// What it waits for.
        why: String,
    },
    /// It registered a callback that its file does not declare.
    #[error("it registered `{callback}` on {point}, which its note does not declare")]
    #[non_exhaustive]
    Undeclared {
        /// The point.
        point: String,
        /// The callback's name.
        callback: String,
    },
}

impl Error {
    /// The stable code, `HR` and four digits.
    pub fn code(&self) -> &'static str {
        self.code_and_fix().0
    }

    /// Whether the same may succeed in a moment, without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        crate::retryable::is_retryable(self.code())
    }

    /// The next step for the person who reads the error.
    pub fn fix(&self) -> Cow<'static, str> {
        self.code_and_fix().1
    }

    fn code_and_fix(&self) -> (&'static str, Cow<'static, str>) {
        let (code, fix) = match self {
            Error::ApiMisuse(misuse) => misuse.code_and_fix(),
            Error::Config(error) => return (error.code(), error.fix()),
            Error::PluginIncompatible { plugin, why } => match why {
                Incompatible::Abi { .. } => {
                    ("HR0301", "rebuild the plugin with a `hookrail-abi` of the host's major version")
                }
                Incompatible::Damaged(_) => ("HR0302", "build or copy the file again"),
                Incompatible::NotALibrary(_) => return ("HR0303", no_plugin::of_file(plugin)),
                Incompatible::NotAPlugin { compiler, .. } => ("HR0304", no_plugin::of_library(*compiler)),
                Incompatible::MalformedNote(_) => (
                    "HR0317",
                    "C: HOOKRAIL_PLUGIN takes quoted texts, decimal numbers and the constants of the header; Rust: build it again",
                ),
                Incompatible::NoteDisagrees { .. } => {
                    ("HR0305", "rebuild it; in C, fix the note or the code so that both say the same")
                }
                Incompatible::NoteFormat { .. } => (
                    "HR0316",
                    "upgrade the host, or build it with the `hookrail-abi` or `hookrail.h` of the host's version",
                ),
                Incompatible::MissingFunction { .. } => (
                    "HR0319",
                    "for its author: set that function, in C by the macros of hookrail.h, and build it again",
                ),
                Incompatible::LocalPoint { .. } => {
                    ("HR0318", "run it in the process of the host: `isolation = \"in-process\"`")
                }
                Incompatible::NotFresh => ("HR0314", "restart the program, and please report it"),
                Incompatible::TooSmall { .. } => (
                    "HR0315",
                    "state `sizeof` of the structure in its `size`, and build it with an unchanged hookrail.h",
                ),
                Incompatible::Open(said) => (
                    "HR0306",
                    system::fix_of_text(said).unwrap_or("install what is missing, or link it into the plugin"),
                ),
                Incompatible::OtherMachine { .. } => ("HR0307", "build it for this machine"),
                Incompatible::PanicAborts => ("HR0308", "remove panic = \"abort\" from its profile and rebuild it"),
                Incompatible::Payload { .. } => {
                    ("HR0309", "build both sides with the same version of the crate that declares the point")
                }
                Incompatible::PointRevision { .. } => {
                    ("HR0310", "build both sides with the same version of the crate that declares the point")
                }
                Incompatible::PrivateHeap(_) => (
                    "HR0311",
                    "build it without its own malloc; a Rust global allocator that leaves malloc alone is fine",
                ),
                Incompatible::State { .. } => {
                    ("HR0313", "build one that restores it, or leave it behind with `--fresh` (`Host::upgrade_fresh`)")
                }
                Incompatible::UnknownPoint { .. } => (
                    "HR0312",
                    "`hookrail hooks list` shows the points; an embedder declares its own before it loads plugins",
                ),
            },
            Error::PluginMisbehaved { why, .. } => match why {
                Misbehaved::Asynchronous { .. } => ("HR0408", "set its form to HOOKRAIL_FORM_SYNCHRONOUS"),
                Misbehaved::DuplicateCallback { .. } => ("HR0401", "give the callbacks of one point different names"),
                Misbehaved::Failed { call, .. } => ("HR0402", fix_of_call(call)),
                Misbehaved::Malformed { .. } => ("HR0403", "docs/abi.md describes the registration record"),
                Misbehaved::NoPriority { .. } => ("HR0404", "give a priority and set HOOKRAIL_HAS_PRIORITY"),
                Misbehaved::NotReady { .. } => ("HR0411", "see to what it waits for, or raise `ready` in [health]"),
                Misbehaved::ReservedPriority { .. } => {
                    ("HR0405", "use a number below 1000 to run before the built-in callbacks, above to run after")
                }
                Misbehaved::StateTooLong { .. } => (
                    "HR0407",
                    "raise `max_state` in [upgrade], or leave it behind with `--fresh` (`Host::upgrade_fresh`)",
                ),
                Misbehaved::WorkerEnded { .. } => (
                    "HR0409",
                    "fix what ends the process; `hookrail check --isolated FILE` calls each of its functions by itself",
                ),
                Misbehaved::WorkerLate { .. } => {
                    ("HR0410", "fix what holds it up, or raise `patience` in [plugins.NAME.worker]")
                }
                Misbehaved::Undeclared { .. } => ("HR0406", "declare it in HOOKS"),
            },
            Error::System { cause, .. } => ("HR0501", system::fix(cause)),
        };
        (code, fix.into())
    }
}

/// The next step after a function of a plugin has failed.
fn fix_of_call(call: &str) -> &'static str {
    match call {
        "create" | "start" => {
            "fix what it reports; `hookrail run -vv` shows what it logs, `hookrail config get NAME` its configuration"
        }
        "reload" => {
            "set another one; or have the plugin loaded again with this one: `hookrail config set NAME KEY=VALUE --restart`"
        }
        "save" | "save_changes" => {
            "fix what it reports, or leave its state behind with `--fresh` (`Host::upgrade_fresh`)"
        }
        "schema" => "its author has to export a JSON Schema: `hookrail inspect --schema FILE` prints what it exports",
        _ => "fix what it reports; `hookrail check FILE` calls each of its functions by itself",
    }
}

fn hint(known: &Option<String>) -> String {
    known.as_ref().map(|known| format!(": {known}")).unwrap_or_default()
}
