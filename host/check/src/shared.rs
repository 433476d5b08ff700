//! What all code of a process shares besides its memory, and what a plugin must leave as it is.

use std::arch::asm;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::mem::zeroed;
use std::ptr::{null, null_mut};

/// One thing that is shared: by the whole process, or by everything that runs on the same thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Children,
    Directory,
    FloatingPoint,
    Locale,
    SignalHandlers,
    SignalMask,
    SignalStack,
    Timers,
    Umask,
    Variables,
}

/// The state of a part: each item of it, as a noun phrase, with its value.
pub(super) type State = BTreeMap<String, String>;

impl Part {
    const ALL: [Part; 10] = [
        Part::Children,
        Part::Directory,
        Part::FloatingPoint,
        Part::Locale,
        Part::SignalHandlers,
        Part::SignalMask,
        Part::SignalStack,
        Part::Timers,
        Part::Umask,
        Part::Variables,
    ];

    /// Its state, as this thread sees it.
    pub(super) fn now(self) -> State {
        let one = |what: &str, value: String| State::from([(what.to_owned(), value)]);
        match self {
            Part::Children => children().map(|what| (what.to_owned(), String::new())).into_iter().collect(),
            Part::Directory => one("the working directory", format!("{:?}", std::env::current_dir().ok())),
            Part::FloatingPoint => one("the floating-point control word", control_words()),
            Part::Locale => State::from([
                ("the locale".into(), locale()),
                // SAFETY: null only asks.
                ("the locale of the thread".into(), format!("{:?}", unsafe { libc::uselocale(null_mut()) })),
            ]),
            Part::SignalHandlers => {
                SIGNALS.map(|number| (format!("the action of signal {number}"), action(number))).collect()
            }
            Part::SignalMask => one("the signal mask", format!("{:?}", blocked())),
            Part::SignalStack => one("the alternate signal stack", signal_stack()),
            Part::Timers => timers(),
            Part::Umask => one("the umask", format!("{:o}", umask())),
            Part::Variables => {
                let name = |name: &std::ffi::OsStr| format!("the environment variable {}", name.to_string_lossy());
                std::env::vars_os().map(|(key, value)| (name(&key), format!("{value:?}"))).collect()
            }
        }
    }

    /// The state of all parts.
    pub(super) fn all() -> State {
        Part::ALL.into_iter().flat_map(Part::now).collect()
    }
}

/// What differs from `then`.
pub(super) fn changed(now: &State, then: &State) -> Vec<String> {
    let mut changed: Vec<_> = now.keys().chain(then.keys()).filter(|what| now.get(*what) != then.get(*what)).collect();
    changed.sort();
    changed.dedup();
    changed.into_iter().cloned().collect()
}

const SIGNALS: std::ops::RangeInclusive<i32> = 1..=64;

/// The child process that waits to be waited for, or runs, if there is one.
fn children() -> Option<&'static str> {
    // SAFETY: all zeros is a `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
    // SAFETY: it is room for one; the call changes no child.
    if unsafe { libc::waitid(libc::P_ALL, 0, &mut info, flags) } != 0 {
        return None;
    }
    // SAFETY: the call filled it in, or left the zeros.
    match unsafe { info.si_pid() } {
        0 => Some("a child process, which still runs"),
        _ => Some("a child process, which has ended and was not waited for"),
    }
}

/// How floating-point numbers are rounded, and whether exceptions trap and small numbers become zero; not which
/// exceptions have occurred.
#[cfg(target_arch = "x86_64")]
fn control_words() -> String {
    const OCCURRED: u32 = 0x3f;
    let (mut sse, mut x87) = (0_u32, 0_u16);
    // SAFETY: it stores 4 bytes, for which there is room.
    unsafe { asm!("stmxcsr [{}]", in(reg) &mut sse, options(nostack, preserves_flags)) };
    // SAFETY: it stores 2 bytes, for which there is room.
    unsafe { asm!("fnstcw [{}]", in(reg) &mut x87, options(nostack, preserves_flags)) };
    format!("{:x} {x87:x}", sse & !OCCURRED)
}

/// How floating-point numbers are rounded, and whether exceptions trap and small numbers become zero.
#[cfg(target_arch = "aarch64")]
fn control_words() -> String {
    let control: u64;
    // SAFETY: it reads a register.
    unsafe { asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack, preserves_flags)) };
    format!("{control:x}")
}

fn locale() -> String {
    // SAFETY: null only asks; the answer is a C string, copied before anybody changes it.
    unsafe {
        let name = libc::setlocale(libc::LC_ALL, null());
        if name.is_null() { String::new() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    }
}

/// What happens at a signal. The C library answers nothing for those that it reserves.
fn action(signal: i32) -> String {
    // SAFETY: all zeros is an action.
    let mut action: libc::sigaction = unsafe { zeroed() };
    // SAFETY: it only reads, into room for an action.
    unsafe { libc::sigaction(signal, null(), &mut action) };
    let handler = action.sa_sigaction;
    if [libc::SIG_DFL, libc::SIG_IGN].contains(&handler) {
        // The other flags are those of a handler.
        return format!("{handler:x} {:x}", action.sa_flags & libc::SA_NOCLDWAIT);
    }
    format!("{handler:x} {:x} {:?}", action.sa_flags, members(&action.sa_mask))
}

/// The signals that are blocked on this thread.
fn blocked() -> Vec<i32> {
    // SAFETY: all zeros is a set.
    let mut set: libc::sigset_t = unsafe { zeroed() };
    // SAFETY: it only reads, into room for a set.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, null(), &mut set) };
    members(&set)
}

fn members(set: &libc::sigset_t) -> Vec<i32> {
    // SAFETY: it is a set.
    SIGNALS.filter(|signal| unsafe { libc::sigismember(set, *signal) } == 1).collect()
}

/// The stack on which signal handlers of this thread may run.
fn signal_stack() -> String {
    // SAFETY: all zeros is such a stack.
    let mut stack: libc::stack_t = unsafe { zeroed() };
    // SAFETY: it only reads, into room for one.
    unsafe { libc::sigaltstack(null(), &mut stack) };
    if stack.ss_flags & libc::SS_DISABLE != 0 { "none".into() } else { format!("{:p} {}", stack.ss_sp, stack.ss_size) }
}

/// The timers that are running: a process has three of its own, and as many as it makes.
fn timers() -> State {
    let own = [("REAL", libc::ITIMER_REAL), ("VIRTUAL", libc::ITIMER_VIRTUAL), ("PROF", libc::ITIMER_PROF)];
    let running = own.into_iter().filter(|(_, which)| {
        // SAFETY: all zeros is such a time.
        let mut timer: libc::itimerval = unsafe { zeroed() };
        // SAFETY: it only reads, into room for one.
        unsafe { libc::getitimer(*which, &mut timer) };
        (timer.it_value.tv_sec, timer.it_value.tv_usec) != (0, 0)
    });
    // A kernel may be built without that list.
    let made = std::fs::read_to_string("/proc/self/timers").unwrap_or_default();
    let made = made.lines().filter_map(|line| line.strip_prefix("ID: ")).map(|id| format!("the POSIX timer {id}"));
    let running = running.map(|(name, _)| format!("the timer ITIMER_{name}"));
    running.chain(made).map(|what| (what, "running".into())).collect()
}

fn umask() -> libc::mode_t {
    // SAFETY: the calls take a number and touch no memory; this process creates no file on another thread meanwhile.
    unsafe {
        let now = libc::umask(0o077);
        libc::umask(now);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_gone_or_different_is_changed() {
        let state = |items: &[(&str, &str)]| -> State {
            items.iter().map(|(what, value)| ((*what).to_owned(), (*value).to_owned())).collect()
        };
        let then = state(&[("different", "1"), ("gone", ""), ("the same", "2")]);
        let now = state(&[("different", "3"), ("new", ""), ("the same", "2")]);
        assert_eq!(changed(&now, &then), ["different", "gone", "new"]);
        assert_eq!(changed(&now, &now), [""; 0]);
    }

    #[test]
    fn looking_changes_nothing() {
        // Other tests of this process may have children.
        let parts = Part::ALL.into_iter().filter(|part| *part != Part::Children);
        parts.for_each(|part| assert_eq!(part.now(), part.now(), "{part:?}"));
    }
}
