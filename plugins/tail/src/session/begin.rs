//! The first look: where the marks of an earlier run belong.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hookrail_abi::Closed;
use hookrail_abi::prelude::*;

use super::Session;
use crate::config::StartAt;
use crate::followed::Followed;
use crate::identity::Identity;
use crate::kept::pattern;
use crate::places::{Directories, Whereabouts};
use crate::position::Position;

impl Session {
    /// Finds the files, and where to begin each.
    pub(super) fn begin(&mut self, io: &mut SourceIo<'_>) -> Result<(), Closed> {
        for key in std::mem::take(&mut self.kept.unknown) {
            self.outbox.send(io, &key, "")?;
        }
        let mut arrivals = Vec::new();
        for arrival in self.look(io)? {
            match self.kept.take(arrival.identity, &arrival.path) {
                Some((known, place)) => {
                    let mut file = self.arrive(arrival);
                    file.position = Position::from(&place);
                    self.resume(&mut file, known, place.path, io)?;
                    self.follow(file.identity, file);
                }
                None => arrivals.push(arrival),
            }
        }
        let renamed = self.renamed(io)?;
        for arrival in arrivals {
            let (identity, size) = (arrival.identity, arrival.size);
            let is_new = !self.wanted.globs.paths().nth(arrival.pattern).is_some_and(|text| self.kept.knows(text));
            let mut file = self.arrive(arrival);
            file.end = (is_new && self.wanted.start_at == StartAt::End).then_some(size);
            file.after = renamed.get(&file.place).copied();
            self.follow(identity, file);
        }
        self.name_patterns(io)
    }

    /// Files with a mark that no pattern matches: those that were renamed while nobody looked are read to their end.
    /// Returns what they were called.
    fn renamed(&mut self, io: &mut SourceIo<'_>) -> Result<HashMap<PathBuf, Identity>, Closed> {
        let (mut found, mut directories) = (Vec::new(), Directories::default());
        // Where nobody can tell, the mark waits for the file.
        let marks = self.kept.take_if(|known, place| {
            let now = directories.find(Path::new(&place.path), *known);
            !matches!(now, Whereabouts::Away | Whereabouts::Unknown)
        });
        for (known, place) in marks {
            let path = Path::new(&place.path);
            if !self.wanted.globs.matches(path) {
                // The operator does not want it any more, or has mistyped something: its mark stays as long as it does.
                if fs::metadata(path).map(|metadata| Identity::of(&metadata)).ok() != Some(known) {
                    self.outbox.send(io, &known.to_string(), "")?;
                }
                continue;
            }
            let Whereabouts::At(now) = directories.find(path, known) else {
                self.outbox.send(io, &known.to_string(), "")?;
                continue;
            };
            found.push((fs::metadata(&now).and_then(|metadata| metadata.modified()).ok(), known, now, place));
        }
        // Of several that had the same name, the oldest is read first.
        found.sort_by_key(|(modified, ..)| *modified);
        let mut names = HashMap::new();
        for (_, known, now, place) in found {
            let path = PathBuf::from(&place.path);
            let mut file = Followed::new(known, now, self.wanted.topic.of(&path));
            file.position = Position::from(&place);
            file.missing = Some(Instant::now());
            file.path = place.path;
            file.after = names.insert(path, known);
            self.follow(known, file);
        }
        Ok(names)
    }

    /// Has the host keep which patterns there are: what matches them at the next start and has no mark is new.
    fn name_patterns(&mut self, io: &mut SourceIo<'_>) -> Result<(), Closed> {
        let wanted = self.wanted.clone();
        // After the marks of the files that are begun at their end.
        for identity in std::mem::take(&mut self.queue) {
            if self.files.get(&identity).is_some_and(|file| file.end.is_some()) {
                self.turn(identity, io)?;
            } else {
                self.queue.push_back(identity);
            }
        }
        let is_old = |key: &&String| wanted.globs.paths().all(|text| pattern(text) != **key);
        let old: Vec<_> = self.kept.patterns().filter(is_old).cloned().collect();
        for key in old {
            self.outbox.send(io, &key, "")?;
        }
        for text in wanted.globs.paths().filter(|text| !self.kept.knows(text)) {
            self.outbox.send(io, &pattern(text), text)?;
        }
        Ok(())
    }
}
