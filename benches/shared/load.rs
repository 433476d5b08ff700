//! Loading, compared with what the system alone takes for it.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use hookrail::{Callbacks, Config, Decision, Host, Message, MessagePublish, PluginConfig, Priority, Verdict};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use rustix::fs::{MemfdFlags, memfd_create, sendfile};

/// The plugins that are loaded: the smallest one, and one that compiles patterns.
pub(crate) const PLUGINS: [&str; 2] = ["hello", "mask"];

/// A host with their configuration.
pub(crate) fn host() -> Host {
    let mask = PluginConfig::default().with_config(serde_json::json!({ "patterns": ["secret[0-9]+"] }));
    Host::new(Config::default().with_plugin("mask", mask)).expect("a host")
}

/// Copies the file to memory and opens the copy; returns how long each took, without closing.
pub(crate) fn copy_and_open(file: &Path) -> [Duration; 3] {
    let (copied, copy) = timed(|| copy(file));
    // SAFETY: our own plugin.
    let (opened, library) = timed(|| unsafe { Library::open(Some(path(&copy)), RTLD_NOW | RTLD_LOCAL) });
    let library = library.expect("it opens");
    let (closed, result) = timed(|| library.close());
    result.expect("it closes");
    [copied, opened, closed]
}

/// Loads and unloads it; returns how long each took.
pub(crate) fn load_and_unload(host: &Host, file: &Path) -> [Duration; 2] {
    // SAFETY: our own plugin.
    let (loaded, plugin) = timed(|| unsafe { host.load(file) });
    let plugin = plugin.expect("it loads");
    // It is in the chain: a message passes through it.
    let outcome = host.point(MessagePublish).expect("built in").dispatch(&mut Message::new("a", "secret1"));
    assert_eq!(outcome.decision(), Decision::Passed);
    let (unloaded, end) = timed(|| host.unload(&plugin));
    assert!(end.expect("it was loaded").is_unmapped());
    [loaded, unloaded]
}

/// The parts of a load. Calls into the plugin, which cannot be timed from outside, are the remainder.
pub(crate) fn parts(host: &Host, file: &Path) -> [(&'static str, Duration); 8] {
    let [copy, open, close] = fastest(|| copy_and_open(file));
    let [load, unload] = fastest(|| load_and_unload(host, file));
    let [inspect] = fastest(|| [timed(|| hookrail::inspect(file).expect("a plugin")).0]);
    // SAFETY: our own plugin.
    let [schema] = fastest(|| [timed(|| unsafe { hookrail::schema(file) }.expect("a plugin")).0]);
    let [register] = fastest(|| {
        let callbacks = Callbacks::new("bench")
            .on(MessagePublish, "nothing", Priority::new(500), |_: &mut Message| Verdict::Continue);
        let (time, registered) = timed(|| host.register(callbacks));
        host.unregister(registered.expect("the only one"));
        [time]
    });
    // Each of these copies first, and reading the schema includes opening and closing.
    let inspect = inspect.saturating_sub(copy);
    let schema = schema.saturating_sub(copy + inspect + open + close);
    let start = load.saturating_sub(copy + inspect + open + schema + register);
    [
        ("copy to memory", copy),
        ("inspect", inspect),
        ("dlopen", open),
        ("attach, schema", schema),
        ("check, create, start", start),
        ("register", register),
        ("load in all", load),
        ("unload", unload),
    ]
}

/// How long a load followed by an unload takes, compared with opening and closing a copy of the file, and with starting
/// the one thread that an unload starts; means of `times` runs.
pub(crate) fn round_trips(host: &Host, file: &Path, times: u32) -> [Duration; 3] {
    let mean = |once: &dyn Fn() -> Duration| (0..times).map(|_| once()).sum::<Duration>() / times;
    let opened = mean(&|| copy_and_open(file).into_iter().sum());
    let loaded = mean(&|| load_and_unload(host, file).into_iter().sum());
    let spawned = mean(&|| timed(|| std::thread::spawn(|| ()).join().expect("it does nothing")).0);
    [opened, loaded, spawned]
}

/// The fastest of 21 runs, for each part: subtracted values must not include disturbances of the machine.
fn fastest<const N: usize>(once: impl Fn() -> [Duration; N]) -> [Duration; N] {
    (0..21).map(|_| once()).fold([Duration::MAX; N], |least, times| std::array::from_fn(|i| least[i].min(times[i])))
}

/// Copies a file to memory.
pub(crate) fn copy(file: &Path) -> OwnedFd {
    let file = File::open(file).expect("the plugin was built");
    let copy = memfd_create("copy", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).expect("memory");
    while sendfile(&copy, &file, None, 1 << 30).expect("memory") > 0 {}
    copy
}

/// The path at which the loader finds a copy.
pub(crate) fn path(copy: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", copy.as_raw_fd())
}

/// How long `run` takes, and what it returns.
pub(crate) fn timed<R>(run: impl FnOnce() -> R) -> (Duration, R) {
    let start = Instant::now();
    let result = run();
    (start.elapsed(), result)
}
