//! The parts of the process that a library may change, compared before and after.

use std::collections::BTreeMap;
use std::ffi::{CStr, OsString};
use std::mem::zeroed;
use std::path::PathBuf;
use std::ptr::{null, null_mut};

use super::leftovers::Leftovers;

/// The process, as it is now.
pub(super) struct Environment {
    leftovers: Leftovers,
    handlers: Vec<usize>,
    environment: BTreeMap<OsString, OsString>,
    directory: Option<PathBuf>,
    umask: libc::mode_t,
    locale: String,
}

impl Environment {
    pub(super) fn now() -> Self {
        Environment {
            leftovers: Leftovers::now(),
            handlers: (1..=64).map(handler).collect(),
            environment: std::env::vars_os().collect(),
            directory: std::env::current_dir().ok(),
            umask: umask(),
            locale: locale(),
        }
    }

    /// What differs from `then`.
    pub(super) fn beyond(&self, then: &Environment) -> Vec<String> {
        let mut beyond = self.leftovers.beyond(&then.leftovers);
        let signals = (1..=64).zip(self.handlers.iter().zip(&then.handlers));
        let changed = signals.filter(|(_, (now, then))| now != then);
        beyond.extend(changed.map(|(signal, _)| format!("signal {signal} is handled otherwise")));
        let others = [
            ("the environment", self.environment != then.environment),
            ("the working directory", self.directory != then.directory),
            ("the umask", self.umask != then.umask),
            ("the locale", self.locale != then.locale),
        ];
        beyond.extend(others.iter().filter(|(_, is_other)| *is_other).map(|(what, _)| format!("{what} is another")));
        beyond
    }
}

/// The address of a signal's handler; 0 if there is none, or if the C library reserves the signal.
fn handler(signal: i32) -> usize {
    // SAFETY: all zeros is an action.
    let mut action: libc::sigaction = unsafe { zeroed() };
    // SAFETY: it only reads, into room for an action.
    unsafe { libc::sigaction(signal, null(), &mut action) };
    action.sa_sigaction
}

fn umask() -> libc::mode_t {
    // SAFETY: the calls take a number and touch no memory; this process creates no file on another thread meanwhile.
    unsafe {
        let now = libc::umask(0o077);
        libc::umask(now);
        now
    }
}

fn locale() -> String {
    // SAFETY: null asks only; the answer is a C string, copied before anybody changes it.
    unsafe {
        let name = libc::setlocale(libc::LC_ALL, null_mut());
        if name.is_null() { String::new() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_named() {
        let then = Environment::now();
        let mut now = Environment::now();
        now.handlers[9] = 1;
        now.umask = !then.umask;
        let beyond = now.beyond(&then);
        assert!(beyond.contains(&"signal 10 is handled otherwise".into()), "{beyond:?}");
        assert!(beyond.contains(&"the umask is another".into()), "{beyond:?}");
    }
}
