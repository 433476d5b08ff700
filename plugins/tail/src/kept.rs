//! What the host has kept of an earlier run.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::fingerprint::Fingerprint;
use crate::identity::Identity;
use crate::mark::Place;

/// The marks of an earlier run that nobody has asked for yet.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    places: HashMap<Identity, Place>,
    /// The identities with that inode.
    inodes: HashMap<u64, Identity>,
    /// The keys of patterns that were followed.
    patterns: HashSet<String>,
    /// The keys of marks that cannot be read.
    pub(crate) unknown: Vec<String>,
}

impl Kept {
    pub(crate) fn new(marks: Vec<(String, String)>) -> Self {
        let mut kept = Kept::default();
        for (key, value) in marks {
            match (key.parse::<Identity>(), Place::parse(&value)) {
                (Ok(identity), Some(place)) => {
                    kept.inodes.insert(identity.inode, identity);
                    kept.places.insert(identity, place);
                }
                _ if key == pattern(&value) => drop(kept.patterns.insert(key)),
                _ => kept.unknown.push(key),
            }
        }
        kept
    }

    /// Takes the mark of a file that was found at `path`, with the identity that it is kept under.
    ///
    /// The number of a device may be another one after a restart of the system, as on a network file system: then the same
    /// inode at the same path will do. What was read is compared with the fingerprints in any case.
    pub(crate) fn take(&mut self, identity: Identity, path: &Path) -> Option<(Identity, Place)> {
        let known = if self.places.contains_key(&identity) {
            identity
        } else {
            let other = *self.inodes.get(&identity.inode)?;
            self.places.get(&other).filter(|place| Path::new(&place.path) == path)?;
            other
        };
        self.places.remove(&known).map(|place| (known, place))
    }

    /// Takes the marks of which `is_wanted` says so.
    pub(crate) fn take_if(&mut self, mut is_wanted: impl FnMut(&Identity, &Place) -> bool) -> Vec<(Identity, Place)> {
        self.places.extract_if(|identity, place| is_wanted(identity, place)).collect()
    }

    /// Whether files of that pattern were followed; then those without a mark are new.
    pub(crate) fn knows(&self, text: &str) -> bool {
        self.patterns.contains(&pattern(text))
    }

    /// The keys of patterns that were followed.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &String> {
        self.patterns.iter()
    }
}

/// The key of the mark that says that files of a pattern were followed; its value is the pattern.
pub(crate) fn pattern(text: &str) -> String {
    format!("pattern:{:016x}", Fingerprint::of(text.as_bytes()).hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(marks: &[(&str, &str)]) -> Kept {
        Kept::new(marks.iter().map(|&(key, value)| (key.into(), value.into())).collect())
    }

    const PLACE: &str = r#"{"offset":0,"head":[0,"0"],"before":[0,"0"],"path":"/a.log"}"#;

    #[test]
    fn a_mark_is_found_by_identity_or_by_inode_and_path() {
        let identity = |device| Identity { device, inode: 7 };
        let take = |device, path| kept(&[("1:7", PLACE)]).take(identity(device), Path::new(path));
        assert_eq!(take(1, "/b.log").map(|(known, _)| known), Some(identity(1)));
        assert_eq!(take(2, "/a.log").map(|(known, _)| known), Some(identity(1)));
        assert_eq!(take(2, "/b.log"), None);
        let mut kept = kept(&[("1:7", PLACE)]);
        assert!(kept.take(identity(1), Path::new("/a.log")).is_some());
        assert_eq!(kept.take(identity(1), Path::new("/a.log")), None, "it is given once");
    }

    #[test]
    fn patterns_are_known_and_what_is_unreadable_is_named() {
        let key = pattern("/*.log");
        let kept = kept(&[(&key, "/*.log"), ("1:7", "{}"), ("pattern:0", "/*.log"), ("old", PLACE)]);
        assert!(kept.knows("/*.log") && !kept.knows("/*"));
        assert_eq!(kept.unknown, ["1:7", "pattern:0", "old"]);
    }
}
