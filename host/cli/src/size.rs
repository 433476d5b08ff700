//! Sizes as people write them.

use std::str::FromStr;

use hookrail::units;

/// A number of bytes, not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match units::size(text)? {
            0 => Err("it must not be 0".into()),
            size => usize::try_from(size).map(Size).map_err(|_| "it is more than this machine can address".into()),
        }
    }
}
