//! Scheduling the checks: as many at once as there are cores, none before those it needs.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::answer::{Answer, Status};
use super::check::Check;
use super::report::Outcome;

/// The state of a run.
struct State {
    waiting: Vec<&'static Check>,
    done: Vec<Outcome>,
    /// The checks that did not pass, and those that were given up because of that.
    missed: Vec<&'static str>,
}

/// Runs the checks, `workers` at once; `tell` is called with each one that starts, and with the number of finished
/// ones.
pub(super) fn run(
    checks: &[&'static Check],
    workers: usize,
    tell: impl Fn(usize, &Check) + Sync,
    run: impl Fn(&'static Check) -> Outcome + Sync,
) -> Vec<Outcome> {
    let state = Mutex::new(State { waiting: checks.to_vec(), done: Vec::new(), missed: Vec::new() });
    let changed = Condvar::new();
    let work = || {
        let mut now = lock(&state);
        while !now.waiting.is_empty() {
            now.give_up(checks);
            let Some(check) = now.take(checks) else {
                // The waiting checks need one that is running, or none are waiting.
                if !now.waiting.is_empty() {
                    now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
                }
                continue;
            };
            tell(now.done.len(), check);
            drop(now);
            let outcome = run(check);
            now = lock(&state);
            if outcome.answer.status.is_bad() {
                now.missed.push(check.name);
            }
            now.done.push(outcome);
            changed.notify_all();
        }
        changed.notify_all();
    };
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let mut done = state.into_inner().unwrap_or_else(PoisonError::into_inner).done;
    done.sort_by_key(|outcome| checks.iter().position(|check| check.name == outcome.check.name));
    done
}

impl State {
    /// Takes a check whose needed checks have finished, as far as those are run at all.
    fn take(&mut self, checks: &[&'static Check]) -> Option<&'static Check> {
        let is_over = |name: &&str| {
            !checks.iter().any(|check| check.name == *name) || self.done.iter().any(|done| done.check.name == *name)
        };
        let ready = self.waiting.iter().position(|check| check.needs.iter().all(&is_over))?;
        Some(self.waiting.remove(ready))
    }

    /// Gives up the checks that need one which did not pass, or which was given up itself. A check that had nothing to
    /// check does not count as such.
    fn give_up(&mut self, checks: &[&'static Check]) {
        // A check comes after those that it needs.
        for check in checks {
            let missed = check.needs.iter().find(|name| self.missed.contains(name));
            if let (Some(needed), Some(at)) = (missed, self.waiting.iter().position(|other| other.name == check.name)) {
                let check = self.waiting.remove(at);
                let answer = Answer { status: Status::Skipped, detail: format!("`{needed}` did not pass") };
                let (doing, output, took) = (String::new(), String::new(), Duration::ZERO);
                self.done.push(Outcome { check, answer, doing, output, took });
                self.missed.push(check.name);
            }
        }
    }
}

fn lock<'a>(state: &'a Mutex<State>) -> MutexGuard<'a, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::ALL;

    fn statuses(bad: &str) -> Vec<(&'static str, Status)> {
        let checks: Vec<_> = ALL.iter().collect();
        let over = Mutex::new(Vec::new());
        let done = super::run(
            &checks,
            4,
            |_, _| {},
            |check| {
                let mut over = over.lock().unwrap();
                assert!(check.needs.iter().all(|needed| over.contains(needed)), "{} began too soon", check.name);
                over.push(check.name);
                let status = if check.name == bad { Status::Failed } else { Status::Passed };
                let answer = Answer { status, detail: String::new() };
                Outcome { check, answer, doing: String::new(), output: String::new(), took: Duration::ZERO }
            },
        );
        done.into_iter().map(|outcome| (outcome.check.name, outcome.answer.status)).collect()
    }

    #[test]
    fn each_check_has_one_outcome_in_the_order_of_the_catalogue() {
        let names: Vec<_> = statuses("").into_iter().map(|(name, _)| name).collect();
        assert!(names.iter().eq(ALL.iter().map(|check| &check.name)));
    }

    #[test]
    fn checks_that_need_a_failed_one_are_skipped() {
        let statuses = statuses("callbacks");
        let of = |name| &statuses.iter().find(|(check, _)| *check == name).unwrap().1;
        assert_eq!(*of("loads"), Status::Passed);
        assert_eq!(*of("callbacks"), Status::Failed);
        assert_eq!((of("unmaps"), of("leaves-nothing")), (&Status::Skipped, &Status::Skipped));
    }
}
