//! How far a file has been read.

use crate::fingerprint::Fingerprint;
use crate::mark::{self, Place};

/// How far a file has been read, and how to tell that what was read is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Where the first message begins that was not sent.
    pub(crate) offset: u64,
    /// Up to where there is no newline from the offset on; at least the offset.
    pub(crate) searched: u64,
    /// Of the beginning of the file.
    pub(crate) head: Fingerprint,
    /// Of the last bytes before the offset.
    pub(crate) before: Fingerprint,
}

impl Position {
    /// The beginning of a file of which nothing is known.
    pub(crate) const START: Position =
        Position { offset: 0, searched: 0, head: Fingerprint::NONE, before: Fingerprint::NONE };

    /// Moves on to `offset`; `read` is what was read up to there, as much of it as there is at hand.
    pub(crate) fn advance(&mut self, offset: u64, read: &[u8]) {
        self.offset = offset;
        self.searched = self.searched.max(offset);
        self.before = Fingerprint::of(&read[read.len().saturating_sub(Fingerprint::BEFORE)..]);
    }

    /// Whether `read`, which ends at the offset, is what was there.
    pub(crate) fn follows(&self, read: &[u8]) -> bool {
        read.len().checked_sub(self.before.length).is_some_and(|from| self.before.fits(&read[from..]))
    }

    /// Writes the value of a mark.
    pub(crate) fn mark(&self, out: &mut String, path: &str) {
        mark::write(out, self.offset, self.head, self.before, path);
    }
}

impl From<&Place> for Position {
    fn from(place: &Place) -> Self {
        Position { offset: place.offset, searched: place.offset, head: place.head, before: place.before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_knows_what_lies_before_it() {
        let content: Vec<u8> = (0..100).collect();
        let mut position = Position::START;
        assert!(position.follows(b"") && position.follows(b"anything"));
        position.advance(90, &content[20..90]);
        assert_eq!((position.offset, position.searched, position.before.length), (90, 90, 64));
        assert!(position.follows(&content[..90]) && position.follows(&content[26..90]));
        assert!(!position.follows(&content[27..90]) && !position.follows(&content[..91]));
    }

    #[test]
    fn a_mark_is_the_position() {
        let mut position = Position { head: Fingerprint::of(b"line\n"), ..Position::START };
        position.advance(5, b"line\n");
        let mut text = String::new();
        position.mark(&mut text, "/a.log");
        assert_eq!(Position::from(&Place::parse(&text).unwrap()), position);
    }
}
