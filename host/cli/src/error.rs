//! What can go wrong in the program, and the next step.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;

use hookrail::control::wire::Problem;
use hookrail::control::{self, CallError, ControlError, NotLoaded, Running};
use hookrail::{ApiMisuse, NO_PLUGIN};

use crate::exit::ExitCode;
use crate::prebuilt::PREBUILT;
use crate::running;
use crate::shell::quoted;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A running host refused, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The library refused.
    #[error("{input} is UTF-16 or UTF-32: plugins take bodies for UTF-8, so that a mask would miss what it looks for")]
    Encoding { input: String, encoding: &'static str },
    #[error(transparent)]
    Host(#[from] control::Error),
    #[error("{file} is not a configuration:{why}")]
    BadConfig { file: String, why: String },
    #[error("the tests cannot run:{}", .0.iter().map(|mistake| format!("\n  {mistake}")).collect::<String>())]
    BadTests(Vec<String>),
    #[error("the key {key}: {why}")]
    BadKey { key: String, why: String },
    /// Enabled plugins are relied on.
    #[error("{} is enabled and cannot be loaded: {}", .0.plugin, .0.error)]
    Enabled(Box<NotLoaded>),
    #[error("{} is a library, and `plugin upgrade` takes packages", file.display())]
    IsLibrary { plugin: String, file: PathBuf },
    #[error("{} is a package, and `plugin replace` takes libraries", file.display())]
    IsPackage { plugin: String, file: PathBuf },
    /// The configuration names it.
    #[error("the library of `{plugin}`: {error}")]
    Library { plugin: String, error: Box<hookrail::Error> },
    #[error("`{package}` builds several libraries that can be plugins: {}", list(files))]
    ManyCdylibs { package: String, files: Vec<PathBuf> },
    #[error("the pattern `{pattern}` {why}")]
    NoCheck { pattern: String, why: String },
    #[error("cannot run {program}: {cause}")]
    NoBuilder { program: &'static str, cause: io::Error },
    #[error("`{0}` builds no library that can be a plugin")]
    NoCdylib(String),
    #[error("`make` leaves no library of the plugin `{plugin}` in {}", directory.display())]
    NoLibrary { plugin: String, directory: PathBuf },
    #[error("there is no plugin `{name}` in {}", list(looked))]
    NoPlugin { name: String, looked: Vec<PathBuf> },
    #[error("a plugin has ended this process: its code called `exit`")]
    PluginExit,
    #[error("the password of {key}: {why}")]
    NoPassword { key: String, why: String },
    #[error("no worker has crashed")]
    NoCrash,
    #[error("no call of the report `{}` can be made again: {why}", id.escape_debug())]
    NoReplay { id: String, why: String },
    #[error("no host is running: there is no socket of one in {}", .0.display())]
    NoneRuns(PathBuf),
    #[error("no host with the PID {pid} is running{}", others(running))]
    NotRunning { pid: u32, running: Vec<Running> },
    #[error("{name} has no former configuration {revision}")]
    NoRevision { name: String, revision: u64 },
    #[error("no configuration schema of {} is known", .0.display())]
    NoSchema(PathBuf),
    #[error("cannot create `{name}`: {why}")]
    NotMade { name: String, why: String },
    #[error("cannot pack {package}: {why}")]
    NotPacked { package: String, why: String },
    #[error("{} is no directory of a package: {why}", directory.display())]
    NotAPackage { directory: PathBuf, why: String },
    /// Nobody could be asked.
    #[error("not confirmed, and stdin is not a terminal to ask on: {0}")]
    NotConfirmed(String),
    #[error("{0} checks are selected, and --in-process runs one")]
    NotOneCheck(usize),
    #[error("{} hosts are running{}", .0.len(), others(.0))]
    SeveralRun(Vec<Running>),
    #[error("cannot write to stdout: {0}")]
    Stdout(io::Error),
    #[error("the plugin `{name}` is named twice: {} and {}", first.display(), second.display())]
    TwicePlugin { name: String, first: PathBuf, second: PathBuf },
    #[error("{} is a workspace of several packages", directory.display())]
    Workspace { directory: PathBuf, plugins: Vec<PathBuf> },
}

impl From<hookrail::Error> for Error {
    fn from(error: hookrail::Error) -> Self {
        Error::Host(error.into())
    }
}

impl From<hookrail::package::Error> for Error {
    fn from(error: hookrail::package::Error) -> Self {
        Error::Host(error.into())
    }
}

impl From<hookrail::store::Error> for Error {
    fn from(error: hookrail::store::Error) -> Self {
        Error::Host(error.into())
    }
}

impl From<hookrail_check::Error> for Error {
    fn from(error: hookrail_check::Error) -> Self {
        use hookrail_check::Error as Check;
        match error {
            Check::Host(error) => error.into(),
            Check::NoCheck { pattern, why } => Error::NoCheck { pattern, why },
        }
    }
}

impl Error {
    /// A file, or what people call it, cannot be read.
    pub(crate) fn reading(file: &dyn fmt::Display, cause: io::Error) -> Self {
        Error::system(format!("read {file}"), cause)
    }

    /// A file cannot be written.
    pub(crate) fn writing(file: &dyn fmt::Display, cause: io::Error) -> Self {
        Error::system(format!("write {file}"), cause)
    }

    /// The system refuses something.
    pub(crate) fn system(what: impl Into<String>, cause: io::Error) -> Self {
        hookrail::Error::system(what, cause).into()
    }

    /// The stable code: that of the library, or HR06 for the program's own errors.
    pub(crate) fn code(&self) -> &str {
        match self {
            Error::Call(error) => error.code(),
            Error::Host(error) => error.code(),
            Error::Enabled(failed) => failed.error.code(),
            Error::NoPlugin { .. } => NO_PLUGIN,
            Error::NoSchema(_) => "HR0604",
            Error::Stdout(_) => "HR0606",
            Error::Library { error, .. } => error.code(),
            Error::TwicePlugin { .. } => "HR0608",
            Error::NoneRuns(_) => ControlError::NeedsHost.code_and_fix().0,
            Error::SeveralRun(_) => "HR0610",
            Error::NotRunning { .. } => "HR0611",
            Error::NotAPackage { .. } => "HR0612",
            Error::Workspace { .. } => "HR0613",
            Error::NoCdylib(_) | Error::NoLibrary { .. } => "HR0614",
            Error::ManyCdylibs { .. } => "HR0615",
            Error::NoBuilder { .. } => "HR0616",
            Error::NoCheck { .. } => "HR0617",
            Error::NotOneCheck(_) => "HR0619",
            Error::BadKey { .. } => "HR0620",
            Error::NotPacked { .. } => "HR0621",
            Error::NotMade { .. } => "HR0622",
            Error::BadConfig { .. } => "HR0623",
            Error::NoRevision { .. } => "HR0624",
            Error::IsLibrary { .. } => "HR0625",
            Error::IsPackage { .. } => "HR0626",
            Error::NotConfirmed(_) => "HR0627",
            Error::NoPassword { .. } => "HR0628",
            Error::NoCrash => ControlError::NoCrash(String::new()).code_and_fix().0,
            Error::NoReplay { .. } => "HR0631",
            Error::BadTests(_) => "HR0632",
            Error::PluginExit => "HR0629",
            Error::Encoding { .. } => "HR0630",
        }
    }

    /// The next step.
    pub(crate) fn fix(&self) -> Cow<'_, str> {
        match self {
            Error::Call(error) => error.fix(),
            Error::Host(error) => error.fix(),
            Error::Enabled(failed) => {
                let NotLoaded { plugin, error, .. } = &**failed;
                format!("{}; to go without it: `hookrail plugin disable {plugin}`, or --no-store", error.fix()).into()
            }
            Error::NoCrash => "reports are in the home of the host: `hookrail status` shows which that is".into(),
            Error::NoReplay { id, .. } => {
                format!("`hookrail crash show {}` shows what is known of it", quoted(id)).into()
            }
            Error::Library { plugin, error } => {
                if let hookrail::Error::ApiMisuse(ApiMisuse::AnotherPlugin { found, .. }) = &**error {
                    return format!("name it [plugins.{found}], or give `library` in [plugins.{plugin}] the other file").into();
                }
                format!("{}; `library` in [plugins.{plugin}] names the file", error.fix()).into()
            }
            Error::NoPlugin { name, .. } if PREBUILT.contains(&name.as_str()) => {
                "`cargo build --release` at the workspace root builds it beside the program".into()
            }
            Error::NoPlugin { .. } => {
                let bundled = PREBUILT.join(", ");
                format!("pass its file with --plugin FILE, or its directory with --plugin-dir DIR or $HOOKRAIL_PLUGINS; bundled are {bundled}").into()
            }
            Error::IsLibrary { plugin, file } => {
                let file = file.display();
                format!("`hookrail plugin replace {plugin} {file}` replaces the running code until the host ends").into()
            }
            Error::IsPackage { plugin, file } => {
                let file = file.display();
                format!("`hookrail plugin upgrade {plugin} {file}` installs it, for good").into()
            }
            Error::ManyCdylibs { .. } => "choose one after `--`, for example `-- --lib`".into(),
            Error::NoBuilder { program: "make", .. } => {
                "install make and a C compiler (on Debian: `apt install make gcc`), or put `make` into $PATH".into()
            }
            Error::NoBuilder { .. } => "install Rust (https://rustup.rs), or put `cargo` into $PATH".into(),
            Error::BadConfig { .. } => "`hookrail config schema NAME` prints what a plugin takes, docs/guide/operating.md says what `plugin apply` reads".into(),
            Error::BadTests(_) => "docs/guide/serving.md says what a file of tests takes".into(),
            Error::NoRevision { name, .. } => {
                format!("`hookrail config history {name}` shows those that are kept").into()
            }
            Error::BadKey { .. } => "--key names another one; `hookrail keygen` makes one, `hookrail trust list` shows whom you trust".into(),
            Error::NoCheck { .. } => "`hookrail check --list` shows them all".into(),
            Error::NotConfirmed(_) => "--yes skips the question".into(),
            Error::NoPassword { .. } => "--password-file FILE gives it; `hookrail keygen --no-password` makes a key without one".into(),
            Error::PluginExit => "run with fewer plugins to find it; `hookrail check FILE` runs one in processes of its own".into(),
            Error::NotMade { .. } => "`hookrail new --help` says what it takes".into(),
            Error::NotPacked { .. } => "mend what is named, and pack again; `hookrail pack --help` says what is packed".into(),
            Error::NoCdylib(_) => "write `[lib]` and `crate-type = [\"cdylib\"]` into its Cargo.toml".into(),
            Error::NoLibrary { .. } => {
                "its first target has to write one lib*.so beside the Makefile, as after `hookrail new --lang c`".into()
            }
            Error::NotAPackage { .. } => {
                "name the directory that its Cargo.toml is in, or for C its Makefile and hookrail-package.toml".into()
            }
            Error::Workspace { plugins, .. } if plugins.is_empty() => {
                "name the directory of the plugin's package; none here builds a cdylib".into()
            }
            Error::Workspace { plugins, .. } => format!("name the directory of one: {}", list(plugins)).into(),
            Error::NoneRuns(_) => {
                "`hookrail run` starts one; --control PATH reaches one whose socket is elsewhere".into()
            }
            Error::NotRunning { .. } => "--pid takes one of those that run; `hookrail run` starts one".into(),
            Error::SeveralRun(_) => "choose one with --pid PID".into(),
            Error::NoSchema(_) => "its README says what it takes; `#[config]` on a type exports a schema".into(),
            Error::NotOneCheck(_) => "choose one with --only NAME; `hookrail check --list` shows them all".into(),
            Error::Encoding { input, encoding } if input == "stdin" => {
                format!("convert it: `iconv -f {encoding} -t UTF-8` before `hookrail run` in the pipe").into()
            }
            Error::Encoding { input, encoding } => {
                format!("convert it: `iconv -f {encoding} -t UTF-8 {} | hookrail run`", quoted(input)).into()
            }
            Error::Stdout(cause) => {
                let again = cause.raw_os_error().map_or_else(|| cause.kind().into(), io::Error::from_raw_os_error);
                format!("{}; or send the output elsewhere", hookrail::Error::system("write to stdout", again).fix()).into()
            }
            Error::TwicePlugin { name, .. } => {
                format!("leave one out; several uses of one plugin are [plugins.{name}.instances]").into()
            }
        }
    }

    /// The error as programs read it.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Error::Call(CallError::Refused(problem)) => problem.clone(),
            error => Problem::new(error.code(), error.to_string(), error.fix()),
        }
    }

    /// What the error's code says, except where the system's reason says more.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match (self, self.cause().map(io::Error::kind)) {
            (Error::Stdout(_), Some(io::ErrorKind::BrokenPipe)) => ExitCode::StdoutClosed,
            (_, Some(io::ErrorKind::NotFound)) => ExitCode::NotFound,
            _ => ExitCode::of(&self.problem()),
        }
    }

    /// The system's reason, if the system refused something.
    fn cause(&self) -> Option<&io::Error> {
        match self {
            Error::Call(CallError::Unreachable { cause, .. }) | Error::Stdout(cause) => Some(cause),
            Error::Enabled(failed) => of_host(&failed.error),
            Error::Host(error) => of_host(error),
            Error::Library { error, .. } => match &**error {
                hookrail::Error::System { cause, .. } => Some(cause),
                _ => None,
            },
            _ => None,
        }
    }
}

fn of_host(error: &control::Error) -> Option<&io::Error> {
    match error {
        control::Error::Host(hookrail::Error::System { cause, .. }) => Some(cause),
        _ => None,
    }
}

fn list(directories: &[PathBuf]) -> String {
    directories.iter().map(|directory| directory.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The running hosts, one per line.
fn others(running: &[Running]) -> String {
    running.iter().map(|host| format!("\n  {}", running::describe(host))).collect()
}
