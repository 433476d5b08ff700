//! What a unit is started as.

use std::time::Duration;

use crate::boundary::{Str, UNIT_FOREVER, UnitSpec};

/// What a unit is: the program that is run, and what is asked of it.
///
/// The process gets no argument, variable or descriptor but those given here, and stdin, stdout and stderr. What it writes
/// to its stderr goes to the host's log, line by line.
///
/// ```
/// use std::time::Duration;
///
/// use hookrail_abi::unit::Spec;
///
/// let spec = Spec::new("reader", "/usr/bin/reader").arg("--follow").env("LANG", "C").restarts(3);
/// # drop(spec.pings(None).ready(Duration::from_secs(5)));
/// ```
#[derive(Clone, Debug)]
pub struct Spec {
    name: String,
    program: String,
    arguments: Vec<String>,
    environment: Vec<String>,
    directory: String,
    restarts: u32,
    ready: Duration,
    order: Duration,
    shutdown: Duration,
    pong: Duration,
    /// In nanoseconds, as it crosses.
    ping_every: u64,
}

impl Spec {
    /// A program, by its path, and the name of its unit, which is unique among those of the instance.
    pub fn new(name: impl Into<String>, program: impl Into<String>) -> Self {
        Spec {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: String::new(),
            restarts: 0,
            ready: Duration::ZERO,
            order: Duration::ZERO,
            shutdown: Duration::ZERO,
            pong: Duration::ZERO,
            ping_every: 0,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds a variable to its environment, which is empty otherwise.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push(format!("{name}={value}"));
        self
    }

    /// The directory that it starts in, in place of that of the host.
    #[must_use]
    pub fn dir(mut self, directory: impl Into<String>) -> Self {
        self.directory = directory.into();
        self
    }

    /// After how many ends in a row it has failed, and is not started again; 1 for never again.
    #[must_use]
    pub fn restarts(mut self, limit: u32) -> Self {
        self.restarts = limit;
        self
    }

    /// How long it may take until it is ready.
    #[must_use]
    pub fn ready(mut self, limit: Duration) -> Self {
        self.ready = limit;
        self
    }

    /// How long it may take to halt, to resume or to reload.
    #[must_use]
    pub fn order(mut self, limit: Duration) -> Self {
        self.order = limit;
        self
    }

    /// How long it may take to end when it is told to, before it is killed.
    #[must_use]
    pub fn shutdown(mut self, limit: Duration) -> Self {
        self.shutdown = limit;
        self
    }

    /// How long it may take to answer a ping.
    #[must_use]
    pub fn pong(mut self, limit: Duration) -> Self {
        self.pong = limit;
        self
    }

    /// From one ping to the next; `None` for no pings.
    #[must_use]
    pub fn pings(mut self, every: Option<Duration>) -> Self {
        self.ping_every = every.map_or(UNIT_FOREVER, nanoseconds);
        self
    }

    /// Calls `run` with it as it crosses the boundary.
    pub(super) fn crossing<R>(&self, run: impl FnOnce(&UnitSpec) -> R) -> R {
        let borrowed = |texts: &[String]| texts.iter().map(|text| Str::new(text)).collect::<Vec<_>>();
        let (arguments, environment) = (borrowed(&self.arguments), borrowed(&self.environment));
        run(&UnitSpec {
            size: size_of::<UnitSpec>() as u32,
            restarts: self.restarts,
            name: Str::new(&self.name),
            program: Str::new(&self.program),
            arguments: arguments.as_ptr(),
            argument_count: arguments.len(),
            environment: environment.as_ptr(),
            environment_count: environment.len(),
            directory: Str::new(&self.directory),
            ready_ns: nanoseconds(self.ready),
            order_ns: nanoseconds(self.order),
            shutdown_ns: nanoseconds(self.shutdown),
            pong_ns: nanoseconds(self.pong),
            ping_every_ns: self.ping_every,
        })
    }
}

/// As times cross.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
