//! What the thread of an operator is asked to do, and its answer.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;
use serde_json::{Map, Value};

use crate::config::Operator;
use crate::said::What;

/// What the thread is asked to do.
pub(crate) enum Request {
    /// To end the process, and itself.
    End,
    /// To pause it, or to have it go on.
    Order(What, Reply),
    /// To tell it another configuration of its own.
    Reload(Map<String, Value>, Reply),
    /// To end the process, and start another one as that says.
    Replace(Box<Operator>, Reply),
}

impl Request {
    /// The operator has ended, and so has all that could be asked of it.
    pub(crate) fn ended(self) {
        match self {
            Request::End => {}
            Request::Order(_, reply) | Request::Reload(_, reply) | Request::Replace(_, reply) => reply.answer(Ok(())),
        }
    }
}

/// Where the answer goes. What is dropped is not answered.
#[derive(Clone, Default)]
pub(crate) struct Reply(Arc<Place>);

#[derive(Default)]
struct Place {
    answer: Mutex<Option<Result<(), String>>>,
    answered: Condvar,
}

impl Reply {
    pub(crate) fn answer(&self, answer: Result<(), String>) {
        *self.0.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        self.0.answered.notify_all();
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// If it is refused, or does not come in time.
    pub(crate) fn wait(&self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let mut answer = self.0.answer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = answer.take() {
                return answer.map_err(Into::into);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("it has not answered in time".into());
            }
            answer = self.0.answered.wait_timeout(answer, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
