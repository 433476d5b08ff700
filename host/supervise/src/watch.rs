//! The thread that waits for the ends of all children at once.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use hookrail_model::log;
use hookrail_model::time::later;
use hookrail_model::unit::{Exit, ExitStatus};
use parking_lot::{Condvar, Mutex};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;

use crate::process::Process;
use crate::report::Report;
use crate::start::Guardian;
use crate::sys;

/// All children that have not ended.
pub(crate) struct Watch {
    epoll: OwnedFd,
    /// Readable when the children are to be ended.
    closing: OwnedFd,
    thread: OnceLock<ThreadId>,
    table: Mutex<Table>,
    closed: Condvar,
}

/// # Invariants
/// The guardians of `live`, or the children that have lost theirs, and no others, are in the epoll, under their keys. Key
/// 0 is that of `closing`.
struct Table {
    live: HashMap<u64, Live>,
    last_key: u64,
    is_closed: bool,
}

struct Live {
    /// `None` if it was killed: then the child is, too, and that end is waited for.
    guardian: Option<Guardian>,
    process: Process,
    grace: Option<Duration>,
    /// When its time to end is over.
    deadline: Option<Instant>,
}

/// How long children that were killed may take.
const KILL: Duration = Duration::from_secs(10);

impl Watch {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let closing = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &closing, EventData::new_u64(0), EventFlags::IN)?;
        let table = Mutex::new(Table { live: HashMap::new(), last_key: 0, is_closed: false });
        Ok(Watch { epoll, closing, thread: OnceLock::new(), table, closed: Condvar::new() })
    }

    /// Watches a child from now on.
    pub(crate) fn add(&self, guardian: Guardian, process: Process, grace: Option<Duration>) -> io::Result<()> {
        let mut table = self.table.lock();
        table.last_key += 1;
        let key = table.last_key;
        // The thread looks for it when the lock is free.
        if let Err(error) = epoll::add(&self.epoll, guardian.pidfd(), EventData::new_u64(key), EventFlags::IN) {
            drop(table);
            guardian.abandon();
            return Err(error.into());
        }
        // INVARIANT: added under this key.
        table.live.insert(key, Live { guardian: Some(guardian), process, grace, deadline: None });
        Ok(())
    }

    pub(crate) fn count(&self) -> usize {
        self.table.lock().live.len()
    }

    /// Ends all children, and returns whether they and the thread have ended, or this is the thread.
    pub(crate) fn close(&self) -> bool {
        let _ = rustix::io::write(&self.closing, &1_u64.to_ne_bytes());
        if self.thread.get() == Some(&thread::current().id()) {
            return true;
        }
        let mut table = self.table.lock();
        let longest = table.live.values().filter_map(|live| live.grace).max().unwrap_or_default();
        // The thread begins to count a little later.
        let deadline = later(Instant::now(), longest.saturating_add(KILL * 2));
        while !table.is_closed {
            if self.closed.wait_until(&mut table, deadline).timed_out() {
                return table.is_closed;
            }
        }
        true
    }

    /// Tells the ends of children until all are to be ended, and have.
    pub(crate) fn run(&self) {
        let _ = self.thread.set(thread::current().id());
        // Whoever sends signals to the program means its other threads.
        sys::set_mask(u64::MAX);
        let mut give_up = None;
        let mut events = Vec::with_capacity(64);
        loop {
            let next = self.next_deadline(give_up);
            let pause = next.map(|next| next.saturating_duration_since(Instant::now()));
            let pause = pause.and_then(|pause| Timespec::try_from(pause).ok());
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), pause.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    log!(error, "cannot wait for the ends of processes: {}", io::Error::from(error));
                    break;
                }
            }
            for event in &events {
                match { event.data }.u64() {
                    0 => give_up = Some(self.begin_to_close()),
                    key => self.end(key),
                }
            }
            self.kill_late_ones();
            if let Some(give_up) = give_up {
                let left = self.count();
                if left > 0 && Instant::now() >= give_up {
                    log!(error, left, "processes that were killed have not ended");
                }
                if left == 0 || Instant::now() >= give_up {
                    break;
                }
            }
        }
        self.table.lock().is_closed = true;
        self.closed.notify_all();
    }

    /// What is in the epoll under that key has ended.
    fn end(&self, key: u64) {
        let Some(mut live) = self.table.lock().live.remove(&key) else { return };
        // INVARIANT: the guardian is in the epoll no longer. A child that was is closed by its end.
        let report = match live.guardian.take() {
            Some(guardian) => {
                let _ = epoll::delete(&self.epoll, guardian.pidfd());
                match guardian.reap() {
                    None if self.wait_for_orphan(key, &live.process) => {
                        self.table.lock().live.insert(key, live);
                        return;
                    }
                    report => report,
                }
            }
            None => None,
        };
        let exit = exit(report);
        log!(debug, pid = live.process.pid(), "a process {exit}");
        live.process.ended(exit);
    }

    /// Has the end of a child told whose guardian was killed: the system is killing it, and it is not to be taken for
    /// dead before it is. Returns whether it will be.
    fn wait_for_orphan(&self, key: u64, child: &Process) -> bool {
        child.kill();
        let watched = child.with_pidfd(|pidfd| epoll::add(&self.epoll, pidfd, EventData::new_u64(key), EventFlags::IN));
        matches!(watched, Some(Ok(())))
    }

    /// Asks all children to end, and returns when to wait for them no longer.
    fn begin_to_close(&self) -> Instant {
        let mut table = self.table.lock();
        let _ = rustix::io::read(&self.closing, &mut [0_u8; 8]);
        let now = Instant::now();
        let longest = table.live.values().filter_map(|live| live.grace).max().unwrap_or_default();
        for live in table.live.values_mut() {
            live.deadline = Some(later(now, live.grace.unwrap_or_default()));
            if live.grace.is_some() {
                let _ = live.process.signal(libc::SIGTERM);
            }
        }
        later(now, longest.saturating_add(KILL))
    }

    fn next_deadline(&self, give_up: Option<Instant>) -> Option<Instant> {
        let table = self.table.lock();
        table.live.values().filter_map(|live| live.deadline).chain(give_up).min()
    }

    fn kill_late_ones(&self) {
        let now = Instant::now();
        for live in self.table.lock().live.values_mut().filter(|live| live.deadline.is_some_and(|end| end <= now)) {
            live.deadline = None;
            live.process.kill();
        }
    }
}

fn exit(report: Option<Report>) -> Exit {
    let Some(Report::Ended { status, user_us, system_us, max_rss_kib, survivors }) = report else {
        return Exit::new(ExitStatus::Unseen);
    };
    let status = if status < 0 {
        ExitStatus::Unseen
    } else if libc::WIFSIGNALED(status) {
        ExitStatus::killed(libc::WTERMSIG(status), libc::WCOREDUMP(status))
    } else {
        ExitStatus::exited(libc::WEXITSTATUS(status))
    };
    let mut exit = Exit::new(status);
    exit.max_rss_bytes = u64::try_from(max_rss_kib).unwrap_or_default() * 1024;
    exit.user = Duration::from_micros(user_us.try_into().unwrap_or_default());
    exit.system = Duration::from_micros(system_us.try_into().unwrap_or_default());
    exit.survivors = survivors;
    exit
}
