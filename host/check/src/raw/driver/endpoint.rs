//! The sources and sinks of an instance: its table `stream/1`.

use std::fmt;
use std::ptr::null_mut;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hookrail::EndpointKind;
use hookrail_abi::Text;
use hookrail_abi::boundary::{self, Growing, STREAM_SINK, STREAM_SOURCE, Str, StreamTable, TooSmall};

use super::{Instance, Library, Refusal, call};
use crate::raw::end::End;

/// A complete table `stream/1`.
///
/// # Invariants
/// The table is that of the library, and its functions are there.
#[derive(Clone, Copy)]
pub(crate) struct Streams {
    table: StreamTable,
}

/// One use of a source or of a sink.
///
/// # Invariants
/// `at` came from the table's `accept`, and was not freed. The instance was started, and is not stopped before it is this
/// thread's alone again, which it is when this is gone.
pub(crate) struct Accepted {
    table: StreamTable,
    at: *mut boundary::Endpoint,
    instance: Arc<Instance>,
}

// SAFETY: `stream/1` lets any thread run and free an endpoint.
unsafe impl Send for Accepted {}

/// An endpoint that runs on a thread of its own, and is freed there.
pub(crate) struct Running {
    over: mpsc::Receiver<Result<(), Refusal>>,
    thread: JoinHandle<()>,
}

impl Library {
    /// Its table for sources and sinks, if it has one.
    ///
    /// # Errors
    /// If the table is incomplete.
    pub(crate) fn streams(self) -> Result<Option<Streams>, String> {
        const WORDS: usize = StreamTable::FIRST / size_of::<usize>();
        let at = self.query(b"stream/1");
        if at.is_null() {
            return Ok(None);
        }
        // SAFETY: every table begins with its size.
        let size = unsafe { at.cast::<u32>().read() } as usize;
        if size < StreamTable::FIRST {
            return Err(format!("its table stream/1 has {}", TooSmall { size, needed: StreamTable::FIRST }));
        }
        // SAFETY: the table is complete, and made of words.
        let words = unsafe { at.cast::<[usize; WORDS]>().read() };
        // An address that cannot be a function's must not even be read as one.
        let functions = ["accept", "run", "free", "schema"];
        if let Some((missing, _)) = functions.iter().zip(&words[1..]).find(|(_, at)| **at == 0) {
            return Err(format!("its table stream/1 has no `{missing}`"));
        }
        // SAFETY: what a plugin returns to this id is this table, whose size and functions were looked at.
        let table = unsafe { StreamTable::read(at.cast()) }.map_err(|why| why.to_string())?;
        // INVARIANT: just looked at.
        Ok(Some(Streams { table }))
    }
}

impl Streams {
    /// The JSON Schema of the configuration of an endpoint, if the plugin states one.
    pub(crate) fn schema(self, kind: EndpointKind, name: &str) -> Result<Option<String>, Refusal> {
        let mut schema = Text::new();
        // SAFETY: by the type invariant; both texts are ours.
        call("schema", || unsafe { (self.table.schema)(number(kind), Str::new(name), &mut schema) })?;
        let schema = String::from_utf8_lossy(schema.as_bytes()).into_owned();
        Ok(Some(schema).filter(|schema| !schema.is_empty()))
    }

    /// Makes an endpoint of a started instance.
    pub(crate) fn accept(
        self,
        instance: &Arc<Instance>,
        kind: EndpointKind,
        name: &str,
        config: &str,
    ) -> Result<Accepted, Refusal> {
        let mut at = null_mut();
        // SAFETY: by the type invariant, and that of the instance; texts for the call, and room for a pointer.
        call("accept", || unsafe {
            (self.table.accept)(instance.state, number(kind), Str::new(name), Str::new(config), &mut at)
        })?;
        // INVARIANT: `accept` succeeded, and the instance is shared from now on.
        Ok(Accepted { table: self.table, at, instance: instance.clone() })
    }
}

impl Accepted {
    /// Runs it with this end, on a thread of its own.
    pub(crate) fn start(self, end: &'static End) -> Result<Running, String> {
        let (tell, over) = mpsc::channel();
        let run = move || {
            // SAFETY: by the type invariant it is there; the end's table and the end itself stay.
            let ran = call("run", || unsafe { (self.table.run)(self.at, end.io()) });
            end.is_over();
            // Nobody may wait for it any more.
            let _ = tell.send(ran.and(self.free()));
        };
        let thread = thread::Builder::new().name("endpoint".into()).spawn(run);
        let thread = thread.map_err(|error| format!("there is no thread to run it on: {error}"))?;
        Ok(Running { over, thread })
    }

    /// Frees it.
    pub(crate) fn free(self) -> Result<(), Refusal> {
        let Accepted { table, at, instance } = self;
        // SAFETY: by the type invariant it is there; it does not run, and is not used again.
        let freed = call("free", || unsafe { (table.free)(at) });
        // Before anybody learns of it.
        drop(instance);
        freed
    }
}

impl Running {
    /// What came of it, if it has ended in that time.
    pub(crate) fn ended(self, within: Duration) -> Result<Result<(), Refusal>, Self> {
        match self.over.recv_timeout(within) {
            Ok(result) => {
                // With it goes what the plugin has left on the thread; a panic of ours would have been reported.
                let _ = self.thread.join();
                Ok(result)
            }
            Err(_) => Err(self),
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

fn number(kind: EndpointKind) -> u32 {
    match kind {
        EndpointKind::Sink => STREAM_SINK,
        EndpointKind::Source => STREAM_SOURCE,
    }
}
