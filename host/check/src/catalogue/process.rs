//! The checks of what a plugin shares with its host.

use crate::answer::Found;
use crate::check::{Check, Isolated, Kind};
use crate::checks::shared;
use crate::shared::Part;
use crate::subject::Subject;

// What opening it changes, and a callback that fails, would be found by each of these again.
const PLAYED: &[&str] = &["quiet-load", "callbacks"];

pub(super) const UMASK: Check = check(
    "umask",
    "the umask is as before after every call",
    "it decides who may read the files that the host and other plugins create",
    |subject| shared::unchanged(subject, Part::Umask),
);

pub(super) const WORKING_DIRECTORY: Check = check(
    "working-directory",
    "the working directory is as before after every call",
    "relative paths of the host and of other plugins start there",
    |subject| shared::unchanged(subject, Part::Directory),
);

pub(super) const ENVIRONMENT: Check = check(
    "environment",
    "the environment is as before after every call",
    "other threads may read it at the same time, and every child inherits it",
    |subject| shared::unchanged(subject, Part::Variables),
);

pub(super) const LOCALE: Check = check(
    "locale",
    "the locale is as before after every call",
    "C libraries write and read numbers and text by it",
    |subject| shared::unchanged(subject, Part::Locale),
);

pub(super) const FLOATING_POINT: Check = check(
    "floating-point",
    "rounding, traps and denormals of floating point are as before after every call",
    "the host's thread goes on to calculate with them",
    |subject| shared::unchanged(subject, Part::FloatingPoint),
);

pub(super) const SIGNAL_MASK: Check = check(
    "signal-mask",
    "the signals that the calling thread blocks are as before after every call",
    "the host's thread would miss a signal, or be interrupted by one",
    |subject| shared::unchanged(subject, Part::SignalMask),
);

pub(super) const SIGNAL_STACK: Check = check(
    "signal-stack",
    "the alternate signal stack of the calling thread is as before after every call",
    "a handler of the host would run in memory that is the plugin's",
    |subject| shared::unchanged(subject, Part::SignalStack),
);

pub(super) const SIGNAL_HANDLERS: Check = check(
    "signal-handlers",
    "what happens at each signal is as before when it has stopped",
    "there is one action for each signal in the process, and the host's may have been replaced",
    |subject| shared::restored(subject, Part::SignalHandlers),
);

pub(super) const TIMERS: Check = check(
    "timers",
    "no timer that it started runs when it has stopped",
    "the signal of a timer, such as that of `alarm`, ends a host that does not expect it",
    |subject| shared::restored(subject, Part::Timers),
);

pub(super) const CHILD_PROCESSES: Check = check(
    "child-processes",
    "no process that it started is left when it has stopped, and none unwaited for",
    "a forgotten process runs on, and one that nobody waits for keeps its number",
    shared::children,
);

pub(super) const STDOUT: Check =
    check("stdout", "it prints nothing to stdout", "stdout is the host's, and may carry data", shared::stdout);

const fn check(name: &'static str, about: &'static str, why: &'static str, run: fn(&Subject) -> Found) -> Check {
    Check { name, kind: Kind::Run, level: 5, about, why, needs: PLAYED, isolated: Isolated::Inside, run }
}
