//! Points and their chains.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use hookrail_dispatch::view;
use hookrail_engine::Core;
use hookrail_model::command::{self, LONGEST_WAIT};
use hookrail_model::error::ApiMisuse;
use hookrail_model::stats::StatsLevel;
use hookrail_model::trace::Trace;
use hookrail_model::view::PointView;

use crate::call::Call;
use crate::error::{ControlError, Error};

/// The largest number of traces that one command takes.
const MOST_TRACES: usize = 1000;

/// How long a wait runs before it checks whether the host ends or the caller has gone.
const SLICE: Duration = Duration::from_millis(100);

pub(super) fn points(core: &Arc<Core>, point: Option<&str>) -> Result<Vec<PointView>, Error> {
    let mut points = view::points(&core.registry);
    if let Some(point) = point {
        points.retain(|view| view.point == point);
        if points.is_empty() {
            return Err(ApiMisuse::NoPoint(point.into()).into());
        }
    }
    Ok(points)
}

pub(super) fn set_level(core: &Arc<Core>, point: &str, level: StatsLevel) -> Result<PointView, Error> {
    core.set_level(point, level)?;
    Ok(points(core, Some(point))?.remove(0))
}

pub(super) fn unquarantine(core: &Arc<Core>, point: &str, callback: &str) -> Result<PointView, Error> {
    core.unquarantine(point, callback)?;
    Ok(points(core, Some(point))?.remove(0))
}

pub(super) fn trace(call: &Call<'_>, command: command::Trace) -> Result<Vec<Trace>, Error> {
    let (core, command::Trace { point, count, filter, wait_ms, .. }) = (call.core(), command);
    if !(1..=MOST_TRACES).contains(&count) {
        return Err(
            ControlError::BadRequest(format!("`count` is {count}: from 1 to {MOST_TRACES} can be traced")).into()
        );
    }
    let traces = core.trace(&point, filter, count)?;
    let wait = wait_ms.map_or(core.wait_timeout(), Duration::from_millis).min(LONGEST_WAIT);
    let deadline = Instant::now() + wait;
    let mut taken = Vec::new();
    // In slices: this must not hold up a host that ends, and must slow a point only while a caller waits.
    while Instant::now() < deadline && !core.table.is_closing() && !call.is_gone() {
        let left = deadline.saturating_duration_since(Instant::now());
        match traces.recv_timeout(left.min(SLICE)) {
            Ok(trace) => taken.push(trace),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    // Those that were taken at the last moment.
    taken.extend(traces.try_iter());
    match traces.missing_field() {
        Some(missing) => Err(ControlError::UnknownField(missing).into()),
        None => Ok(taken),
    }
}
