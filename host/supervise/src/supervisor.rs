//! The handle of all children, and the thread that watches them.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::{fmt, io};

use hookrail_model::error::Error;
use parking_lot::Mutex;

use crate::process::Process;
use crate::spec::Spec;
use crate::start;
use crate::watch::Watch;

/// What starts children and watches them, on a thread of its own. A program has one, and clones it.
///
/// When the last clone is dropped, all children are ended: those that are to be treated politely get SIGTERM and the
/// time that they were given, then, as the others at once, they are killed. The drop waits for that, but not for more
/// than the longest of those times and ten seconds; then no thread, no descriptor and no zombie is left of it. A process
/// that was forked off and has a copy of the supervisor leaves the children alone.
#[derive(Clone)]
pub struct Supervisor {
    inner: Arc<Inner>,
}

struct Inner {
    watch: Arc<Watch>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The process whose children they are.
    owner: u32,
}

impl Supervisor {
    /// A supervisor without children. Its thread blocks all signals.
    ///
    /// # Errors
    /// If the system has no more descriptors or threads.
    pub fn new() -> Result<Self, Error> {
        let failed = |cause: io::Error| Error::system("start the supervisor of processes", cause);
        let watch = Arc::new(Watch::new().map_err(failed)?);
        let watched = watch.clone();
        let thread =
            thread::Builder::new().name("hookrail-units".into()).spawn(move || watched.run()).map_err(failed)?;
        let thread = Mutex::new(Some(thread));
        Ok(Supervisor { inner: Arc::new(Inner { watch, thread, owner: std::process::id() }) })
    }

    /// Starts a child, and returns when it runs its program.
    ///
    /// # Errors
    /// What could not be done for it, and why: there is no such program, say.
    pub fn spawn(&self, spec: Spec) -> Result<Process, Error> {
        let grace = spec.grace;
        let (guardian, process) = start::start(spec)?;
        let watched = self.inner.watch.add(guardian, process.clone(), grace);
        watched.map_err(|cause| Error::system(format!("watch over process {}", process.pid()), cause))?;
        Ok(process)
    }

    /// How many children have not ended.
    pub fn children(&self) -> usize {
        self.inner.watch.count()
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("children", &self.children()).finish()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if std::process::id() != self.owner {
            return;
        }
        let is_over = self.watch.close();
        let thread = self.thread.get_mut().take();
        // A function of `on_exit` may have had the last clone.
        let join = |thread: &JoinHandle<()>| is_over && thread.thread().id() != thread::current().id();
        if let Some(thread) = thread.filter(join) {
            let _ = thread.join();
        }
    }
}
