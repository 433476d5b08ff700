//! What keeps a library is named, and harms nobody: neither while it is kept nor when it lets go.

use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use hookrail::{End, Ticket, inspect};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::scene::{Scene, config, prints};
use hookrail_tests::specimens::c;
use hookrail_tests::{alone, cc};
use hookrail_tests::{has_peer, zoo, zoo_cpp};
use serde_json::json;

/// As long as it waits before it names what it waits for.
const SHORT: Duration = Duration::from_millis(50);

#[test]
fn a_thread_that_reads_keeps_its_library_until_it_has_read() {
    alone!();
    let pinned = Pinned::by("leaves_a_reading_thread");
    pinned.eventually(|end| *end == End::PinnedByThreads(1));
    prints(&pinned.now(), "1 thread");
    pinned.let_go();
}

#[test]
fn a_blocking_task_of_tokio_keeps_its_library_until_it_is_done() {
    alone!();
    let pinned = Pinned::by("leaves_tokio_a_blocking_task");
    pinned.eventually(|end| matches!(end, End::PinnedByThreads(1..)));
    prints(&pinned.now(), "thread");
    pinned.let_go();
}

#[test]
fn a_thread_of_a_rust_plugin_that_was_started_unseen_keeps_its_library() {
    alone!();
    let pinned = Pinned::by("finds_pthread_create");
    pinned.eventually(|end| *end == End::PinnedByThreads(1));
    pinned.let_go();
}

#[test]
fn a_thread_of_a_c_plugin_that_was_started_unseen_keeps_its_library() {
    alone!();
    let mut config = config("starts-unseen-threads", json!({}));
    config.unload.deadline = SHORT;
    let scene = Scene::new(config);
    for how in ["dlsym", "clone"] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(LONG)).unwrap();
        for (name, value) in [("ZOO_HOW", how.to_owned()), ("ZOO_END", theirs.as_raw_fd().to_string())] {
            // SAFETY: no other thread looks at the environment: this test is alone.
            unsafe { std::env::set_var(name, value) };
        }
        let plugin = scene.load(c("starts_unseen_threads"));
        scene.dispatch();
        let ticket = scene.host.begin_unload(&plugin).unwrap();
        let end = || ticket.wait_timeout(Duration::ZERO);
        eventually("the thread is seen", || end() == End::PinnedByThreads(1));
        ours.shutdown(Shutdown::Write).unwrap();
        (&ours).read_exact(&mut [0]).expect("the thread was there, and so was its code");
        eventually("it is unmapped", || ticket.try_wait() == Some(End::Unmapped));
    }
}

/// An unloading that waits for a thread of the plugin, which waits for the other end of a pipe.
struct Pinned {
    ticket: Ticket,
    scene: Scene,
    hold: PipeWriter,
    _until: PipeReader,
}

impl Pinned {
    fn by(specimen: &str) -> Self {
        let (until, hold) = pipe().unwrap();
        let name = specimen.replace('_', "-");
        let mut config = config(&name, json!({ "until": until.as_raw_fd() }));
        config.unload.deadline = SHORT;
        let scene = Scene::new(config);
        let plugin = scene.load(zoo(specimen));
        assert!(scene.dispatch().is_some(), "{name} runs");
        let ticket = scene.host.begin_unload(&plugin).unwrap();
        Pinned { ticket, scene, hold, _until: until }
    }

    /// How it stands.
    fn now(&self) -> End {
        self.ticket.wait_timeout(Duration::ZERO)
    }

    fn eventually(&self, is_so: impl Fn(&End) -> bool) {
        eventually("the deadline passes, and the thread is seen", || is_so(&self.now()));
    }

    /// Lets the thread come to its end.
    fn let_go(self) {
        assert_eq!(self.scene.dispatch(), None, "it is in no chain");
        let Pinned { ticket, hold, .. } = self;
        drop(hold);
        eventually("it is unmapped", || ticket.try_wait() == Some(End::Unmapped));
        assert_eq!(ticket.wait_timeout(Duration::ZERO), End::Unmapped);
    }
}

#[test]
fn a_signal_handler_keeps_its_library_and_may_still_be_called() {
    alone!();
    let (mut told, tell) = pipe().unwrap();
    let scene = Scene::new(config("leaves-a-signal-handler", json!({ "tell": tell.as_raw_fd() })));
    let plugin = scene.load(zoo("leaves_a_signal_handler"));
    assert!(scene.dispatch().is_some());
    let end = scene.unload(plugin);
    assert_eq!(end, End::PinnedByHandlers(vec![libc::SIGUSR1]));
    prints(&end, "10");
    for _ in 0..3 {
        // SAFETY: whoever handles it is still there.
        assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
    }
    // SAFETY: the signal is nobody's from now on.
    unsafe { libc::signal(libc::SIGUSR1, libc::SIG_IGN) };
    drop(tell);
    let mut bytes = Vec::new();
    told.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 3, "each signal was handled");
}

#[test]
fn a_refused_library_whose_constructor_left_a_handler_may_still_be_called() {
    alone!();
    let scene = Scene::new(config("handler-in-constructor", json!({})));
    // SAFETY: our own library.
    let error = unsafe { scene.host.load(c("handler_in_constructor")) }.unwrap_err();
    assert_eq!(error.code(), "HR0301", "{error}");
    // SAFETY: whoever handles it is still there; afterwards it is nobody's.
    unsafe {
        assert_eq!(libc::raise(libc::SIGUSR2), 0);
        libc::signal(libc::SIGUSR2, libc::SIG_IGN);
    }
}

#[test]
fn a_refused_library_whose_constructor_started_a_thread_is_kept() {
    alone!();
    let scene = Scene::new(config("thread-in-constructor", json!({})));
    // Of another ABI than its note says, and of one that this host does not have.
    let note = zoo("thread_in_constructor").with_file_name("note_of_another_abi.so");
    let whole = std::fs::read(zoo("thread_in_constructor")).unwrap();
    std::fs::write(&note, replaced(whole, b"\"abi\":\"1.0\"", b"\"abi\":\"1.9\"")).unwrap();
    for (file, code) in [(note, "HR0305"), (c("thread_in_constructor"), "HR0301")] {
        thread_goes_on(|| {
            // SAFETY: our own library.
            let error = unsafe { scene.host.load(file) }.unwrap_err();
            assert_eq!(error.code(), code, "{error}");
        });
    }
}

#[test]
fn a_library_whose_constructor_started_a_thread_is_kept() {
    alone!();
    let scene = Scene::new(config("thread-in-constructor", json!({})));
    thread_goes_on(|| {
        let end = scene.unload(scene.load(zoo("thread_in_constructor")));
        assert!(matches!(&end, End::Unhooked(name) if name.starts_with("pthread_create")), "{end}");
    });
}

/// Has a constructor start a thread, and then looks whether that has kept its code.
fn thread_goes_on(load: impl FnOnce()) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(LONG)).unwrap();
    // SAFETY: no other thread looks at the environment: whoever loads something here is alone.
    unsafe { std::env::set_var("ZOO_END", theirs.as_raw_fd().to_string()) };
    load();
    // SAFETY: no other thread looks at the environment: whoever loads something here is alone.
    unsafe { std::env::remove_var("ZOO_END") };
    ours.shutdown(Shutdown::Write).unwrap();
    (&ours).read_exact(&mut [0]).expect("the thread is there, and so is its code");
}

/// The bytes, with one part of them replaced by another of the same length.
fn replaced(mut bytes: Vec<u8>, part: &[u8], by: &[u8]) -> Vec<u8> {
    let at = bytes.windows(part.len()).position(|window| window == part).expect("it is there");
    bytes[at..at + by.len()].copy_from_slice(by);
    bytes
}

#[test]
fn a_library_that_asks_to_be_kept_is_kept_for_its_reason() {
    alone!();
    let scene = Scene::new(config("asks-to-be-kept", json!({})));
    let plugin = scene.load(zoo("asks_to_be_kept"));
    assert!(scene.dispatch().is_some());
    let end = scene.unload(plugin);
    assert_eq!(end, End::Vetoed("a device holds its address".into()));
    prints(&end, "a device holds its address");
    assert_eq!(scene.dispatch(), None, "its callbacks are gone all the same");
}

#[test]
fn a_library_may_ask_to_be_kept_when_its_last_thread_ends() {
    alone!();
    let pinned = Pinned::by("asks_to_be_kept");
    pinned.eventually(|end| *end == End::PinnedByThreads(1));
    let Pinned { ticket, hold, .. } = pinned;
    drop(hold);
    eventually("it is kept", || ticket.try_wait() == Some(End::Vetoed("a device holds its address".into())));
}

#[test]
fn a_library_that_opens_itself_is_kept_for_that_reason() {
    alone!();
    let scene = Scene::new(config("opens-itself", json!({})));
    let plugin = scene.load(c("opens_itself"));
    scene.dispatch();
    let end = scene.unload(plugin);
    assert_eq!(end, End::PinnedByHandles);
    prints(&end, "it opened itself");
}

/// What the standard library maps for the names of functions it may keep; whoever asks hears of it.
#[test]
fn a_backtrace_is_either_gone_or_named() {
    alone!();
    let scene = Scene::new(config("prints-a-backtrace", json!({})));
    let plugin = scene.load(zoo("prints_a_backtrace"));
    let backtrace = scene.dispatch().unwrap();
    assert!(backtrace.contains("prints_a_backtrace"), "it names functions of the plugin: {backtrace}");
    let end = scene.unload(plugin);
    assert!(matches!(end, End::FileMappings(1..) | End::Unmapped), "{end}");
    if let End::FileMappings(count) = end {
        prints(&end, &count.to_string());
    }
    assert_eq!(scene.dispatch(), None);
}

/// Such a thread is not counted, so a library that can start one is never closed.
#[test]
fn a_library_that_has_cpp_start_its_threads_is_kept() {
    if !has_peer("c++", "g++") {
        return;
    }
    alone!();
    let (until, hold) = pipe().unwrap();
    let scene = Scene::new(config("starts-a-cpp-thread", json!({ "until": until.as_raw_fd() })));
    let plugin = scene.load(zoo_cpp("starts_a_cpp_thread"));
    assert!(scene.dispatch().is_some());
    let end = scene.unload(plugin);
    let End::Unhooked(name) = &end else { panic!("{end}") };
    prints(&end, name);
    // The thread goes on in code of the library, to its end; its own end of the pipe stays open.
    drop(hold);
    let _ = until.into_raw_fd();
}

/// The loader itself keeps what is one in a process, and says nothing.
#[test]
fn a_library_with_unique_symbols_is_not_said_to_be_gone() {
    if !has_peer("c++", "g++") {
        return;
    }
    alone!();
    let scene = Scene::new(config("brings-unique-symbols", json!({})));
    let plugin = scene.load(brings_unique_symbols());
    let _ = scene.dispatch();
    let end = scene.unload(plugin);
    assert!(matches!(end, End::NoDelete | End::Unhooked(_)), "{end}");
}

fn brings_unique_symbols() -> PathBuf {
    let cpp = concat!(env!("CARGO_MANIFEST_DIR"), "/zoo/cpp/unique.cpp");
    let object = cc::compile(&["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror"], cpp, &["-c", "-fPIC"], "unique.o");
    let more = ["-shared", "-fPIC", object.to_str().unwrap(), "-lstdc++"];
    cc::compile(cc::STRICT_C, &source("brings_unique_symbols"), &more, "brings_unique_symbols.so")
}

/// Whatever makes the loader load a file counts, and names count as a whole.
#[test]
fn every_file_that_the_loader_would_load_is_found() {
    let plain = source("well_behaved");
    let build =
        |more: &[&str], name: &str| cc::compile(cc::STRICT_C, &plain, &[&["-shared", "-fPIC"], more].concat(), name);
    let evil = source("library_with_keys");
    let mut needed = Vec::new();
    for name in ["libm.so.evil", "libc.so.6.1", "ld-linux.so.2", "libgcc_s.so.2"] {
        let options = ["-shared", "-fPIC", &format!("-Wl,-soname,{name}")];
        needed.push((cc::compile(cc::STRICT_C, &evil, &options, &format!("evil-{name}")), name));
    }
    let links: Vec<_> =
        needed.iter().map(|(library, name)| (format!("-Wl,--no-as-needed,{}", library.display()), *name)).collect();
    let flags = [
        ("-Wl,-f,libaux.so", "libaux.so"),
        ("-Wl,-F,libfilter.so", "libfilter.so"),
        ("-Wl,-P,libaudit.so", "libaudit.so"),
    ];
    let cases = flags.iter().map(|(flag, name)| ((*flag).to_owned(), *name)).chain(links);
    for (number, (flag, name)) in cases.enumerate() {
        let library = build(&[&flag], &format!("loads_{number}.so"));
        assert_eq!(inspect(&library).unwrap().unhooked, [name], "{flag}");
    }
}

/// The host does not see what another library does for the plugin. The thread that called it ends
/// after the unloading: code of that library runs then.
#[test]
fn a_library_that_a_plugin_brings_along_keeps_it() {
    alone!();
    let scene = Scene::new(config("leans-on-a-library", json!({})));
    let file = leans_on_a_library();
    assert_eq!(inspect(&file).unwrap().unhooked, ["libhookrail_zoo_keys.so"]);
    let plugin = scene.load(file);
    let end = std::thread::scope(|scope| {
        let (dispatched, wait) = std::sync::mpsc::channel();
        let (unloaded, go_on) = std::sync::mpsc::channel::<()>();
        let scene = &scene;
        let idle = scope.spawn(move || {
            let _ = scene.dispatch();
            dispatched.send(()).unwrap();
            let _ = go_on.recv();
        });
        wait.recv().unwrap();
        let end = scene.unload(plugin);
        drop(unloaded);
        // Joined by hand: the scope waits for what the thread runs, not for its end.
        idle.join().unwrap();
        end
    });
    assert_eq!(end, End::Unhooked("libhookrail_zoo_keys.so".into()));
    prints(&end, "libhookrail_zoo_keys.so");
}

fn leans_on_a_library() -> PathBuf {
    let gnu: Vec<_> = cc::STRICT_C.iter().map(|flag| if *flag == "-std=c11" { "-std=gnu11" } else { flag }).collect();
    let shared = ["-shared", "-fPIC", "-Wl,-soname,libhookrail_zoo_keys.so"];
    let library = cc::compile(&gnu, &source("library_with_keys"), &shared, "libhookrail_zoo_keys.so");
    let directory = library.parent().unwrap().display();
    let (search, path) = (format!("-L{directory}"), format!("-Wl,-rpath,{directory}"));
    // As needed is what some compilers take for granted, and the library stands before what needs it.
    let link = ["-shared", "-fPIC", &search, &path, "-Wl,--no-as-needed", "-lhookrail_zoo_keys"];
    cc::compile(cc::STRICT_C, &source("leans_on_a_library"), &link, "leans_on_a_library.so")
}

fn source(name: &str) -> String {
    format!("{}/zoo/c/{name}.c", env!("CARGO_MANIFEST_DIR"))
}

/// The block of each thread has room for some generations beside each other, and for any number of
/// them one after the other.
#[test]
fn static_thread_locals_fit_a_few_times_at_once_and_any_time_in_turn() {
    const FEW: usize = 4;
    const MANY: usize = 200;
    alone!();
    let file = c("initial_exec");
    assert!(inspect(&file).unwrap().static_tls);
    let scene = || Scene::new(config("initial-exec", json!({})));
    let in_turn = scene();
    for _ in 0..MANY {
        let plugin = in_turn.load(&file);
        let _ = in_turn.dispatch();
        assert_eq!(in_turn.unload(plugin), End::Unmapped);
    }
    let mut loaded = Vec::new();
    let error = loop {
        let scene = scene();
        // SAFETY: our own library.
        match unsafe { scene.host.load(&file) } {
            Ok(plugin) => loaded.push((scene, plugin)),
            Err(error) => break error,
        }
        assert!(loaded.len() < MANY, "the room is small");
    };
    println!("generations of 64 bytes beside each other: {}", loaded.len());
    assert!(loaded.len() >= FEW, "{}", loaded.len());
    assert_eq!(error.code(), "HR0306", "{error}");
    assert!(error.to_string().contains("static TLS"), "{error}");
    // The last one first: the C library takes room back from the end alone.
    for (scene, plugin) in loaded.into_iter().rev() {
        let _ = scene.dispatch();
        assert_eq!(scene.unload(plugin), End::Unmapped);
    }
    let plugin = in_turn.load(&file);
    assert_eq!(in_turn.unload(plugin), End::Unmapped);
}
