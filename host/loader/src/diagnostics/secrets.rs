//! The secrets of a plugin, which are taken out of what is logged and shown of its failures.

use std::collections::VecDeque;
use std::fmt;

use hookrail_model::secrets::without_secrets;
use parking_lot::RwLock;

use super::of_plugin::PluginDiagnostics;

/// How many are remembered, the newest. Those that were given before stay among them: code may still use them.
const MOST: usize = 64;

/// The secrets that the instances and endpoints of a plugin were given, the newest last.
#[derive(Default)]
pub(super) struct Secrets(RwLock<VecDeque<String>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

impl PluginDiagnostics {
    /// From now on its failures and panics are shown without these, too.
    pub fn hide(&self, secrets: &[String]) {
        if secrets.is_empty() {
            return;
        }
        let all = {
            let mut known = self.secrets.0.write();
            known.retain(|known| !secrets.contains(known));
            known.extend(secrets.iter().cloned());
            let excess = known.len().saturating_sub(MOST.max(secrets.len()));
            known.drain(..excess);
            Vec::from(known.clone())
        };
        self.hide_elsewhere(&all);
    }

    /// What its failures and panics are shown without.
    pub fn secrets(&self) -> Vec<String> {
        self.secrets.0.read().iter().cloned().collect()
    }

    /// The text without them.
    pub fn hidden(&self, text: String) -> String {
        without_secrets(text, self.secrets.0.read().iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let diagnostics = PluginDiagnostics::new("x");
        for number in 0..MOST + 1 {
            diagnostics.hide(&[format!("secret {number:03}")]);
        }
        diagnostics.hide(&["secret 001".into()]);
        assert_eq!(diagnostics.secrets().len(), MOST);
        assert_eq!(diagnostics.hidden("secret 000, secret 001, secret 064".into()), "secret 000, ***, ***");
        assert!(!format!("{diagnostics:?}").contains("064"));
    }
}
