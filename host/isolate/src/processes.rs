//! The worker processes of this program, counted.

use hookrail_model::unit::Exit;
use parking_lot::Mutex;

/// The worker processes that the hosts of this program have started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Processes {
    /// How many run now.
    pub running: usize,
    /// How many have ended otherwise than by the hand of their host.
    pub crashed: u64,
    /// How the last of those ended.
    pub last_crash: Option<Exit>,
}

static ALL: Mutex<Processes> = Mutex::new(Processes { running: 0, crashed: 0, last_crash: None });

/// The worker processes of this program.
pub fn processes() -> Processes {
    ALL.lock().clone()
}

/// One has been started.
pub(crate) fn started() {
    ALL.lock().running += 1;
}

/// One has ended, by the hand of its host or not.
pub(crate) fn ended(exit: Exit, is_asked: bool) {
    let mut all = ALL.lock();
    all.running -= 1;
    if !is_asked {
        all.crashed += 1;
        all.last_crash = Some(exit);
    }
}
