//! What a child is started as.

use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cgroup::Cgroup;

/// What a child is started as.
///
/// It gets no environment, no descriptors and no arguments but those that are given here. Its signals have their
/// default actions and none is blocked.
///
/// ```
/// use hookrail_supervise::{Spec, Stdio};
///
/// let spec = Spec::new("/bin/cat").args(["-u"]).env("LANG", "C").stdin(Stdio::Pipe).stdout(Stdio::Pipe);
/// # drop(spec);
/// ```
#[derive(Debug)]
pub struct Spec {
    pub(crate) program: Program,
    pub(crate) name: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) directory: Option<PathBuf>,
    /// stdin, stdout, stderr.
    pub(crate) standard: [Stdio; 3],
    pub(crate) descriptors: Vec<(OwnedFd, RawFd)>,
    pub(crate) held: Vec<OwnedFd>,
    pub(crate) limits: Vec<(Limit, u64)>,
    pub(crate) cgroup: Option<Cgroup>,
    pub(crate) group: Group,
    pub(crate) may_gain_privileges: bool,
    pub(crate) grace: Option<Duration>,
}

/// The file that a child runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Program {
    /// A path. It is not looked for in `PATH`; a relative one begins at the child's directory.
    Path(PathBuf),
    /// An open file, whatever happens to its path: a host runs itself again from a descriptor of `/proc/self/exe`. A
    /// script cannot be run so.
    Open(OwnedFd),
}

/// Where one of the first three descriptors of a child leads.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stdio {
    /// To this.
    Fd(OwnedFd),
    /// Nowhere: nothing is read, and what is written is gone.
    Null,
    /// To a pipe, whose other end is in the [`Process`](crate::Process).
    Pipe,
}

/// What of the system a child cannot have more of. Each is one of `setrlimit`'s, soft and hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The size of its address space, in bytes.
    AddressSpace,
    /// The size of a core dump, in bytes.
    Core,
    /// The time on the CPU, in seconds.
    Cpu,
    /// The number of its descriptors.
    Files,
    /// The number of all processes and threads of its user. The system does not hold root to it.
    Processes,
}

/// What a child leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group {
    /// A process group of its own: signals from a terminal to the host do not reach it.
    #[default]
    Own,
    /// A session of its own, without a terminal.
    Session,
}

impl From<OwnedFd> for Program {
    fn from(file: OwnedFd) -> Self {
        Program::Open(file)
    }
}

impl From<PathBuf> for Program {
    fn from(path: PathBuf) -> Self {
        Program::Path(path)
    }
}

impl From<&Path> for Program {
    fn from(path: &Path) -> Self {
        Program::Path(path.into())
    }
}

impl From<&str> for Program {
    fn from(path: &str) -> Self {
        Program::Path(path.into())
    }
}

impl Spec {
    /// A program without arguments or environment, in the directory of the host, with nothing to read or write.
    pub fn new(program: impl Into<Program>) -> Self {
        let program = program.into();
        let name = match &program {
            Program::Path(path) => path.clone().into_os_string(),
            Program::Open(file) => format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
        };
        Spec {
            program,
            name,
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            standard: [Stdio::Null, Stdio::Null, Stdio::Null],
            descriptors: Vec::new(),
            held: Vec::new(),
            limits: Vec::new(),
            cgroup: None,
            group: Group::default(),
            may_gain_privileges: false,
            grace: None,
        }
    }

    /// Its argument 0, in place of the path.
    #[must_use]
    pub fn arg0(mut self, name: impl Into<OsString>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to its environment, or replaces it.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.environment.retain(|(other, _)| *other != name);
        self.environment.push((name, value.into()));
        self
    }

    /// The directory that it starts in.
    #[must_use]
    pub fn dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Where its stdin leads.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdio) -> Self {
        self.standard[0] = stdin;
        self
    }

    /// Where its stdout leads.
    #[must_use]
    pub fn stdout(mut self, stdout: Stdio) -> Self {
        self.standard[1] = stdout;
        self
    }

    /// Where its stderr leads.
    #[must_use]
    pub fn stderr(mut self, stderr: Stdio) -> Self {
        self.standard[2] = stderr;
        self
    }

    /// Gives it a descriptor under that number. The last one wins, over stdin, stdout and stderr too.
    #[must_use]
    pub fn descriptor(mut self, descriptor: OwnedFd, number: RawFd) -> Self {
        self.descriptors.push((descriptor, number));
        self
    }

    /// Keeps a descriptor open, in its guardian, until the last of its descendants is gone, also if the host is killed:
    /// a [`Lock`](crate::Lock), say. The child does not get it.
    #[must_use]
    pub fn hold(mut self, descriptor: OwnedFd) -> Self {
        self.held.push(descriptor);
        self
    }

    /// Limits what it can have.
    #[must_use]
    pub fn limit(mut self, limit: Limit, most: u64) -> Self {
        self.limits.push((limit, most));
        self
    }

    /// Has it begin in that group, with all that it will start. The group goes when it has ended.
    #[must_use]
    pub fn cgroup(mut self, cgroup: Cgroup) -> Self {
        self.cgroup = Some(cgroup);
        self
    }

    /// What it leads.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// Lets it gain privileges by running files that are set-user-id or have capabilities, which otherwise run without.
    ///
    /// The host may then be unable to kill it: the system clears the parent-death signal of such a program, and allows
    /// no signals to one of another user.
    #[must_use]
    pub fn may_gain_privileges(mut self) -> Self {
        self.may_gain_privileges = true;
        self
    }

    /// When the supervisor is dropped, the child gets SIGTERM and this time to end, before it is killed.
    #[must_use]
    pub fn polite(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// The program, as errors name it.
    pub(crate) fn shown(&self) -> String {
        match &self.program {
            Program::Path(path) => path.display().to_string(),
            Program::Open(_) => self.name.display().to_string(),
        }
    }
}

impl Limit {
    pub(crate) fn resource(self) -> u32 {
        match self {
            Limit::AddressSpace => libc::RLIMIT_AS,
            Limit::Core => libc::RLIMIT_CORE,
            Limit::Cpu => libc::RLIMIT_CPU,
            Limit::Files => libc::RLIMIT_NOFILE,
            Limit::Processes => libc::RLIMIT_NPROC,
        }
    }
}

impl Program {
    /// Its number, if it is open.
    pub(crate) fn number(&self) -> Option<RawFd> {
        match self {
            Program::Path(_) => None,
            Program::Open(file) => Some(file.as_raw_fd()),
        }
    }
}
