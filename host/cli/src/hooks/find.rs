//! Finding the named point.

use hookrail::PointView;

use crate::error::Error;

/// The point with that name.
pub(super) fn find<'a>(points: &'a [PointView], point: &str) -> Result<&'a PointView, Error> {
    points.iter().find(|view| view.point == point).ok_or_else(|| Error::NoPoint(point.into()))
}
