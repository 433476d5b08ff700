//! Finding the named point.

use hookrail::{ApiMisuse, PointView};

use crate::error::Error;

/// The point with that name.
pub(super) fn find<'a>(points: &'a [PointView], point: &str) -> Result<&'a PointView, Error> {
    points
        .iter()
        .find(|view| view.point == point)
        .ok_or_else(|| hookrail::Error::from(ApiMisuse::NoPoint(point.into())).into())
}
