//! Sizes as people write them.

use std::str::FromStr;

use hookrail::{ParseError, units};

/// A number of bytes, not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl FromStr for Size {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match units::size(text)? {
            0 => Err(ParseError::new("it must not be 0")),
            size => {
                let too_much = |_| ParseError::new("it is more than this machine can address");
                usize::try_from(size).map(Size).map_err(too_much)
            }
        }
    }
}
