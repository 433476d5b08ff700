//! The files of the zoo that were made for something else than a check of `hookrail check`.

/// A file, what it was made for, and the checks that it does not pass all the same, each with how it ended.
pub(crate) type Excused = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const PASSES: &[(&str, &str)] = &[];
/// Where it cannot be started without the test that it was made for.
const NEEDS_A_CONFIGURATION: &[(&str, &str)] = &[("starts", "failed")];
/// It takes an address on trust, which only its tests write into its configuration.
const TRUSTS_AN_ADDRESS: &[(&str, &str)] = &[("hostile-config", "crashed")];
/// Its points are declared by the tests alone.
const HOOKS_POINTS_OF_TESTS: &[(&str, &str)] = &[("note", "warned"), ("callbacks", "warned")];

/// Specimens that do wrong only what no check brings about, or nothing at all.
pub(crate) const EXCUSED: &[Excused] = &[
    (
        "c/answers_on_the_bus.c",
        "does nothing wrong: what it does on the bus is seen in pipelines",
        &[("note", "warned"), ("imports", "warned"), ("callbacks", "warned"), ("unmaps", "warned")],
    ),
    ("c/commands_a_terminal.c", "reports what would command a terminal, and no check sends what it waits for", PASSES),
    ("c/dispatches.c", "dispatches a point of its host, which is nothing wrong", PASSES),
    ("c/keeps_a_unit.c", "needs a host that starts programs for it", PASSES),
    (
        "c/leaves_its_ends_open.c",
        "leaves open on the bus what ends with its instance",
        &[("note", "warned"), ("callbacks", "warned")],
    ),
    ("c/publishes_within.c", "publishes in its callback, which is nothing wrong", PASSES),
    ("c/sends_and_takes.c", "has a source and a sink, which do nothing wrong", PASSES),
    ("c/opens_itself.c", "has to be kept for its own reason", &[("unmaps", "failed")]),
    ("c/starts_unseen_threads.c", "starts its thread only when a test's variable says how", PASSES),
    (
        "c/subscribes.c",
        "does nothing wrong: a service of the tests has to be taken back when it is unloaded",
        &[("note", "warned"), ("starts", "failed")],
    ),
    ("c/writes_its_configuration.c", "writes what it is sent as its configuration, which is refused", PASSES),
    ("c/well_behaved.c", "does nothing wrong: what the others differ from", PASSES),
    ("examples/answers_anything.rs", "its configuration says what impossible answer it gives", NEEDS_A_CONFIGURATION),
    ("examples/asks_for_its_thread.rs", "does nothing wrong: its key has to be found when it is unloaded", PASSES),
    ("examples/contends_for_a_lock.rs", "does nothing wrong: what parking_lot keeps has to be taken down", PASSES),
    ("examples/counter_again.rs", "a build of `counter` under another name: no upgrade of it", TRUSTS_AN_ADDRESS),
    ("examples/counter_forgetful.rs", "a build of `counter` without state, which an upgrade would lose", PASSES),
    ("examples/counter_one.rs", "the first build of `counter`, which upgrades replace", TRUSTS_AN_ADDRESS),
    ("examples/counter_strict.rs", "a build of `counter` that refuses configurations", NEEDS_A_CONFIGURATION),
    ("examples/counter_two.rs", "the second build of `counter`, which replaces the first", TRUSTS_AN_ADDRESS),
    ("examples/declares_a_budget.rs", "is slow by its own measure, which is for whoever counts to tell", PASSES),
    ("examples/ends_the_host.rs", "ends the process where a message says how, and no check sends those", PASSES),
    ("examples/dispatches.rs", "dispatches points of its host, which is nothing wrong", PASSES),
    ("examples/handles_parcels.rs", "uses what a host offers as the payload of a test says", HOOKS_POINTS_OF_TESTS),
    ("examples/hears_notes.rs", "fails, waits or ends the process where a message says so", PASSES),
    ("examples/harms_its_worker.rs", "harms its process where a message says how, and no check sends those", PASSES),
    ("examples/fails_on_demand.rs", "fails as the payload of a test says", HOOKS_POINTS_OF_TESTS),
    (
        "examples/finds_pthread_create.rs",
        "misbehaves when it is unloaded while the test's pipe is open: its thread goes on",
        NEEDS_A_CONFIGURATION,
    ),
    ("examples/holds_memory.rs", "holds as much memory as the payload of a test says", HOOKS_POINTS_OF_TESTS),
    ("examples/holds_memory_too.rs", "as `holds_memory`, beside it", HOOKS_POINTS_OF_TESTS),
    ("examples/joins_its_thread.rs", "does nothing wrong: its thread ends with it, and it is unmapped", PASSES),
    (
        "examples/keeps_a_cpp_thread_local.rs",
        "a destructor of C++ has to be found; a topic with a zero in it is none to its C++",
        &[("payloads", "failed")],
    ),
    ("examples/keeps_a_thread_local.rs", "does nothing wrong: what it keeps has to be taken down", PASSES),
    ("examples/keeps_nested_thread_locals.rs", "does nothing wrong: its destructors make more of them", PASSES),
    (
        "examples/leaves_a_reading_thread.rs",
        "misbehaves when it is unloaded while the test's pipe is open: its thread goes on",
        NEEDS_A_CONFIGURATION,
    ),
    ("examples/leaves_a_thread_that_ends.rs", "does what can be waited for: its thread ends soon after it", PASSES),
    (
        "examples/leaves_tokio_a_blocking_task.rs",
        "misbehaves when it is unloaded while the test's pipe is open: its task goes on",
        NEEDS_A_CONFIGURATION,
    ),
    ("examples/logs_in_once.rs", "does nothing wrong: what it logs in an initialiser has to be heard", PASSES),
    ("examples/logs_to_the_last.rs", "logs after its own end, as long as the test says", NEEDS_A_CONFIGURATION),
    ("examples/makes_its_own_key.rs", "does nothing wrong: its own key's destructor has to run once", PASSES),
    ("examples/many_instances.rs", "does nothing wrong: several instances of it run at once", NEEDS_A_CONFIGURATION),
    ("examples/one_instance.rs", "does nothing wrong: a second instance of it has to be refused", PASSES),
    ("examples/panics_in_callback.rs", "panics at a body that no check sends: `boom`", PASSES),
    ("examples/panics_variously.rs", "panics as the body says, and no check sends those bodies", PASSES),
    ("examples/payload_fits.rs", "a payload of the tests, as the host knows it", HOOKS_POINTS_OF_TESTS),
    ("examples/payload_grown.rs", "a payload of the tests, with more in it", HOOKS_POINTS_OF_TESTS),
    ("examples/payload_grown_large.rs", "as `payload_grown`, in a larger file", HOOKS_POINTS_OF_TESTS),
    ("examples/payload_kinds.rs", "a payload of the tests, with other kinds", HOOKS_POINTS_OF_TESTS),
    ("examples/payload_narrow.rs", "a payload of the tests, with another type in it", HOOKS_POINTS_OF_TESTS),
    ("examples/payload_renamed.rs", "a payload of the tests, under another name", HOOKS_POINTS_OF_TESTS),
    ("examples/payload_wide.rs", "a payload of the tests, with more fields", HOOKS_POINTS_OF_TESTS),
    ("examples/remembers_its_start.rs", "does nothing wrong: the thread that starts it has to be cleared", PASSES),
    (
        "examples/replaced_with_thread_locals.rs",
        "does nothing wrong: the soak replaces it under load, and reads its ledger",
        NEEDS_A_CONFIGURATION,
    ),
    (
        "examples/replaced_with_threads.rs",
        "does nothing wrong: the soak replaces it under load, and reads its ledger",
        NEEDS_A_CONFIGURATION,
    ),
    ("examples/panics_with_its_secret.rs", "panics where its configuration says so, and no check's does", PASSES),
    ("examples/runs_on_tokio.rs", "does nothing wrong: its runtime ends with it, and it is unmapped", PASSES),
    ("examples/says_how_it_is.rs", "says of itself what the files of a test say", PASSES),
    ("examples/searches_with_regex.rs", "does nothing wrong: what the crate keeps has to be taken down", PASSES),
    ("examples/sends_and_takes.rs", "misbehaves as the configurations of its endpoints say", PASSES),
    ("examples/sends_to_its_worker.rs", "does nothing wrong: its thread waits for what other threads keep", PASSES),
    ("examples/stands_beside_itself.rs", "does to itself what a message says, and no check sends those", PASSES),
    (
        "examples/starts_a_cpp_thread.rs",
        "its thread goes on until the test closes a pipe, and nobody can count such threads",
        &[("imports", "warned"), ("starts", "failed")],
    ),
    ("examples/talks_on_the_bus.rs", "publishes and subscribes as its configuration says", PASSES),
    (
        "examples/tells.rs",
        "what it logs is read by tests; it takes the number of a file on trust",
        &[("hostile-config", "failed")],
    ),
    ("examples/tells_again.rs", "as `tells`, beside it", &[("hostile-config", "failed")]),
    (
        "examples/thread_in_constructor.rs",
        "its constructor starts a thread when a test's variable says so; it hooks nothing",
        &[("note", "warned"), ("constructors", "warned"), ("callbacks", "warned")],
    ),
    (
        "examples/uses_its_ephemeral_directory.rs",
        "does nothing wrong, unless a message says so that no check sends: its directory has to end with it",
        PASSES,
    ),
    ("examples/keeps_units.rs", "starts programs where a message says so, and no check sends those", PASSES),
    ("examples/writes_its_configuration.rs", "writes its configuration where a message or a file says so", PASSES),
];

/// What is no specimen of its own, and why.
pub(crate) const PARTS: &[(&str, &str)] = &[
    ("c/specimen.h", "what the specimens in C share"),
    ("c/note.h", "how the specimens in C write any note"),
    ("cpp/thread.cpp", "a part of `starts_a_cpp_thread`"),
    ("cpp/thread_local.cpp", "a part of `keeps_a_cpp_thread_local`"),
    ("cpp/unique.cpp", "a part of `brings_unique_symbols`"),
    ("examples/counter", "what the builds of `counter` share"),
    ("examples/telling", "what `tells` and `tells_again` share"),
];
