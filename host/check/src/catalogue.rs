//! Every check, in the order in which they are run.

use crate::check::{Check, Kind};
use crate::checks::{config, fuzz, leave, lifecycle, load, look, payloads, state, traffic};

// What one of these checks finds, all checks that need it would find again, which would hide what those are about.
const STARTS: &[&str] = &["starts"];
const CALLS: &[&str] = &["callbacks"];
const ORDERS: &[&str] = &["orders"];
const TRAFFIC: &[&str] = &["loads", "payloads"];
const GONE: &[&str] = &["fresh-statics", "payloads"];

/// All checks. A check comes after those that it needs.
pub const ALL: &[Check] = &[
    Check {
        name: "entry-symbol",
        kind: Kind::Static,
        level: 1,
        about: "one entry is exported, as data of the right size",
        why: "a host finds the plugin by this symbol, and reads no further than its size",
        needs: &[],
        run: look::entry_symbol,
    },
    Check {
        name: "note",
        kind: Kind::Static,
        level: 1,
        about: "the note names each hook once, in words that a host knows",
        why: "a host decides by the note whether any code of the file runs",
        needs: &[],
        run: look::note,
    },
    Check {
        name: "text-relocations",
        kind: Kind::Static,
        level: 4,
        about: "its code is not patched when it is loaded",
        why: "patched code cannot be write-protected or shared, and hardened systems refuse it",
        needs: &[],
        run: look::text_relocations,
    },
    Check {
        name: "executable-stack",
        kind: Kind::Static,
        level: 4,
        about: "no memory of it is writable and executable at once",
        why: "opening such a library makes the stacks of all threads executable, or fails",
        needs: &[],
        run: look::executable_stack,
    },
    Check {
        name: "search-path",
        kind: Kind::Static,
        level: 4,
        about: "it brings no search path for libraries",
        why: "the host opens a copy in memory, where $ORIGIN leads nowhere, and a fixed path may lead anywhere",
        needs: &[],
        run: look::search_path,
    },
    Check {
        name: "removable",
        kind: Kind::Static,
        level: 2,
        about: "it does not ask the system never to be removed",
        why: "a library that cannot be unmapped stays in memory after every upgrade",
        needs: &[],
        run: look::removable,
    },
    Check {
        name: "libraries",
        kind: Kind::Static,
        level: 5,
        about: "it needs no libraries beyond the system's",
        why: "another library may be missing, and may run the plugin's code after the plugin is gone",
        needs: &[],
        run: look::libraries,
    },
    Check {
        name: "imports",
        kind: Kind::Static,
        level: 5,
        about: "it imports nothing that runs its code where the host cannot see it",
        why: "a host that cannot see who runs a library's code never closes it",
        needs: &[],
        run: look::imports,
    },
    Check {
        name: "static-tls",
        kind: Kind::Static,
        level: 5,
        about: "it has no initial-exec thread-locals",
        why: "they take space in a small, fixed block of every thread",
        needs: &[],
        run: look::static_tls,
    },
    Check {
        name: "constructors",
        kind: Kind::Static,
        level: 8,
        about: "nothing but the runtimes' own code runs while it is opened",
        why: "a constructor runs before the host can know, and before anything was checked",
        needs: &[],
        run: look::constructors,
    },
    Check {
        name: "entry",
        kind: Kind::Load,
        level: 1,
        about: "it can be opened, and its entry fits its note and this process",
        why: "a host that believes a wrong entry calls wrong addresses and frees foreign memory",
        needs: &["entry-symbol", "note"],
        run: load::entry,
    },
    Check {
        name: "quiet-load",
        kind: Kind::Load,
        level: 5,
        about: "opening it prints, starts and changes nothing",
        why: "a host opens libraries to inspect them, and nothing undoes what a constructor did",
        needs: &["entry"],
        run: load::quiet_load,
    },
    Check {
        name: "starts",
        kind: Kind::Load,
        level: 1,
        about: "an instance is created, started, stopped and destroyed",
        why: "this is what a plugin is for; when it needs a configuration, give it one with --config",
        needs: &["entry"],
        run: load::starts,
    },
    Check {
        name: "loads",
        kind: Kind::Load,
        level: 1,
        about: "the host accepts it, and it registers nothing that its note does not declare",
        why: "a hook that the note does not declare is refused, and the whole plugin with it",
        needs: STARTS,
        run: load::loads,
    },
    Check {
        name: "queries",
        kind: Kind::Load,
        level: 3,
        about: "it returns null for unknown ids, and always the same table for a known one",
        why: "both sides grow by ids: a table for the wrong id is called with the wrong types",
        needs: STARTS,
        run: load::queries,
    },
    Check {
        name: "newer-host",
        kind: Kind::Load,
        level: 5,
        about: "it works with the longer table of a newer host",
        why: "a host of a later 1.x hands over more than the plugin knows",
        needs: STARTS,
        run: load::newer_host,
    },
    Check {
        name: "callbacks",
        kind: Kind::Run,
        level: 1,
        about: "every callback handles a plain message",
        why: "a callback that fails on every message is of no use",
        needs: STARTS,
        run: payloads::callbacks,
    },
    Check {
        name: "payloads",
        kind: Kind::Run,
        level: 4,
        about: "callbacks handle empty, odd, huge, malformed and random payloads, and leave them well-formed",
        why: "whoever sends messages decides what is in them",
        needs: CALLS,
        run: payloads::payloads,
    },
    Check {
        name: "payload-memory",
        kind: Kind::Run,
        level: 5,
        about: "callbacks of notify points write to no payload, and read none beyond its ends",
        why: "several callbacks, and the host, look at the same payload",
        needs: CALLS,
        run: payloads::payload_memory,
    },
    Check {
        name: "create-destroy",
        kind: Kind::Run,
        level: 4,
        about: "thousands of instances come and go, and leave nothing",
        why: "an instance is created whenever a plugin is inspected, upgraded or restarted",
        needs: STARTS,
        run: lifecycle::create_destroy,
    },
    Check {
        name: "orders",
        kind: Kind::Run,
        level: 3,
        about: "every order of lifecycle calls that a host may choose works",
        why: "failed starts, several instances and hand-overs lead to orders that are seldom tried",
        needs: CALLS,
        run: lifecycle::orders,
    },
    Check {
        name: "restarts",
        kind: Kind::Run,
        level: 5,
        about: "it is stopped and started again and again in one library",
        why: "a restart does not reset statics, and an operator expects the plugin to be as new",
        needs: &["loads", "orders"],
        run: lifecycle::restarts,
    },
    Check {
        name: "services-withheld",
        kind: Kind::Run,
        level: 6,
        about: "it runs without some or all of the host's services, or says that it cannot",
        why: "another host need not have them",
        needs: ORDERS,
        run: lifecycle::services_withheld,
    },
    Check {
        name: "schema",
        kind: Kind::Run,
        level: 3,
        about: "its configuration schema is valid, and accepts the defaults in it",
        why: "people write configurations by the schema, and the host checks them against it",
        needs: STARTS,
        run: config::schema,
    },
    Check {
        name: "hostile-config",
        kind: Kind::Run,
        level: 5,
        about: "wrong, random, huge and truncated configurations are accepted, or refused with a reason",
        why: "people mistype, and an error without a reason cannot be fixed",
        needs: &["orders", "schema"],
        run: config::hostile_config,
    },
    Check {
        name: "hostile-reload",
        kind: Kind::Run,
        level: 5,
        about: "the same while it runs, and it keeps running",
        why: "a bad configuration must not take down a running plugin",
        needs: &["payloads", "orders", "schema"],
        run: config::hostile_reload,
    },
    Check {
        name: "reentry",
        kind: Kind::Run,
        level: 6,
        about: "it answers queries that arrive while it calls the host",
        why: "queries may come at any time, on any thread: a lock held across a call into the host hangs",
        needs: &["hostile-reload"],
        run: lifecycle::reentry,
    },
    Check {
        name: "state-round-trip",
        kind: Kind::Run,
        level: 5,
        about: "what is restored from a state saves the same",
        why: "otherwise each upgrade loses something",
        needs: &["payloads", "orders"],
        run: state::round_trip,
    },
    Check {
        name: "hostile-state",
        kind: Kind::Run,
        level: 5,
        about: "empty, random and truncated states, and those of other versions, are accepted, or refused with a reason",
        why: "the state comes from another build, older or newer",
        needs: &["state-round-trip"],
        run: state::hostile_state,
    },
    Check {
        name: "threads",
        kind: Kind::Run,
        level: 5,
        about: "16 threads dispatch while its configuration is reloaded",
        why: "callbacks run on any thread, on several at once",
        needs: &["loads", "hostile-reload"],
        run: traffic::threads,
    },
    Check {
        name: "nested-dispatch",
        kind: Kind::Run,
        level: 5,
        about: "messages are dispatched from within a dispatch that it takes part in",
        why: "other callbacks of the same chain publish messages of their own",
        needs: TRAFFIC,
        run: traffic::nested_dispatch,
    },
    Check {
        name: "fuzz",
        kind: Kind::Run,
        level: 5,
        about: "a random host calls it in random allowed orders, with random arguments",
        why: "nobody thinks of every order",
        needs: &["hostile-config", "hostile-reload", "hostile-state"],
        run: fuzz::fuzz,
    },
    Check {
        name: "unmaps",
        kind: Kind::Unload,
        level: 2,
        about: "no mapping of its file is left after it was unloaded",
        why: "what stays in memory adds up with every upgrade, and its code may keep running",
        needs: &["removable", "loads", "callbacks"],
        run: leave::unmaps,
    },
    Check {
        name: "fresh-statics",
        kind: Kind::Unload,
        level: 3,
        about: "each load begins with statics as they are in the file",
        why: "a new generation must not find what the old one left",
        needs: &["unmaps"],
        run: leave::fresh_statics,
    },
    Check {
        name: "leaves-nothing",
        kind: Kind::Unload,
        level: 5,
        about: "a hundred loads and unloads leave no mapping, thread, descriptor, key or handler, and change nothing",
        why: "a host runs for months",
        needs: GONE,
        run: leave::leaves_nothing,
    },
    Check {
        name: "unload-in-flight",
        kind: Kind::Unload,
        level: 5,
        about: "it is unloaded while its callbacks run",
        why: "traffic does not pause for an operator",
        needs: GONE,
        run: traffic::in_flight,
    },
    Check {
        name: "replace",
        kind: Kind::Unload,
        level: 5,
        about: "it is replaced by itself, over and over, while its file is rewritten in place",
        why: "that is how a plugin is developed and upgraded",
        needs: &["fresh-statics", "hostile-state"],
        run: traffic::replace,
    },
    Check {
        name: "load-time",
        kind: Kind::Load,
        level: 6,
        about: "loading it takes less than 100 ms, at best",
        why: "an upgrade waits for it",
        needs: &["fresh-statics"],
        run: load::load_time,
    },
];

/// The check with that name.
pub(super) fn named(name: &str) -> Option<&'static Check> {
    ALL.iter().find(|check| check.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_what_one_needs_stands_before_it() {
        for (index, check) in ALL.iter().enumerate() {
            let before = &ALL[..index];
            assert!(before.iter().all(|other| other.name != check.name), "{}", check.name);
            for needed in check.needs {
                let found = before.iter().find(|other| other.name == *needed);
                assert!(found.is_some_and(|found| found.level <= check.level), "{} needs {needed}", check.name);
            }
            assert!((1..=10).contains(&check.level), "{}", check.name);
        }
    }
}
