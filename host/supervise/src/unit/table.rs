//! What each command does to a unit in each state.

use hookrail_model::unit::{UnitCommand as Command, UnitState as State};

/// What is done with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// It is so already.
    Done,
    /// It is shut down, and killed if that takes too long; then it is started.
    EndAndStart,
    /// The same, and it is not started.
    EndAndStop,
    /// The end that is under way is waited for, and it is not started.
    JoinEnd,
    /// The start that is under way is waited for.
    JoinStart,
    /// The unit is asked, and answers.
    Order,
    /// Nothing, for that reason.
    Refuse(&'static str),
    /// It is started, and the ends before count no longer.
    Start,
    /// It is not started again.
    Stop,
}

/// The table, row by row.
pub(super) fn act(command: Command, state: State) -> Act {
    use {Act::*, Command as C, State as S};
    const ENDING: &str = "it is being shut down";
    const ENDED: &str = "it has ended, and is started again in a moment";
    const FAILED: &str = "it has failed";
    const NOT_READY: &str = "it is not ready yet";
    const STOPPED: &str = "it is stopped";
    match (command, state) {
        (C::Start, S::Stopped | S::Waiting | S::Failed) => Start,
        (C::Start, S::Init) => JoinStart,
        (C::Start, S::Running) => Done,
        (C::Start, S::Halted) => Refuse("it is halted: resume it"),
        (C::Start, S::Error) => Refuse("it is started, and something is wrong with it: restart it"),
        (C::Start, S::Stopping) => Refuse(ENDING),

        (C::Halt, S::Running | S::Error) => Order,
        (C::Halt, S::Halted) => Done,
        (C::Resume, S::Halted | S::Error) => Order,
        (C::Resume, S::Running) => Done,
        (C::Reload, S::Running | S::Halted | S::Error) => Order,
        (C::Ping, S::Init | S::Running | S::Halted | S::Error) => Order,
        (C::Halt | C::Resume | C::Reload, S::Init) => Refuse(NOT_READY),

        (C::Restart, S::Init | S::Running | S::Halted | S::Error) => EndAndStart,
        (C::Restart, S::Stopped | S::Waiting | S::Failed) => Start,
        (C::Restart, S::Stopping) => Refuse(ENDING),

        (C::Shutdown, S::Init | S::Running | S::Halted | S::Error) => EndAndStop,
        (C::Shutdown, S::Stopping) => JoinEnd,
        (C::Shutdown, S::Waiting | S::Failed) => Stop,
        (C::Shutdown, S::Stopped) => Done,

        (C::Halt | C::Resume | C::Reload | C::Ping, S::Stopping) => Refuse(ENDING),
        (C::Halt | C::Resume | C::Reload | C::Ping, S::Stopped) => Refuse(STOPPED),
        (C::Halt | C::Resume | C::Reload | C::Ping, S::Waiting) => Refuse(ENDED),
        (C::Halt | C::Resume | C::Reload | C::Ping, S::Failed) => Refuse(FAILED),

        // Both lists are open for the sake of other programs; here, all is said above.
        (_, _) => Refuse("this version knows no such command"),
    }
}
