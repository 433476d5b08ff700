//! The checks of a file of which no code runs.

use crate::answer::Found;
use crate::check::{Check, Isolated, Kind};
use crate::checks::look;
use crate::subject::Subject;

pub(super) const ENTRY_SYMBOL: Check = check(
    "entry-symbol",
    1,
    "one entry is exported, as data of the right size",
    "a host finds the plugin by this symbol, and reads no further than its size",
    look::entry_symbol,
);

pub(super) const NOTE: Check = check(
    "note",
    1,
    "the note names each hook once, in words that a host knows",
    "a host decides by the note whether any code of the file runs",
    look::note,
);

pub(super) const TEXT_RELOCATIONS: Check = check(
    "text-relocations",
    4,
    "its code is not patched when it is loaded",
    "patched code cannot be write-protected or shared, and hardened systems refuse it",
    look::text_relocations,
);

pub(super) const EXECUTABLE_STACK: Check = check(
    "executable-stack",
    4,
    "no memory of it is writable and executable at once",
    "opening such a library makes the stacks of all threads executable, or fails",
    look::executable_stack,
);

pub(super) const SEARCH_PATH: Check = check(
    "search-path",
    4,
    "it brings no search path for libraries",
    "the host opens a copy in memory, where $ORIGIN leads nowhere, and a fixed path may lead anywhere",
    look::search_path,
);

pub(super) const REMOVABLE: Check = check(
    "removable",
    2,
    "it does not ask the system never to be removed",
    "a library that cannot be unmapped stays in memory after every upgrade",
    look::removable,
);

pub(super) const LIBRARIES: Check = check(
    "libraries",
    5,
    "it needs no libraries beyond the system's",
    "another library may be missing, and may run the plugin's code after the plugin is gone",
    look::libraries,
);

pub(super) const IMPORTS: Check = check(
    "imports",
    5,
    "it imports nothing that runs its code where the host cannot see it",
    "a host that cannot see who runs a library's code never closes it",
    look::imports,
);

pub(super) const STATIC_TLS: Check = check(
    "static-tls",
    5,
    "it has no initial-exec thread-locals",
    "they take space in a small, fixed block of every thread",
    look::static_tls,
);

pub(super) const CONSTRUCTORS: Check = check(
    "constructors",
    8,
    "nothing but the runtimes' own code runs while it is opened",
    "a constructor runs before the host can know, and before anything was checked",
    look::constructors,
);

const fn check(
    name: &'static str,
    level: u8,
    about: &'static str,
    why: &'static str,
    run: fn(&Subject) -> Found,
) -> Check {
    Check { name, kind: Kind::Static, level, about, why, needs: &[], isolated: Isolated::Alike, run }
}
