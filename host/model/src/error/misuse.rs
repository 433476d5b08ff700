//! Mistakes of the embedding program, and of commands.

use hookrail_abi::catalogue;

use crate::constructors;

/// The code of every error that names a plugin which is not there: not loaded, not installed, or in no directory.
pub const NO_PLUGIN: &str = "HR0103";

/// A mistake of the embedding program, or of a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiMisuse {
    /// A plugin with that name is already loaded.
    #[error("a plugin named `{0}` is already loaded")]
    AlreadyLoaded(String),
    /// The file is a build of another plugin than the one it should replace.
    #[error("the file is a build of `{found}`, not of `{plugin}`")]
    #[non_exhaustive]
    AnotherPlugin {
        /// The plugin to be replaced.
        plugin: String,
        /// The name in the file.
        found: String,
    },
    /// Another operation on the plugin is in progress.
    #[error("`{plugin}` is being {doing}")]
    #[non_exhaustive]
    Busy {
        /// The plugin.
        plugin: String,
        /// The operation: `loaded`, `upgraded` and so on.
        doing: &'static str,
    },
    /// The same callback of the same instance is already registered at that point.
    #[error("{point} already has a callback {callback}")]
    #[non_exhaustive]
    CallbackExists {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
    },
    /// The host is being dropped, or is gone.
    #[error("the host is ending")]
    Closing,
    /// A callback of the program, or its instance, has a name that cannot be part of `instance/callback`.
    #[error("the name `{0}` is not made of letters, digits, `-`, `_` and `.`")]
    InvalidName(String),
    /// The point has no such callback.
    #[error("{point} has no callback `{callback}`")]
    #[non_exhaustive]
    NoCallback {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
    },
    /// There is no such point.
    #[error("{}", no_point(.0))]
    NoPoint(String),
    /// There is no pipeline with that name.
    #[error("there is no pipeline `{0}`")]
    NoPipeline(String),
    /// The host has no plugin store.
    #[error("this host has no plugin store")]
    NoStore,
    /// The plugin is to run in a worker process, and this program has not said that it runs any.
    #[error("`{0}` is to run in a worker process, and this program runs none")]
    NoWorkers(String),
    /// No plugin with that name is loaded.
    #[error("no plugin named `{0}` is loaded")]
    NotLoaded(String),
    /// The callback is not quarantined.
    #[error("{callback} on {point} is not quarantined")]
    #[non_exhaustive]
    NotQuarantined {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
    },
    /// The calling thread shares no descriptors with the first one.
    #[error("this thread has descriptors of its own: it has called unshare(CLONE_FILES)")]
    OwnDescriptors,
    /// There is a pipeline with that name already.
    #[error("there is a pipeline `{0}` already")]
    PipelineThere(String),
    /// The host has pipelines already.
    #[error("the host has pipelines already")]
    PipelinesThere,
    /// Two declarations of one point disagree.
    #[error("the point {0} was declared before with another payload, kind or revision")]
    PointRedeclared(String),
    /// The plugin's status does not allow the operation.
    #[error("`{plugin}` is {status}")]
    #[non_exhaustive]
    Status {
        /// The plugin.
        plugin: String,
        /// `running` or `stopped`.
        status: &'static str,
    },
    /// The host already has a store.
    #[error("the host already has a store")]
    StoreThere,
    /// The calling thread is ending.
    #[error("this thread is ending, and its thread-locals are gone")]
    ThreadEnding,
}

constructors! {
    ApiMisuse:
    another_plugin = AnotherPlugin(plugin: impl Into<String>, found: impl Into<String>),
    busy = Busy(plugin: impl Into<String>, doing: &'static str),
    callback_exists = CallbackExists(point: impl Into<String>, callback: impl Into<String>),
    no_callback = NoCallback(point: impl Into<String>, callback: impl Into<String>),
    not_quarantined = NotQuarantined(point: impl Into<String>, callback: impl Into<String>),
    status = Status(plugin: impl Into<String>, status: &'static str),
}

impl ApiMisuse {
    pub(super) fn code_and_fix(&self) -> (&'static str, &'static str) {
        match self {
            ApiMisuse::AlreadyLoaded(_) => ("HR0101", "unload it first, or configure another instance of it"),
            ApiMisuse::AnotherPlugin { .. } => ("HR0105", "pass a build of the same plugin, or load the other one"),
            ApiMisuse::Busy { .. } => ("HR0106", "wait until that is over, and repeat the command"),
            ApiMisuse::CallbackExists { .. } => ("HR0102", "give one of the two another name"),
            ApiMisuse::Closing => ("HR0108", "start the program again"),
            ApiMisuse::InvalidName(_) => ("HR0114", "give it another name: `instance/callback` names a callback"),
            ApiMisuse::NoCallback { .. } => ("HR0109", "`hookrail hooks show POINT` shows them, as instance/callback"),
            ApiMisuse::NoPipeline(_) => ("HR0118", "`hookrail pipeline list` shows them all"),
            ApiMisuse::NoStore => ("HR0112", "ask another host, or start this one without --no-store"),
            ApiMisuse::NoWorkers(_) => (
                "HR0117",
                "call `hookrail::worker::enter()` first in `main`, or set `isolation = \"in-process\"` for it",
            ),
            ApiMisuse::StoreThere => ("HR0113", "give it one store, once"),
            ApiMisuse::PipelineThere(_) => ("HR0119", "give it another name"),
            ApiMisuse::PipelinesThere => ("HR0120", "begin its pipelines once"),
            ApiMisuse::OwnDescriptors => ("HR0116", "load it on another thread"),
            ApiMisuse::ThreadEnding => ("HR0115", "do it on another thread, or before this one ends"),
            ApiMisuse::NoPoint(_) => ("HR0110", "`hookrail hooks list` shows them all"),
            ApiMisuse::NotQuarantined { .. } => {
                ("HR0111", "`hookrail hooks explain POINT` shows the status of each callback")
            }
            ApiMisuse::NotLoaded(_) => (NO_PLUGIN, "`hookrail plugin list` shows what is loaded"),
            ApiMisuse::PointRedeclared(_) => ("HR0104", "share one declaration, in a crate that all sides depend on"),
            ApiMisuse::Status { .. } => (
                "HR0107",
                "`plugin start` (`Host::start`) runs what is stopped, `plugin resume` (`Host::resume`) what is halted; `plugin stop` (`Host::stop`) stops what runs",
            ),
        }
    }
}

/// The text for an unknown point; a point of the catalogue may be added one day.
fn no_point(name: &str) -> String {
    let is_it = |built_in: &&catalogue::BuiltIn| built_in.name == name && built_in.revision == 0;
    match catalogue::BUILT_IN.iter().find(is_it) {
        Some(_) => format!("{name}: no host dispatches it yet, so no callback is called"),
        None => format!("there is no hook point `{name}`"),
    }
}
