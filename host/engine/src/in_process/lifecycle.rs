//! What a started instance is asked for while it runs: the table `lifecycle/1`.

use hookrail_abi::boundary::{HEALTH_DEGRADED, LifecycleTable, READY_NOT_YET};
use hookrail_abi::monotonic;
use hookrail_dispatch::frame::Reported;
use hookrail_model::error::Error;

use super::{InProcess, Instance, SILENT, failed};
use crate::body::{Request, Response};

impl InProcess {
    /// Asks a started instance.
    pub(super) fn ask(&self, instance: &str, request: Request) -> Result<Response, Error> {
        let (Some(table), Some(instance)) = (self.library.table::<LifecycleTable>(), self.started(instance)) else {
            return Ok(Response::Done);
        };
        let partly = match request {
            Request::Health(_) => Some(HEALTH_DEGRADED),
            Request::Ready => Some(READY_NOT_YET),
            Request::Drain(_) | Request::Halt | Request::Resume => None,
        };
        match self.called(&instance.name, || call(&table, instance, request)) {
            (0, _) => Ok(Response::Done),
            (answer, said) if Some(answer) == partly => {
                let hidden = |said: Reported| self.library.diagnostics.hidden(said.text);
                Ok(Response::Partly(said.map_or_else(|| SILENT.into(), hidden)))
            }
            (_, said) => Err(failed(&self.library.diagnostics, request.call(), &instance.name, said)),
        }
    }
}

fn call(table: &LifecycleTable, instance: &Instance, request: Request) -> u32 {
    let function = match request {
        Request::Drain(time) => {
            let deadline_ns = monotonic().saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
            // SAFETY: by its invariant the instance's state is valid.
            return unsafe { (table.drain)(instance.state, deadline_ns) };
        }
        Request::Halt => table.halt,
        Request::Health(_) => table.health,
        Request::Ready => table.ready,
        Request::Resume => table.resume,
    };
    // SAFETY: by its invariant the instance's state is valid.
    unsafe { function(instance.state) }
}
