//! Child processes, and what keeps them alive.
//!
//! Owns the processes that a host starts: how they begin, who watches them, what of the system they cannot have more of,
//! and that they end with their host. Must know
//! nothing of what a child is for. Stands on model.
//!
//! # The life of a child
//!
//! 1. A [`Spec`] says what it is started as; what it does not say, the child does not get.
//! 2. [`Supervisor::spawn`] copies this process. The copy never executes anything: it is the **guardian** of one child,
//!    unmaps what it does not need, becomes the subreaper of all that the child will start, and copies itself.
//! 3. The second copy is the child: it asks to be killed when its guardian ends, takes its place and its descriptors, and
//!    executes the program. `spawn` returns when it has, or with what failed.
//! 4. A [`Process`] is signalled, killed and waited for through descriptors, never by its number, which may be another's.
//! 5. When the child ends, by whatever cause, or the host does, the guardian kills what descendants are left, reaps them,
//!    and ends.
//! 6. The supervisor's only thread sees the guardian's end, and tells the [`Exit`] to all who asked.
//! 7. [`Backoff`] says when to start the next one.
//!
//! # What holds, and what does not
//!
//! | what happens | what is left | tested by |
//! |---|---|---|
//! | the child ends, or is killed | nothing: neither its group, nor sessions that it began, nor daemons | `killing_a_child_kills_all_of_its_descendants`, `many_generations_end_too` |
//! | the host ends, is killed by SIGKILL or by the system for its memory, at any moment | nothing, as soon as the guardian has run | `a_killed_host_leaves_no_process`, `a_host_may_be_killed_at_any_moment_of_a_start` |
//! | the host is killed, and a fork of it lives | nothing: the guardian watches the process, not a pipe | `a_fork_of_the_host_does_not_keep_its_children_alive` |
//! | the supervisor is dropped | nothing, after a bounded time | `dropping_the_supervisor_leaves_nothing` |
//! | the guardian itself is killed | the child is killed with it, **but its descendants live on**, as children of init | `a_killed_guardian_takes_its_child_along` |
//! | the guardian itself is stopped | **all**, until it goes on; `kill` and the end of the host kill the child only | |
//! | a descendant cannot be killed: it is inside a system call that does not end, or another user's, which needs [`Spec::may_gain_privileges`] | **that one**, and [`Exit::survivors`] counts it; after a killed host, the guardian waits for it and holds its locks | |
//! | descendants fork faster than they are killed, for five seconds | **the last of them**, counted likewise; [`Limit::Processes`] prevents it | |
//! | the child has a [`Cgroup`] | nothing of that: the host removes it, or its guardian if the host is gone. After both were killed at once, the next host | `a_group_goes_with_its_child`, `a_killed_host_leaves_no_group` |
//! | the child asks another program for a process: an init system, a container engine | **that process**, which is no descendant | |
//!
//! The guardian shows as `hookrail-guard` in `ps`, is in a process group of its own, and blocks all signals that can be
//! blocked. It needs Linux 5.4 and `/proc`.
//! The program around the host is left alone: it gets no signal of these children, and finds none of them when it waits
//! for its own.
//!
//! # Units
//!
//! A [`Unit`] has a name, which is its own by its [`Lock`], and a process, which is kept alive. What its process is, a
//! [`Kind`] knows: it starts it, and passes orders on.
//!
//! What a command does depends on the state:
//!
//! | command | stopped | init | running | halted | error | stopping | waiting | failed |
//! |---|---|---|---|---|---|---|---|---|
//! | start | started: running | awaited: running | is so | no | no | no | started: running | started: running |
//! | halt | no | no | asked: halted | is so | asked: halted | no | no | no |
//! | resume | no | no | is so | asked: running | asked: running | no | no | no |
//! | reload | no | no | asked: running | asked: halted | asked: running | no | no | no |
//! | ping | no | asked: init | asked: running | asked: halted | asked: running | no | no | no |
//! | restart | started: running | ended: running | ended: running | ended: running | ended: running | no | started: running | started: running |
//! | shutdown | is so | ended: stopped | ended: stopped | ended: stopped | ended: stopped | awaited: stopped | stopped | stopped |
//!
//! - *no*: it is refused with the reason, and nothing changes.
//! - *is so*: it is acknowledged, and nothing is done.
//! - *asked*: the process is asked. It acknowledges, and the state is the one behind the colon; or it refuses, and the
//!   state stays; or it does not answer in time, and the state is `error`. One order at a time: what comes before it has
//!   answered is refused, but for `restart` and `shutdown`.
//! - *started*, *ended*, *awaited*: it is acknowledged when that state is there. A process that does not end in time is
//!   killed, and the command was not answered in time, or was refused, though it is done.
//!
//! What happens by itself:
//!
//! | what | then |
//! |---|---|
//! | the process is ready | `running`; or, if the unit was halted when its process ended, it is asked to halt: `halted`. If it does not, it is killed |
//! | it is not ready in time; it does not answer a ping of the clock in time | `error`, it is killed, and it is as if it had ended |
//! | it says to a ping that something is wrong with it | `error`, until it says that all is well. It is not killed for that |
//! | it says to a ping that it is not ready | `init`, until it says that it is, or its time is over |
//! | it ends without being told to, with whatever status | `waiting`, as long as [`Restarts`] say; then it is started again. After too many ends in a row, `failed` |
//! | it has answered a ping when it was ready, or was ready for as long as the longest wait | ends before that count no longer |
//! | a part of it survives its end | `failed`: one more process would be one too many |
//!
//! ```
//! use hookrail_supervise::{
//!     Acknowledgement, Answer, Deadlines, Error, Kind, Lock, Order, Process, Restarts, Spec, Start, Supervisor, Unit,
//!     UnitCommand, UnitState,
//! };
//!
//! struct Sleeper(Option<Process>);
//!
//! impl Kind for Sleeper {
//!     fn start(&mut self, start: &Start<'_>) -> Result<(), Error> {
//!         self.0 = Some(start.spawn(Spec::new("/bin/sleep").args(["1000"]))?);
//!         start.voice().ready();
//!         Ok(())
//!     }
//!
//!     fn order(&mut self, order: Order, answer: Answer) {
//!         const SIGTERM: i32 = 15;
//!         match (order, &self.0) {
//!             (Order::Ping, Some(process)) if process.exit().is_none() => answer.acknowledge(),
//!             (Order::Shutdown, Some(process)) if process.signal(SIGTERM).is_ok() => answer.acknowledge(),
//!             _ => answer.refuse("it sleeps"),
//!         }
//!     }
//! }
//!
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path();
//! let lock = Lock::take(directory, "sleeper")?;
//! let unit = Unit::new(&Supervisor::new()?, lock, Sleeper(None), Deadlines::default(), Restarts::default())?;
//! assert_eq!(unit.ask(UnitCommand::Start), Acknowledgement::Acknowledged);
//! assert_eq!(unit.ask(UnitCommand::Reload), Acknowledgement::refused("it sleeps"));
//! assert_eq!(unit.view().state, UnitState::Running);
//! assert!(Lock::take(directory, "sleeper").is_err());
//! assert_eq!(unit.ask(UnitCommand::Shutdown), Acknowledgement::Acknowledged);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arena;
mod backoff;
mod cgroup;
mod descriptors;
mod error;
mod guardian;
mod lock;
mod memory;
mod plan;
mod process;
mod report;
mod spec;
mod start;
mod supervisor;
mod sys;
mod unit;
mod watch;

#[doc(no_inline)]
pub use hookrail_model::unit::{
    Acknowledgement, Deadlines, Exit, ExitStatus, Restarts, UnitCommand, UnitState, UnitView,
};

pub use backoff::{Backoff, Next};
pub use cgroup::{Cgroup, Cgroups, GroupLimit, Reached};
pub use error::Error;
pub use lock::Lock;
pub use process::Process;
pub use spec::{Group, Limit, Program, Spec, Stdio};
pub use supervisor::Supervisor;
pub use unit::{Answer, Kind, Order, Pong, Start, Unit, Voice};
