//! Verbs that change a home, and whether a fault leaves the old or the new state.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cli::stocked::Stocked;
use crate::cli::text;

/// A verb, and the commands that prepare for it.
#[derive(Clone, Copy)]
pub struct Verb {
    /// The name that failures show.
    pub name: &'static str,
    /// The commands before it.
    pub before: &'static [&'static [&'static str]],
    /// The program's arguments.
    pub arguments: &'static [&'static str],
}

/// Two versions are installed, the newer one is enabled and configured.
const TWO: &[&[&str]] = &[
    &["plugin", "install", "screen-1.0.0.hrp"],
    &["plugin", "install", "screen-1.1.0.hrp"],
    &["plugin", "enable", "screen"],
    &["config", "set", "screen", "--file", "one.json"],
];
const ONE: &[&[&str]] = &[TWO[0]];

/// A third version is installed over the first two.
pub const INSTALL_OVER: Verb = verb("install over another", TWO, &["plugin", "install", "screen-1.2.0.hrp"]);
/// The enabled version is upgraded to a third.
pub const UPGRADE: Verb = verb("upgrade", TWO, &["plugin", "upgrade", "screen", "screen-1.2.0.hrp"]);
/// All versions are removed, and the configuration stays.
pub const UNINSTALL: Verb = verb("uninstall", TWO, &["plugin", "uninstall", "screen"]);
/// The only installed version is enabled.
pub const ENABLE: Verb = verb("enable", ONE, &["plugin", "enable", "screen"]);
/// The previous version is restored.
pub const ROLLBACK: Verb = verb("rollback", TWO, &["plugin", "rollback", "screen"]);
/// A configuration replaces another.
pub const CONFIGURE: Verb = verb("config set", TWO, &["config", "set", "screen", "--file", "two.json"]);
/// A plugin without a configuration gets one.
pub const CONFIGURE_FIRST: Verb = verb("first config set", ONE, &["config", "set", "screen", "--file", "one.json"]);
/// All versions are removed, and the configuration too.
pub const PURGE: Verb = verb("purge", TWO, &["plugin", "uninstall", "screen", "--purge", "--yes"]);

/// A verb.
pub const fn verb(
    name: &'static str,
    before: &'static [&'static [&'static str]],
    arguments: &'static [&'static str],
) -> Verb {
    Verb { name, before, arguments }
}

/// Everything in a home, and what the program reports about it.
type Seen = (BTreeMap<PathBuf, (u32, Vec<u8>)>, Value);

/// A home before a verb and after it, and one to try it in.
pub struct Whole {
    verb: Verb,
    template: Stocked,
    /// Before the verb.
    pub old: Seen,
    /// After it.
    pub new: Seen,
    /// The home in which it is tried.
    pub home: Stocked,
}

/// What a fault left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Whether it is the state after the verb, rather than the one before.
    pub is_new: bool,
    /// Whether something was left over that the next change has collected.
    pub left_over: bool,
}

impl Whole {
    /// Performs the verb once; its homes are named after the test.
    pub fn of(verb: Verb, test: &str) -> Self {
        let home = |name: &str| {
            let home = Stocked::new(&format!("{test}_{name}"));
            verb.before.iter().for_each(|arguments| _ = home.ok(arguments));
            home
        };
        let (template, new) = (home("old"), home("new"));
        new.ok(verb.arguments);
        let home = Stocked { home: template.home.with_file_name("work") };
        let seen = |home: &Stocked| (home.all(), listed(home));
        Whole { verb, old: seen(&template), new: seen(&new), template, home }
    }

    /// Restores the home to try it in to the state before the verb.
    pub fn reset(&self) {
        if !self.home.home.exists() || self.home.all() != self.old.0 {
            let _ = fs::remove_dir_all(&self.home.home);
            let copied = Command::new("cp").arg("-a").args([&self.template.home, &self.home.home]).status();
            assert!(copied.unwrap().success());
        }
    }

    /// Checks that the home is in the state before the verb or in that after it, if necessary once the next change has
    /// begun; otherwise fails with `at` in the message.
    pub fn settle(&self, at: &str) -> Left {
        let all = self.home.all();
        for (is_new, state) in [(false, &self.old), (true, &self.new)] {
            if all == state.0 {
                return Left { is_new, left_over: false };
            }
        }
        // Something is left over. The first reader changes nothing, and sees one of the two states.
        let is = |state: &Seen| all.get(self.truth()) == state.0.get(self.truth());
        let (is_old, is_new) = (is(&self.old), is(&self.new));
        let (found, wanted) = (listed(&self.home), if is_old { &self.old } else { &self.new });
        assert!(found == wanted.1 && (is_old || is_new), "{at}\n{found:#}\n{:#}", wanted.1);
        // The next change collects it.
        self.home.refused(&["plugin", "disable", "none"], "HR0103", 3);
        let all = self.home.all();
        let differs = |path: &&PathBuf| all.get(*path) != wanted.0.get(*path);
        let different = || all.keys().chain(wanted.0.keys()).filter(differs).collect::<Vec<_>>();
        assert!(all == wanted.0, "{at}\n{:#?}", different());
        Left { is_new: !is_old, left_over: true }
    }

    /// The file whose replacement is the single moment at which the verb takes effect.
    fn truth(&self) -> &'static Path {
        let [state, config] = ["state.json", "config/screen/config.json"].map(Path::new);
        if self.verb.arguments[0] == "config" { config } else { state }
    }
}

/// The installed plugins, with every file verified, and their configuration; without timestamps.
fn listed(home: &Stocked) -> Value {
    let mut listed = home.json(&["plugin", "list", "--verify"]);
    let listed_here = listed.as_array_mut().unwrap();
    listed_here.retain(|plugin| plugin["name"] == "screen");
    for plugin in &mut *listed_here {
        let installed = plugin["installed"].as_object_mut().unwrap();
        assert_eq!(installed["signature"], "signed");
        installed.remove("installed_at");
    }
    let config = home.run(&["config", "get", "screen"]);
    assert_eq!(config.status.success(), !listed_here.is_empty(), "{}", text(&config.stderr));
    listed_here.push(text(&config.stdout).into());
    listed
}
