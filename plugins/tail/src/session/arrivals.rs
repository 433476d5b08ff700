//! Which files have come, gone or moved.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

use glob::GlobError;
use hookrail_abi::Closed;
use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;

use super::{Session, open};
use crate::followed::Followed;
use crate::identity::Identity;
use crate::places::{self, Directories, Stamp, Whereabouts};
use crate::position::Position;

/// A file that was not followed.
pub(super) struct Arrival {
    /// The number of the pattern that it matches.
    pub(super) pattern: usize,
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    pub(super) size: u64,
}

impl Session {
    /// Looks at all files.
    pub(super) fn rescan(&mut self, io: &mut SourceIo<'_>) -> Result<(), Closed> {
        let arrivals = self.look(io)?;
        // Who had which path until now; asked only when something has come, which is seldom.
        let mut holders = HashMap::new();
        if !arrivals.is_empty() {
            let there = self.files.values().filter(|file| file.missing.is_none());
            holders.extend(there.map(|file| (&*file.place, file.identity)));
        }
        let before: Vec<_> = arrivals.iter().map(|arrival| holders.get(&*arrival.path).copied()).collect();
        self.settle(io)?;
        for (arrival, before) in arrivals.into_iter().zip(before) {
            if let Some(before) = before {
                self.enqueue(before);
            }
            let (identity, kept) = (arrival.identity, self.kept.take(arrival.identity, &arrival.path));
            let mut file = self.arrive(arrival);
            if let Some((known, place)) = kept {
                file.position = Position::from(&place);
                self.resume(&mut file, known, place.path, io)?;
            }
            file.after = before;
            self.follow(identity, file);
        }
        Ok(())
    }

    /// Lists what is there now: takes note of where known files are, and returns the others.
    pub(super) fn look(&mut self, io: &SourceIo<'_>) -> Result<Vec<Arrival>, Closed> {
        self.round += 1;
        let mut arrivals = Vec::new();
        let wanted = self.wanted.clone();
        for (count, (pattern, path)) in wanted.globs.list().enumerate() {
            if count % 256 == 0 {
                open(io)?;
            }
            match path {
                Ok(path) => self.look_at(pattern, path, &mut arrivals),
                Err(error) => self.fail_to_list(&error),
            }
        }
        Ok(arrivals)
    }

    fn fail_to_list(&mut self, error: &GlobError) {
        if places::has_none_left(error.error()) {
            self.make_room();
        } else {
            self.said.once(error.path(), format_args!("cannot list it: {}", error.error()));
        }
    }

    fn look_at(&mut self, pattern: usize, path: PathBuf, arrivals: &mut Vec<Arrival>) {
        // Of a link, what it leads to.
        let metadata = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(metadata) => {
                let kind = places::kind(metadata.file_type());
                return self.said.once(&path, format_args!("it is {kind}, which is not followed"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => return self.said.once(&path, format_args!("cannot look at it: {error}")),
        };
        let identity = Identity::of(&metadata);
        match self.files.get_mut(&identity) {
            Some(file) => {
                if file.look(path, &metadata, self.round) {
                    self.enqueue(identity);
                }
            }
            None => arrivals.push(Arrival { pattern, path, identity, size: metadata.len() }),
        }
    }

    /// Draws the conclusions from what was listed: which files have moved, and which are missing.
    pub(super) fn settle(&mut self, io: &mut SourceIo<'_>) -> Result<(), Closed> {
        let (mut missing, mut gone) = (Vec::new(), Vec::new());
        let mut directories = Directories::default();
        for file in self.files.values_mut() {
            if file.round == self.round {
                (file.missing, file.is_leaving) = (None, false);
                if let Some(path) = file.moved.take() {
                    file.place = path;
                }
                continue;
            }
            // One that is open may be closed later, and is to be found again then.
            if file.file.is_none() || file.missing.is_none() {
                match directories.find(&file.place, file.identity) {
                    Whereabouts::At(path) => file.place = path,
                    Whereabouts::Gone if file.file.is_none() => gone.push(file.identity),
                    Whereabouts::Away | Whereabouts::Gone => {}
                    // It is not missing: nobody can tell.
                    Whereabouts::Unknown => continue,
                }
            }
            // What was written to it since is read now, before its successor.
            if file.missing.is_none() || file.has_failed {
                missing.push(file.identity);
            }
            file.has_failed = false;
            file.missing.get_or_insert_with(Instant::now);
        }
        missing.into_iter().for_each(|identity| self.enqueue(identity));
        for identity in gone {
            let file = &self.files[&identity];
            if file.unsent() > 0 {
                let (place, unsent) = (file.place.display(), file.unsent());
                self.said.say(Level::Warn, format_args!("{place}: gone before its last {unsent} bytes were read"));
            }
            self.forget(identity, io)?;
        }
        Ok(())
    }

    /// A file that is read from its beginning.
    pub(super) fn arrive(&self, arrival: Arrival) -> Followed {
        let topic = self.wanted.topic.of(&arrival.path);
        Followed::new(arrival.identity, arrival.path, topic)
    }

    /// Follows a file from now on, if it is not followed under another name.
    pub(super) fn follow(&mut self, identity: Identity, mut file: Followed) {
        if self.files.contains_key(&identity) {
            return;
        }
        file.round = self.round;
        self.files.insert(identity, file);
        self.enqueue(identity);
    }

    /// The file is read on where the mark `known` says.
    pub(super) fn resume(
        &mut self,
        file: &mut Followed,
        known: Identity,
        path: String,
        io: &mut SourceIo<'_>,
    ) -> Result<(), Closed> {
        file.topic = self.wanted.topic.of(Path::new(&path));
        file.path = path;
        if known != file.identity {
            file.position.mark(&mut self.mark, &file.path);
            self.outbox.send(io, &file.identity.to_string(), &self.mark)?;
            self.outbox.send(io, &known.to_string(), "")?;
        }
        Ok(())
    }
}

impl Followed {
    /// It was found at `path`; returns whether it is to be read.
    fn look(&mut self, path: PathBuf, metadata: &Metadata, round: u64) -> bool {
        if path == self.place {
            self.moved = None;
        } else if self.round < round {
            self.moved = Some(path);
        }
        // One that has several names and stays at the one it had is not moved by the others.
        self.round = round;
        std::mem::take(&mut self.has_failed) || self.has_changed(Stamp::of(metadata))
    }
}
