//! Which thread stands behind what is done: this one, or that of a worker for which it acts.

use std::cell::Cell;
use std::ptr::from_ref;

/// A thread of this process or of a worker, as long as it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// 0 for this process.
    process: u32,
    thread: u64,
}

thread_local! {
    static ACTS_FOR: Cell<Option<Actor>> = const { Cell::new(None) };
}

impl Actor {
    /// The thread that acts: the one that this one acts for, or itself.
    pub fn current() -> Self {
        // Where its locals are is what no other thread that runs shares.
        ACTS_FOR.with(|acts| acts.get().unwrap_or(Actor { process: 0, thread: from_ref(acts).addr() as u64 }))
    }

    /// From now on this thread acts for the one that has that [number](Self::number) in that process.
    pub fn act_for(process: u32, thread: u64) {
        ACTS_FOR.set(Some(Actor { process, thread }));
    }

    /// What tells it from the other threads of its process.
    pub fn number(self) -> u64 {
        self.thread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_itself_unless_it_acts_for_another() {
        let here = Actor::current();
        assert_eq!(Actor::current(), here);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                assert_ne!(Actor::current(), here);
                Actor::act_for(7, here.number());
                let acting = Actor::current();
                assert_ne!(acting, here, "it is of another process");
                Actor::act_for(7, here.number());
                assert_eq!(Actor::current(), acting);
            });
        });
        assert_eq!(Actor::current(), here);
    }
}
