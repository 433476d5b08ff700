//! Which endpoint of which pipeline a thread works for: what callbacks that look at messages tell of them.
//!
//! It is said once when an endpoint begins to run, and not per message.

use std::cell::RefCell;

thread_local! {
    static HERE: RefCell<Option<Box<str>>> = const { RefCell::new(None) };
}

/// This thread works for what it worked for before, when this is dropped.
pub(crate) struct Here {
    before: Option<Box<str>>,
}

impl Here {
    /// From now on this thread works for the endpoint `PIPELINE/NAME`; for none of a pipeline, without a name.
    pub(crate) fn begin(path: &str) -> Self {
        Here { before: HERE.replace(Some(path.into())) }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        HERE.set(self.before.take());
    }
}

/// Calls `read` with the pipeline and the endpoint that this thread works for; both may be empty.
pub(crate) fn with<R>(read: impl FnOnce(&str, &str) -> R) -> R {
    // A thread that dispatches when its locals are gone works for none.
    let here = HERE.try_with(|here| here.borrow().clone()).ok().flatten();
    let path = here.as_deref().unwrap_or_default();
    let (pipeline, endpoint) = path.split_once('/').unwrap_or((path, ""));
    read(pipeline, endpoint)
}
