//! What a guardian tells the host.

use std::ffi::c_int;

/// A message from a guardian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The child runs its program.
    Started { pid: c_int },
    /// It could not be started.
    Failed { step: Step, errno: i32 },
    /// All is over.
    Ended { status: i32, user_us: i64, system_us: i64, max_rss_kib: i64, survivors: u32 },
}

/// A step on the way to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    Guardian,
    Children,
    Copy,
    Parent,
    Group,
    Cgroup,
    Directory,
    Descriptors,
    Limits,
    Privileges,
    Execute,
}

/// What failed, and the number of the error.
pub(crate) type Failed = (Step, i32);

const STEPS: [(Step, &str); 11] = [
    (Step::Guardian, "watch over"),
    (Step::Children, "read /proc/thread-self/children to watch over"),
    (Step::Copy, "create a process for"),
    (Step::Parent, "tie to its guardian"),
    (Step::Group, "create a group for"),
    (Step::Cgroup, "enter the cgroup of"),
    (Step::Directory, "enter the directory of"),
    (Step::Descriptors, "pass its descriptors to"),
    (Step::Limits, "limit"),
    (Step::Privileges, "keep from privileges"),
    (Step::Execute, "execute"),
];

impl Step {
    /// What could not be done, before the name of the program.
    pub(crate) fn what(self) -> &'static str {
        STEPS[self as usize].1
    }
}

/// The size of a message.
pub(crate) const SIZE: usize = 48;

impl Report {
    pub(crate) fn encode(self) -> [u8; SIZE] {
        let words = match self {
            Report::Started { pid } => [0, pid.into(), 0, 0, 0, 0],
            Report::Failed { step, errno } => [1, step as i64, errno.into(), 0, 0, 0],
            Report::Ended { status, user_us, system_us, max_rss_kib, survivors } => {
                [2, status.into(), user_us, system_us, max_rss_kib, survivors.into()]
            }
        };
        let mut bytes = [0; SIZE];
        for (slot, byte) in bytes.iter_mut().zip(words.iter().flat_map(|word: &i64| word.to_ne_bytes())) {
            *slot = byte;
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let word = |at: usize| words.get(at).map(|word| i64::from_ne_bytes(*word));
        if bytes.len() != SIZE || !rest.is_empty() {
            return None;
        }
        let number = |at| word(at).and_then(|word| i32::try_from(word).ok());
        Some(match word(0)? {
            0 => Report::Started { pid: number(1)? },
            1 => Report::Failed { step: STEPS.get(usize::try_from(word(1)?).ok()?)?.0, errno: number(2)? },
            2 => Report::Ended {
                status: number(1)?,
                user_us: word(2)?,
                system_us: word(3)?,
                max_rss_kib: word(4)?,
                survivors: u32::try_from(word(5)?).ok()?,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_arrive_as_they_were_sent() {
        let ended = Report::Ended { status: -1, user_us: 1, system_us: 2, max_rss_kib: i64::MAX, survivors: u32::MAX };
        let failed = STEPS.map(|(step, _)| Report::Failed { step, errno: 2 });
        for report in [Report::Started { pid: i32::MAX }, ended].into_iter().chain(failed) {
            assert_eq!(Report::decode(&report.encode()), Some(report));
        }
        assert_eq!(Report::decode(&[0; SIZE - 1]), None);
        assert_eq!(Report::decode(&[0xFF; SIZE]), None);
    }
}
