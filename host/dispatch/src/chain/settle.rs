//! What a callback's answer means, if it is not "continue".

use hookrail_abi::RawKind;
use hookrail_abi::host::Report;
use hookrail_abi::verdict::raw;

use super::facts::Facts;
use super::outcome::Packed;
use super::pair::Pair;
use super::snapshot::{callback_of, is_run_by_us};
use crate::stats::Tally;
use crate::{fault, frame, reclaim};

/// What an answer other than "continue" means; `None` to continue. A decision is counted by the snapshot's `tally`.
///
/// # Safety
/// The pair was just called on this thread, which is inside, in a snapshot of that point's chain whose pairs end at
/// `end`.
#[cold]
#[inline(never)]
pub(super) unsafe fn settle(
    facts: &Facts,
    tally: Option<&Tally>,
    pair: *const Pair,
    end: *const Pair,
    answer: u32,
) -> Option<Packed> {
    // SAFETY: this thread is inside, which keeps the snapshot whose pairs end at `end`.
    if unsafe { is_run_by_us(end) } {
        return frame::decided();
    }
    // SAFETY: this thread is inside, which keeps the snapshot; its pairs are callbacks', since it is no runner's, and
    // one without callbacks only continues.
    let (callback, place) = unsafe { callback_of(pair, end) };
    let verdict = match (facts.kind, answer & 0xff) {
        (RawKind::Gate, raw::ALLOW) | (RawKind::Fold, raw::SKIP) => answer & 0xff,
        (_, raw::DENY) if facts.deniable => {
            frame::keep_reason(frame::take(Report::Denied).map(|said| said.text));
            answer
        }
        _ => fault::answered(facts, callback, answer)?,
    };
    if let Some(tally) = tally {
        let number = reclaim::number();
        tally.decided(number, place);
        if !fault::is(facts, answer) {
            callback.record.counts.own(number).decided(verdict);
        }
    }
    Some(Packed::new(verdict, callback.id))
}
