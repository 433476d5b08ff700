//! How a process ended.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::signal::signal_name;
use crate::constructors;
use crate::times::nanoseconds;

/// How a process ended, and what it had used.
///
/// What it used is what the process itself did, with those of its children that it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exit {
    /// How it ended.
    #[serde(flatten)]
    pub status: ExitStatus,
    /// The most memory that it had at once.
    pub max_rss_bytes: u64,
    /// How long its own code was running.
    #[serde(rename = "user_ns", with = "nanoseconds")]
    pub user: Duration,
    /// How long the system was running on its behalf.
    #[serde(rename = "system_ns", with = "nanoseconds")]
    pub system: Duration,
    /// How many of its descendants are still there, since they could not be killed. It is 0 unless the system refused,
    /// or they are inside a system call that does not end.
    #[serde(default)]
    pub survivors: u32,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExitStatus {
    /// It ended by itself.
    #[non_exhaustive]
    Exited {
        /// Its status: 0 is success.
        code: i32,
    },
    /// A signal ended it.
    #[non_exhaustive]
    Killed {
        /// The signal.
        signal: i32,
        /// Whether its memory was written to a file.
        core_dumped: bool,
    },
    /// It ended, and what would have told how was killed too.
    Unseen,
    /// What a newer host says.
    #[serde(other)]
    Unknown,
}

constructors! {
    /// How a process ended that used nothing.
    Exit(status: ExitStatus) {
        max_rss_bytes: 0,
        user: Duration::ZERO,
        system: Duration::ZERO,
        survivors: 0,
    }
}

constructors! {
    ExitStatus:
    exited = Exited(code: i32),
    killed = Killed(signal: i32, core_dumped: bool),
}

impl Exit {
    /// Whether it ended by itself, with status 0.
    pub fn is_success(&self) -> bool {
        self.status == ExitStatus::Exited { code: 0 }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)?;
        match self.survivors {
            0 => Ok(()),
            1 => f.write_str("; one of its descendants could not be killed"),
            many => write!(f, "; {many} of its descendants could not be killed"),
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ExitStatus::Exited { code } => write!(f, "exited with status {code}"),
            ExitStatus::Killed { signal, core_dumped } => {
                match signal_name(signal) {
                    Some((name, _)) if signal == 9 => write!(f, "was killed by {name}")?,
                    Some((name, means)) => write!(f, "was killed by {name} ({means})")?,
                    None => write!(f, "was killed by signal {signal}")?,
                }
                f.write_str(if core_dumped { ", core dumped" } else { "" })
            }
            ExitStatus::Unseen => f.write_str("ended unseen: its guardian was killed"),
            ExitStatus::Unknown => f.write_str("ended in a way that this version does not know"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_is_told_as_a_person_would() {
        for (status, said) in [
            (ExitStatus::exited(0), "exited with status 0"),
            (ExitStatus::exited(3), "exited with status 3"),
            (ExitStatus::killed(9, false), "was killed by SIGKILL"),
            (ExitStatus::killed(11, false), "was killed by SIGSEGV (segmentation fault)"),
            (ExitStatus::killed(6, true), "was killed by SIGABRT (abort), core dumped"),
            (ExitStatus::killed(40, false), "was killed by signal 40"),
        ] {
            assert_eq!(Exit::new(status).to_string(), said);
        }
        let survived = Exit { survivors: 2, ..Exit::new(ExitStatus::exited(1)) };
        assert_eq!(survived.to_string(), "exited with status 1; 2 of its descendants could not be killed");
    }

    #[test]
    fn an_exit_crosses_as_json() {
        let exit =
            Exit { max_rss_bytes: 4096, user: Duration::from_millis(2), ..Exit::new(ExitStatus::killed(11, true)) };
        let json = serde_json::to_string(&exit).unwrap();
        let expected = r#"{"how":"killed","signal":11,"core_dumped":true,"max_rss_bytes":4096,"user_ns":2000000,"system_ns":0,"survivors":0}"#;
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Exit>(&json).unwrap(), exit);
        let newer = r#"{"how":"evaporated","max_rss_bytes":0,"user_ns":0,"system_ns":0}"#;
        assert_eq!(serde_json::from_str::<Exit>(newer).unwrap().status, ExitStatus::Unknown);
    }
}
