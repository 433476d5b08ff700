//! What happens when a callback fails.

pub(crate) mod breaker;
mod count;
pub(crate) mod signal;

use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::host::Report;
use hookrail_abi::verdict::raw;
use hookrail_abi::{FaultPolicy, RawKind};
use hookrail_model::log;

pub use breaker::Breaker;
pub(crate) use count::count;
pub use signal::{CallbackRef, Found, Signal, Signals};

use crate::chain::callback::Callback;
use crate::chain::facts::Facts;
use crate::chain::id::Owner;
use crate::frame::{self, Panic};

/// Whether an answer is a fault: it says so, or it is not a verdict of this point.
pub(crate) fn is(facts: &Facts, answer: u32) -> bool {
    match answer & 0xff {
        raw::CONTINUE => answer != raw::CONTINUE,
        raw::ALLOW => facts.kind != RawKind::Gate,
        raw::SKIP => facts.kind != RawKind::Fold,
        raw::DENY => !facts.deniable,
        _ => true,
    }
}

/// What the fault of a callback means for its chain. `None`: continue as if the callback were not there.
pub(crate) fn verdict(facts: &Facts, callback: &Callback) -> Option<u32> {
    // Where a denial is not possible, a closed policy has no effect.
    (callback.terms.fault == FaultPolicy::Closed && facts.deniable).then_some(raw::DENY)
}

/// Whether a callback only stands in for one that is absent, and whose fault does not deny.
pub(crate) fn lets_pass(facts: &Facts, callback: &Callback) -> bool {
    callback.owner == Owner::DEFAULT_VERDICT && verdict(facts, callback).is_none()
}

/// Logs and counts a callback's failure, and returns what it means for the chain.
pub(crate) fn answered(facts: &Facts, callback: &Callback, answer: u32) -> Option<u32> {
    let (said, panic) = frame::take(Report::Fault).map(|said| (said.text, said.panic)).unzip();
    let panic = panic.flatten();
    let what = match answer & 0xff {
        raw::FAULT => said.unwrap_or_else(|| "it said nothing".into()),
        raw::ALLOW => format!("it allowed, and {} is not a gate", facts.point),
        raw::DENY => format!("it denied, and {} cannot be denied", facts.point),
        raw::PENDING => "it is pending, and this host calls callbacks only synchronously".into(),
        raw::SKIP => format!("it skipped the rest, and {} is not a fold", facts.point),
        _ => format!("it returned {answer}, which is not a verdict"),
    };
    let count = callback.record.fault(&what, callback.generation);
    if is_worth_a_line(count) {
        log!(
            error,
            point = facts.point,
            instance = &*callback.instance,
            callback = &*callback.name,
            generation = callback.generation,
            faults = count,
            backtrace = panic.as_ref().and_then(Panic::backtrace),
            "fault: {what}"
        );
    }
    let not_passed = |reason| callback.tell(facts.point, Found::NotPassed(reason));
    if let Some(probation) = &callback.probation {
        probation.fault(|| format!("{} on {}: {what}", callback.full_name(), facts.point)).map(not_passed);
    }
    if callback.breaker.fault(&what, || callback.placed(facts.point))
        && let Some(probation) = &callback.probation
    {
        probation.give_up(|| format!("{} on {} is quarantined", callback.full_name(), facts.point)).map(not_passed);
    }
    let verdict = verdict(facts, callback);
    if verdict.is_some() {
        frame::keep_reason(Some(format!("{} failed: {what}", callback.full_name())));
    }
    verdict
}

/// Reports that a call exceeded its budget; both times are in nanoseconds.
#[cold]
pub(crate) fn slow(facts: &Facts, callback: &Callback, took: u64, budget: u64) {
    let count = callback.record.slow();
    if is_worth_a_line(count) {
        callback.tell(facts.point, Found::Slow { took, budget, count });
    }
}

/// Reports that the trial call of a callback succeeded.
#[cold]
pub(crate) fn recovered(facts: &Facts, callback: &Callback) {
    callback.tell(facts.point, Found::Recovered);
}

/// Logs that dispatches nest too deeply, and returns whether the dispatch beyond the limit is denied; otherwise it runs
/// as if the point had no callbacks.
#[cold]
pub(crate) fn too_deep(facts: &Facts, deepest: usize) -> bool {
    static TIMES: AtomicU64 = AtomicU64::new(0);
    // Relaxed: a counter.
    if is_worth_a_line(TIMES.fetch_add(1, Ordering::Relaxed) + 1) {
        let what = "dispatches within one another: this one runs no callback";
        log!(error, point = facts.point, "{deepest} {what}");
    }
    if facts.deniable {
        frame::keep_reason(Some(format!("{deepest} dispatches within one another")));
    }
    facts.deniable
}

/// The first ones all, then ever more rarely: a broken callback in a busy stream must not flood the log.
fn is_worth_a_line(count: u64) -> bool {
    count <= 10 || count.is_power_of_two()
}
