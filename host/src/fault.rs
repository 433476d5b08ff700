//! What happens when a callback fails.

use hookrail_abi::host::Saying;
use hookrail_abi::verdict::raw;
use hookrail_abi::{FaultPolicy, Verdict};

use crate::chain::{Callback, Chain};
use crate::diagnostics::Panic;
use crate::said;

/// A callback answered with a fault, or with something that is no verdict of this point: logs it,
/// counts it, and answers what the chain shall do. `None`: go on as if the callback were not there.
pub(crate) fn answered(chain: &Chain, callback: &Callback, answer: u32) -> Option<Verdict> {
    let (said, panic) = said::take(Saying::Fault).map(|said| (said.text, said.panic)).unzip();
    let panic = panic.flatten();
    let what = match answer & 0xff {
        raw::FAULT => said.unwrap_or_else(|| "it said nothing".into()),
        raw::DENY => format!("it denied, and {} cannot be denied", chain.point),
        _ => format!("it answered {answer}, which is no verdict"),
    };
    let count = callback.count_fault();
    // The first ones whole, then ever fewer: a broken callback in a busy stream must not drown the log.
    if count <= 10 || count.is_power_of_two() {
        tracing::error!(
            point = chain.point,
            instance = &*callback.instance,
            callback = &*callback.name,
            generation = panic.as_ref().and_then(|panic| panic.generation),
            faults = count,
            backtrace = panic.as_ref().and_then(Panic::backtrace),
            "fault: {what}"
        );
    }
    if let Some(probation) = &callback.probation {
        probation.fault(|| format!("{}/{} on {}: {what}", callback.instance, callback.name, chain.point));
    }
    // Where nothing can be denied a closed policy has nothing to close.
    let closed = callback.fault == FaultPolicy::Closed && chain.deniable;
    if closed {
        said::keep_reason(format!("{}/{} failed: {what}", callback.instance, callback.name));
    }
    closed.then_some(Verdict::Deny(0))
}
