//! Work on several threads, whose results come out in the order in which the work went in.
//!
//! 1. The pieces of work go to the threads in turn.
//! 2. A thread sends its results for a piece, as many as it likes, and then that it is done with the piece.
//! 3. The taker takes the results of the threads in the same turn: all of one piece, then those of the next one.
//!
//! Every queue is bounded, so whoever is fast waits. Nobody waits for ever: the thread that the taker waits for has its work,
//! and room for its results.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use crate::error::Error;

/// How many pieces of work, and how many results, wait at most, for each thread.
const WAITING: usize = 2;

/// How long a thread waits for work before it does what idle threads do.
const IDLE: Duration = Duration::from_secs(1);

/// The threads, from the side of whoever gives them work.
pub(super) struct Ordered<'scope, W, T> {
    workers: Vec<(SyncSender<W>, ScopedJoinHandle<'scope, ()>)>,
    /// Whose turn it is.
    next: usize,
    taker: ScopedJoinHandle<'scope, T>,
}

/// Where a thread sends its results; `None` after the last one of a piece.
pub(super) struct Results<R>(SyncSender<Option<R>>);

/// What a thread does with its work.
pub(super) trait Worker<W, R>: Send {
    fn work(&mut self, work: W, results: &Results<R>);

    /// Called now and then while there is no work.
    fn idle(&mut self) {}
}

/// The results, in the order in which the work went in. They end when no more work comes, or when a thread has panicked.
pub(super) struct InOrder<R> {
    results: Vec<Receiver<Option<R>>>,
    /// Whose turn it is.
    next: usize,
}

/// Nobody takes the results any more.
#[derive(Debug)]
pub(super) struct Over;

impl<'scope, W: Send + 'scope, T: Send + 'scope> Ordered<'scope, W, T> {
    /// Starts a thread for each worker, and one for the taker.
    ///
    /// # Errors
    /// If the system has no more threads; those that there are end.
    pub(super) fn begin<R: Send + 'scope>(
        scope: &'scope Scope<'scope, '_>,
        workers: impl IntoIterator<Item = impl Worker<W, R> + 'scope>,
        take: impl FnOnce(InOrder<R>) -> T + Send + 'scope,
    ) -> Result<Self, Error> {
        let failed = |cause| Error::system("start a thread", cause);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for worker in workers {
            let ((work, to_do), (done, results)) = (sync_channel(WAITING), sync_channel(WAITING));
            let run = move || run(worker, &to_do, &Results(done));
            ours.push((work, Builder::new().name("run".into()).spawn_scoped(scope, run).map_err(failed)?));
            theirs.push(results);
        }
        let results = InOrder { results: theirs, next: 0 };
        let taker = Builder::new().name("in-order".into()).spawn_scoped(scope, move || take(results));
        Ok(Ordered { workers: ours, next: 0, taker: taker.map_err(failed)? })
    }

    /// Gives the next piece of work. Waits until there is room for it.
    ///
    /// # Errors
    /// If nobody takes the results any more.
    pub(super) fn give(&mut self, work: W) -> Result<(), Over> {
        // A thread that has panicked takes no work. That its work may be waiting unseen is no loss: the taker has ended.
        let given = self.workers[self.next].0.send(work);
        self.next = (self.next + 1) % self.workers.len();
        given.map_err(|_| Over)
    }

    /// Waits until all work is done and all results are taken; returns what the taker returns.
    ///
    /// # Panics
    /// If a thread has panicked.
    pub(super) fn finish(self) -> T {
        let workers: Vec<_> = self.workers.into_iter().map(|(_, worker)| worker).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        self.taker.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl<R> Results<R> {
    /// Waits until there is room for it.
    ///
    /// # Errors
    /// If nobody takes the results any more.
    pub(super) fn send(&self, result: R) -> Result<(), Over> {
        self.0.send(Some(result)).map_err(|_| Over)
    }
}

impl<R> Iterator for InOrder<R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        loop {
            // A closed channel: no more work has come, or its thread has panicked, and then one result is missing, so that
            // no other may follow.
            match self.results[self.next].recv().ok()? {
                Some(result) => return Some(result),
                None => self.next = (self.next + 1) % self.results.len(),
            }
        }
    }
}

fn run<W, R>(mut worker: impl Worker<W, R>, to_do: &Receiver<W>, results: &Results<R>) {
    loop {
        match to_do.recv_timeout(IDLE) {
            Ok(work) => {
                worker.work(work, results);
                if results.0.send(None).is_err() {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => worker.idle(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    impl<F: FnMut(usize, &Results<usize>) + Send> Worker<usize, usize> for F {
        fn work(&mut self, work: usize, results: &Results<usize>) {
            self(work, results);
        }
    }

    /// Has three threads do it, and takes what comes.
    fn ordered(count: usize, work: impl Fn(usize, &Results<usize>) + Sync) -> Vec<usize> {
        thread::scope(|scope| {
            let workers = (0..3).map(|_| |number, results: &Results<usize>| work(number, results));
            let mut ordered = Ordered::begin(scope, workers, |results| results.collect()).unwrap();
            let _ = (0..count).try_for_each(|number| ordered.give(number));
            ordered.finish()
        })
    }

    #[test]
    fn results_come_in_the_order_of_the_work_however_long_it_takes() {
        // Each thread gives way differently often, so that later pieces are done before earlier ones.
        let taken = ordered(500, |number, results| {
            for _ in 0..number * 7 % 13 {
                thread::yield_now();
            }
            for part in 0..number % 5 {
                results.send(number * 10 + part).unwrap();
            }
        });
        let expected: Vec<_> =
            (0..500).flat_map(|number| (0..number % 5).map(move |part| number * 10 + part)).collect();
        assert_eq!(taken, expected);
    }

    #[test]
    fn what_is_given_waits_for_what_is_taken() {
        let (in_flight, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            let workers = (0..3).map(|_| |number, results: &Results<usize>| results.send(number).unwrap());
            let take = |results: InOrder<usize>| {
                results.inspect(|_| _ = in_flight.fetch_sub(1, Ordering::SeqCst)).fuse().count()
            };
            let mut ordered = Ordered::begin(scope, workers, take).unwrap();
            for number in 0..1000 {
                most.fetch_max(in_flight.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                ordered.give(number).unwrap();
            }
            assert_eq!(ordered.finish(), 1000);
        });
        // For each thread: two wait, one is being worked on, two are done; one is being given, and one taken.
        assert!(most.load(Ordering::SeqCst) <= 3 * 5 + 2, "{most:?}");
    }

    #[test]
    fn a_panic_of_one_thread_ends_all_and_nothing_comes_after_the_gap() {
        let taken = Mutex::new(Vec::new());
        let ended = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                let work = |number: usize, results: &Results<usize>| {
                    assert!(number != 10, "the tenth");
                    let _ = results.send(number);
                };
                let take = |results: InOrder<usize>| results.for_each(|number| taken.lock().unwrap().push(number));
                let mut ordered = Ordered::begin(scope, (0..3).map(|_| work), take).unwrap();
                // More than fits into the queues: it ends only because giving fails.
                assert!((0..).try_for_each(|number| ordered.give(number)).is_err());
                ordered.finish();
            });
        }));
        let panic = ended.unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the tenth"));
        assert_eq!(taken.into_inner().unwrap(), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn when_the_taker_gives_up_all_end() {
        thread::scope(|scope| {
            let workers = (0..3).map(|_| |number, results: &Results<usize>| _ = results.send(number));
            let mut ordered = Ordered::begin(scope, workers, |mut results| results.nth(4)).unwrap();
            assert!((0..).try_for_each(|number| ordered.give(number)).is_err());
            assert_eq!(ordered.finish(), Some(4));
        });
    }
}
