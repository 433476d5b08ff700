//! The specimens of the zoo, each with the checks that it does not pass.

/// A specimen, or how it breaks, and the checks that it does not pass, each with how it ended.
pub(crate) type Row = (&'static str, &'static [(&'static str, &'static str)]);

/// Specimens in C that a host can look at.
pub(crate) const C: &[Row] = &[
    ("another_abi", &[("entry", "failed")]),
    ("another_form", &[("loads", "failed")]),
    ("another_payload", &[("loads", "failed"), ("callbacks", "warned")]),
    ("another_revision", &[("loads", "failed"), ("callbacks", "warned")]),
    ("asynchronous_form", &[("loads", "failed")]),
    ("could_start_threads", &[("imports", "warned"), ("unmaps", "warned")]),
    ("entry_is_a_function", &[("entry-symbol", "failed")]),
    ("entry_without_stop", &[("entry", "failed")]),
    ("fails_to_attach", &[("starts", "failed")]),
    ("handler_in_constructor", &[("entry", "failed")]),
    ("hides_its_abi", &[("entry", "failed")]),
    ("hides_panic_abort", &[("entry", "failed")]),
    ("initial_exec", &[("static-tls", "warned")]),
    ("many_constructors", &[("constructors", "warned")]),
    ("missing_symbol", &[("entry", "failed")]),
    ("no_code", &[("starts", "failed")]),
    ("no_priority", &[("loads", "failed")]),
    ("note_of_another_priority", &[("loads", "failed")]),
    ("note_of_another_revision", &[("loads", "failed")]),
    ("note_of_no_effects", &[("note", "failed")]),
    ("note_of_other_effects", &[("loads", "failed")]),
    ("planned_point", &[("loads", "failed"), ("callbacks", "warned")]),
    ("prints", &[("stdout", "failed")]),
    ("priority_1000", &[("note", "failed")]),
    ("priority_at_the_end", &[("note", "failed")]),
    ("private_free", &[("entry", "failed")]),
    ("private_heap", &[("entry", "failed")]),
    ("registers_twice", &[("loads", "failed")]),
    ("renamed_point", &[("note", "failed")]),
    ("ops_without_drop", &[("loads", "failed")]),
    ("short_entry", &[("entry", "failed")]),
    ("short_ops", &[("loads", "failed")]),
    ("short_record", &[("starts", "failed")]),
    ("short_table", &[("loads", "failed"), ("queries", "failed")]),
    ("table_without_run", &[("loads", "failed"), ("endpoints", "failed")]),
    ("thread_in_constructor", &[("entry", "failed")]),
    ("undeclared_endpoints", &[("note", "warned"), ("endpoints", "failed"), ("callbacks", "warned")]),
    ("undeclared_hook", &[("loads", "failed")]),
    ("unknown_point", &[("note", "warned"), ("callbacks", "warned")]),
];

/// Files that are not plugins, or none that this host can read: an error, and no check.
pub(crate) const NO_PLUGINS: &[&str] = &[
    "climbing_name",
    "library_with_keys",
    "nameless",
    "no_name",
    "no_note",
    "no_plugin",
    "note_cut_short",
    "note_is_no_json",
    "note_of_a_newer_format",
    "note_of_another",
    "note_without_version",
    "slash_in_name",
];

/// Specimens in Rust.
pub(crate) const RUST: &[Row] = &[
    ("asks_to_be_kept", &[("unmaps", "warned")]),
    // Of a point that another program declares.
    ("counter_elsewhere", &[("note", "warned"), ("callbacks", "warned")]),
    ("counter_payload", &[("loads", "failed"), ("callbacks", "warned")]),
    ("leaves_a_signal_handler", &[("signal-handlers", "failed"), ("unmaps", "failed")]),
    ("panics_in_create", &[("starts", "failed")]),
    ("panics_in_drop", &[("starts", "failed")]),
    ("panics_in_start", &[("starts", "failed")]),
    ("panics_in_stop", &[("starts", "failed")]),
    ("panics_with_a_bomb", &[("starts", "failed")]),
    ("prints_a_backtrace", &[("unmaps", "failed")]),
    ("says_the_schema_wrongly", &[("loads", "failed"), ("schema", "failed")]),
    ("starts_a_thread", &[("unmaps", "failed")]),
];

/// Where `panics_somewhere` panics.
pub(crate) const PANICS: &[Row] = &[
    ("accept", &[("endpoints", "failed")]),
    ("callback", &[("callbacks", "failed")]),
    ("create", &[("starts", "failed")]),
    ("destroy", &[("starts", "failed")]),
    ("apply_changes", &[("hostile-state", "failed")]),
    ("drain", &[("pauses", "failed")]),
    ("free", &[("endpoints", "failed")]),
    ("halt", &[("pauses", "failed")]),
    ("health", &[("pauses", "failed")]),
    ("ready", &[("loads", "failed")]),
    ("reload", &[("hostile-reload", "failed")]),
    ("restore", &[("state-round-trip", "failed")]),
    ("resume", &[("pauses", "failed")]),
    ("run", &[("endpoints-end", "failed")]),
    ("save", &[("orders", "failed")]),
    ("save_changes", &[("orders", "failed")]),
    ("schema", &[("loads", "failed"), ("schema", "failed")]),
    ("start", &[("starts", "failed")]),
    ("stop", &[("starts", "failed")]),
];

/// Where and how `breaks` ends its process.
pub(crate) const CRASHES: &[Row] = &[
    ("attach:abort", &[("starts", "crashed")]),
    ("callback:overflow", &[("callbacks", "crashed")]),
    ("constructor:abort", &[("entry", "crashed")]),
    ("create:segv", &[("starts", "crashed")]),
    ("destroy:segv", &[("starts", "crashed")]),
    ("halt:segv", &[("pauses", "crashed")]),
    ("health:abort", &[("pauses", "crashed")]),
    ("apply_changes:segv", &[("orders", "crashed")]),
    ("query:abort", &[("starts", "crashed")]),
    ("reload:segv", &[("hostile-reload", "crashed")]),
    ("restore:segv", &[("orders", "crashed")]),
    ("resume:abort", &[("pauses", "crashed")]),
    ("save:abort", &[("orders", "crashed")]),
    ("save_changes:abort", &[("orders", "crashed")]),
    ("schema:abort", &[("loads", "crashed"), ("schema", "crashed")]),
    ("start:exit", &[("starts", "crashed")]),
    ("stop:abort", &[("starts", "crashed")]),
];

/// What else `breaks` does wrong.
pub(crate) const MISTAKES: &[Row] = &[
    ("address-in-its-state", &[("replace", "failed")]),
    ("after-the-body", &[("payloads", "failed")]),
    ("changes-its-schema", &[("schema", "failed")]),
    ("constructor:print", &[("quiet-load", "failed")]),
    ("counts-its-starts", &[("restarts", "failed")]),
    ("empty-state", &[("hostile-state", "crashed")]),
    ("drain-says-nothing", &[("pauses", "failed")]),
    ("foreign-handle", &[("starts", "failed")]),
    ("keeps-a-file", &[("leaves-nothing", "failed")]),
    ("large-config", &[("hostile-config", "crashed")]),
    ("leaks", &[("create-destroy", "failed")]),
    ("leaves-in-secret", &[("unload-in-flight", "failed")]),
    ("needs-log", &[("services-withheld", "crashed")]),
    ("nesting", &[("nested-dispatch", "failed")]),
    ("newer-host", &[("newer-host", "failed")]),
    ("no mistake", &[]),
    ("odd-bodies", &[("payloads", "failed")]),
    ("pauses-for-good", &[("pauses", "failed")]),
    ("prefixes", &[("queries", "failed")]),
    ("reads-beyond", &[("payload-memory", "crashed")]),
    ("refuses-states", &[("state-round-trip", "failed")]),
    ("reload-says-nothing", &[("hostile-reload", "failed")]),
    ("reload-then-save", &[("fuzz", "crashed")]),
    ("reserved-words", &[("callbacks", "failed")]),
    ("restores-another", &[("state-round-trip", "failed")]),
    ("says-nothing", &[("hostile-config", "failed")]),
    ("starts-once", &[("orders", "failed")]),
    ("statics-stay", &[("fresh-statics", "failed")]),
    ("threads", &[("threads", "failed")]),
    ("verdict", &[("callbacks", "failed")]),
    ("writes-and-restores", &[("payload-memory", "crashed")]),
    ("writes-to-notify", &[("callbacks", "failed")]),
];

/// What `breaks_endpoints` does wrong.
pub(crate) const ENDPOINTS: &[Row] = &[
    ("accepts-anything", &[("hostile-endpoints", "failed")]),
    ("another-name", &[("endpoints", "failed")]),
    ("answers-for-nothing", &[("endpoints-end", "failed")]),
    ("answers-oddly", &[("endpoints-end", "failed")]),
    ("leaks-in-accept", &[("accept-free", "failed")]),
    ("leaves-a-thread", &[("unload-endpoints", "failed")]),
    ("no mistake", &[]),
    ("no-table", &[("endpoints", "failed")]),
    ("opens-in-accept", &[("accept-free", "failed")]),
    ("part-of-the-table", &[("loads", "failed"), ("endpoints", "failed")]),
    ("refuses-in-silence", &[("hostile-endpoints", "failed")]),
    ("run-aborts", &[("endpoints-end", "crashed")]),
    ("sends-no-text", &[("endpoints-end", "failed")]),
    ("sink-returns", &[("endpoints-end", "failed")]),
    ("source-ignores-closing", &[("endpoints-end", "failed")]),
    // There is nothing wrong with that.
    ("source-returns", &[]),
    ("starts-in-accept", &[("accept-free", "failed")]),
];

/// What `changes_the_process` changes, and when.
pub(crate) const CHANGES: &[Row] = &[
    ("callback:alarm", &[("timers", "failed")]),
    ("callback:rounding", &[("floating-point", "failed")]),
    ("callback:text", &[("stdout", "failed")]),
    ("start:alarm", &[("timers", "failed")]),
    ("start:child", &[("child-processes", "failed")]),
    ("start:copy of the host", &[("child-processes", "failed")]),
    ("start:directory", &[("working-directory", "failed")]),
    ("start:flush to zero", &[("floating-point", "failed")]),
    ("start:grandchild", &[("child-processes", "failed")]),
    ("start:ignored signal", &[("signal-handlers", "failed")]),
    ("start:locale", &[("locale", "failed")]),
    ("start:locale of the thread", &[("locale", "failed")]),
    ("start:no line", &[("stdout", "failed")]),
    ("start:POSIX timer", &[("timers", "failed")]),
    ("start:profiling timer", &[("timers", "failed")]),
    ("start:reaping", &[("signal-handlers", "failed")]),
    ("start:removed variable", &[("environment", "failed")]),
    ("start:rounding", &[("floating-point", "failed")]),
    ("start:signal mask", &[("signal-mask", "failed")]),
    ("start:signal stack", &[("signal-stack", "failed")]),
    ("start:text", &[("stdout", "failed")]),
    ("start:umask", &[("umask", "failed")]),
    ("start:variable", &[("environment", "failed")]),
    ("start:zombie", &[("child-processes", "failed")]),
    // Taken back, but its host had another umask meanwhile.
    ("until-stop:umask", &[("umask", "failed")]),
    ("until-stop:ignored signal", &[]),
];

/// How `well_behaved` is linked.
pub(crate) const LINKED: &[Row] = &[
    ("-Wl,-z,execstack", &[("executable-stack", "failed")]),
    ("-Wl,-z,nodelete", &[("removable", "failed")]),
    ("-Wl,-rpath,/nowhere", &[("search-path", "failed")]),
];

/// Where `breaks` hangs, and the check that is killed for it; no other is run.
pub(crate) const HANGS: &[Row] = &[
    ("attach:hang", &[("starts", "timed-out")]),
    ("callback:hang", &[("callbacks", "timed-out")]),
    ("constructor:hang", &[("entry", "timed-out")]),
    ("create:hang", &[("starts", "timed-out")]),
    ("destroy:hang", &[("starts", "timed-out")]),
    ("holds-a-lock", &[("reentry", "timed-out")]),
    ("apply_changes:hang", &[("orders", "timed-out")]),
    ("query:hang", &[("queries", "timed-out")]),
    ("reload:hang", &[("hostile-reload", "timed-out")]),
    ("restore:hang", &[("orders", "timed-out")]),
    ("save:hang", &[("orders", "timed-out")]),
    ("save_changes:hang", &[("orders", "timed-out")]),
    ("schema:hang", &[("schema", "timed-out")]),
    ("start:hang", &[("starts", "timed-out")]),
    ("stop:hang", &[("starts", "timed-out")]),
];

/// What takes too long to load, however quick the machine is.
pub(crate) const SLOW: Row = ("attach:dawdle", &[("load-time", "warned")]);
