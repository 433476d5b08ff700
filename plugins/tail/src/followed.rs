//! A file that is followed.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::entries::Rest;
use crate::identity::Identity;
use crate::places::Stamp;
use crate::position::Position;

/// A file that is followed, whatever it is called by now.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) identity: Identity,
    /// The path under which it was first seen: the source of its messages.
    pub(crate) path: String,
    pub(crate) topic: String,
    /// The path under which it was last seen.
    pub(crate) place: PathBuf,
    pub(crate) position: Position,
    /// It is to be begun at its end, which was there when it was found.
    pub(crate) end: Option<u64>,
    pub(crate) file: Option<File>,
    /// It was opened since it was last read: it may be another file by now.
    pub(crate) is_fresh: bool,
    stamp: Option<Stamp>,
    /// When it was last seen to have changed.
    pub(crate) grown: Instant,
    /// With what in mind its last bytes were read.
    pub(crate) waited: Rest,
    /// It waits for its turn.
    pub(crate) is_queued: bool,
    /// It cannot be read; that is tried again at the next rescan.
    pub(crate) has_failed: bool,
    /// Since when no pattern has matched it.
    pub(crate) missing: Option<Instant>,
    /// It is read for the last time.
    pub(crate) is_leaving: bool,
    /// The file that had its path before, and is to be read first.
    pub(crate) after: Option<Identity>,
    /// The rescan that last found it, and where, if not at `place`.
    pub(crate) round: u64,
    pub(crate) moved: Option<PathBuf>,
}

impl Followed {
    pub(crate) fn new(identity: Identity, place: PathBuf, topic: String) -> Self {
        Followed {
            identity,
            path: place.to_string_lossy().into(),
            topic,
            place,
            position: Position::START,
            end: None,
            file: None,
            is_fresh: false,
            stamp: None,
            grown: Instant::now(),
            waited: Rest::Expected,
            is_queued: false,
            has_failed: false,
            missing: None,
            is_leaving: false,
            after: None,
            round: 0,
            moved: None,
        }
    }

    /// The file, once it was opened for its turn.
    pub(crate) fn opened(&self) -> &File {
        self.file.as_ref().expect("a file is opened before it is read")
    }

    /// Whether it has another size or was written to since it was last read.
    pub(crate) fn has_changed(&self, stamp: Stamp) -> bool {
        self.stamp != Some(stamp)
    }

    /// Takes note of a change; returns the size.
    pub(crate) fn note(&mut self, stamp: Stamp, now: Instant) -> u64 {
        if self.has_changed(stamp) {
            self.stamp = Some(stamp);
            self.grown = now;
            self.waited = Rest::Expected;
        }
        stamp.size
    }

    /// How many bytes of it were not sent, as far as is known.
    pub(crate) fn unsent(&self) -> u64 {
        self.stamp.map_or(0, |stamp| stamp.size.saturating_sub(self.position.offset))
    }

    /// Whether it is looked at more often than at rescans.
    pub(crate) fn is_awake(&self, now: Instant) -> bool {
        const AWAKE: Duration = Duration::from_secs(60);
        let is_awake = now.duration_since(self.grown) < AWAKE || self.unsent() > 0 || self.missing.is_some();
        is_awake && !self.is_queued && !self.has_failed
    }

    /// Whether it has something to be read: new bytes, or last ones that were waited for long enough.
    pub(crate) fn is_due(&self, rest: Rest) -> bool {
        let metadata = match &self.file {
            Some(file) => file.metadata(),
            None => fs::metadata(&self.place).and_then(|metadata| match Identity::of(&metadata) == self.identity {
                true => Ok(metadata),
                false => Err(std::io::ErrorKind::NotFound.into()),
            }),
        };
        // Why it cannot be looked at is found out in its turn; one that is gone from its place is left to the rescan.
        metadata.map_or(self.file.is_some(), |metadata| self.has_changed(Stamp::of(&metadata)))
            || self.unsent() > 0 && rest > self.waited
    }

    /// Whether nobody will write to it any more: it was missed for that long, and has not grown meanwhile.
    pub(crate) fn is_over(&self, now: Instant, forget_after: Duration) -> bool {
        self.missing.is_some_and(|missing| now.duration_since(missing.max(self.grown)) >= forget_after)
    }
}
