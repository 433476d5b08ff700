//! What stands behind `unit/1`: in the host what starts processes, in a worker a question to its host.

mod event;
mod inbox;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hookrail_model::unit::UnitState;
use serde::{Deserialize, Serialize};

pub use event::{UnitEnd, UnitEvent, UnitOrder};
pub use inbox::{Next, UnitInbox};

/// The units of the instances of a plugin. A crate above provides them.
pub trait Units: fmt::Debug + Send + Sync {
    /// Begins a unit of an instance; what happens to it goes into the inbox, until it is [gone](UnitEvent::Gone).
    ///
    /// # Errors
    /// Why it is refused, in one line; then nothing goes into the inbox.
    fn begin(&self, instance: &str, spec: UnitSpec, inbox: Arc<UnitInbox>) -> Result<Arc<dyn UnitControl>, String>;
}

/// A unit that was begun.
pub trait UnitControl: fmt::Debug + Send + Sync {
    /// Its process `run` has said that.
    fn say(&self, run: u64, said: UnitSaid);

    /// Sends a signal to its process, if it has one; returns whether there is such a signal.
    fn signal(&self, signal: i32) -> bool;

    /// How it is; `None` if that cannot be known now.
    fn now(&self) -> Option<UnitNow>;

    /// Has it end, and does not wait for that: then it is [gone](UnitEvent::Gone).
    fn end(&self);
}

/// What a unit is. Without a time, or a limit, it has that of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "they are those of the boundary's structure")]
pub struct UnitSpec {
    pub name: String,
    pub program: String,
    pub arguments: Vec<String>,
    /// Names and values.
    pub environment: Vec<(String, String)>,
    pub directory: Option<String>,
    pub restarts: Option<u32>,
    pub ready: Option<Duration>,
    pub order: Option<Duration>,
    pub shutdown: Option<Duration>,
    pub pong: Option<Duration>,
    /// [`Duration::MAX`] is never.
    pub ping_every: Option<Duration>,
}

impl UnitSpec {
    /// How many bytes all of its texts may have together.
    pub const MOST: usize = 1 << 20;

    /// How many bytes its texts have together, with what each of them takes.
    pub fn size(&self) -> usize {
        let one = |text: &str| text.len() + size_of::<String>();
        let arguments = self.arguments.iter().map(|text| one(text)).sum::<usize>();
        let environment = self.environment.iter().map(|(name, value)| one(name) + one(value)).sum::<usize>();
        one(&self.name) + one(&self.program) + self.directory.as_deref().map_or(0, one) + arguments + environment
    }
}

/// How a unit is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitNow {
    /// The state.
    pub state: UnitState,
    /// Why it has that state, if there is something to say.
    pub reason: Option<String>,
    /// The number of its process, if it has one.
    pub pid: Option<u32>,
    /// How often it was started again because it had ended.
    pub restarts: u64,
}

/// What a process of a unit has said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnitSaid {
    /// An order is done; to a ping, all is well.
    Done(u64),
    /// To the ping of that number: it is not ready.
    NotReady(u64),
    /// It is ready.
    Ready,
    /// The order of that number is refused, for that reason.
    Refused(u64, String),
    /// The plugin does not take what it is told, so the order of that number is not passed on.
    Untaken(u64),
    /// To the ping of that number: that is wrong with it.
    Unwell(u64, String),
}

/// For plugins in a program that starts no processes for them.
#[derive(Debug)]
pub(crate) struct NoUnits;

impl Units for NoUnits {
    fn begin(&self, _: &str, _: UnitSpec, _: Arc<UnitInbox>) -> Result<Arc<dyn UnitControl>, String> {
        Err("this host starts no processes for plugins: its program does not call hookrail::worker::enter()".into())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn spec(text: &str) -> UnitSpec {
        UnitSpec {
            name: text.into(),
            program: text.into(),
            arguments: vec![text.into()],
            environment: vec![(text.into(), text.into())],
            directory: Some(text.into()),
            restarts: None,
            ready: None,
            order: None,
            shutdown: None,
            pong: None,
            ping_every: None,
        }
    }

    /// Nothing has provided workers to this program.
    #[test]
    fn a_program_without_workers_starts_nothing_for_plugins_and_says_why() {
        let units = crate::isolation::units(Path::new("/"));
        let refused = units.begin("a", spec("/bin/true"), Arc::new(UnitInbox::new().unwrap())).unwrap_err();
        assert!(refused.contains("its program does not call hookrail::worker::enter()"), "{refused}");
    }

    #[test]
    fn each_text_of_a_specification_counts() {
        assert_eq!(spec("four").size() - spec("").size(), 6 * 4);
        assert!(spec("").size() > 0, "a list of nothing is not without end");
    }
}
