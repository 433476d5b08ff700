//! The secrets of a plugin, which are taken out of what is logged and shown of its failures.

use std::collections::VecDeque;
use std::fmt;

use hookrail_model::secrets::without_secrets;
use parking_lot::RwLock;

/// How many are remembered, the newest. Those that were given before stay among them: code may still use them.
const MOST: usize = 64;

/// The secrets that the instances and endpoints of a plugin were given, the newest last.
#[derive(Default)]
pub(super) struct Secrets(RwLock<VecDeque<String>>);

impl Secrets {
    /// Adds these; returns all.
    pub(super) fn add(&self, secrets: &[String]) -> Vec<String> {
        let mut known = self.0.write();
        known.retain(|known| !secrets.contains(known));
        known.extend(secrets.iter().cloned());
        let excess = known.len().saturating_sub(MOST.max(secrets.len()));
        known.drain(..excess);
        known.iter().cloned().collect()
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.read().iter().cloned().collect()
    }

    /// The text without them.
    pub(super) fn hidden(&self, text: String) -> String {
        without_secrets(text, self.0.read().iter())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let secrets = Secrets::default();
        for number in 0..MOST + 1 {
            secrets.add(&[format!("secret {number:03}")]);
        }
        secrets.add(&["secret 001".into()]);
        assert_eq!(secrets.all().len(), MOST);
        assert_eq!(secrets.hidden("secret 000, secret 001, secret 064".into()), "secret 000, ***, ***");
        assert!(!format!("{secrets:?}").contains("064"));
    }
}
