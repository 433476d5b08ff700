//! An upgrade that cannot be is refused with an error that says why and what to do, and the old
//! generation goes on as if nothing had been asked.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread::scope;

use hookrail::{End, Error, Status, Ticket};
use hookrail_tests::counter;
use hookrail_tests::counter::{At, Do, Once, Scene, standstill};
use hookrail_tests::probe::LONG;
use hookrail_tests::zoo;
use hookrail_tests::{alone, cc};
use serde_json::json;

/// Holds an error against its code, and against what its text and its next step must contain; and
/// the old generation must serve, and nothing of a new one be left.
fn refused(scene: &Scene, error: Error, code: &str, said: &[&str], fix: &str) {
    let text = error.to_string();
    assert_eq!(error.code(), code, "{text}");
    for part in said {
        assert!(text.contains(part), "`{part}` in: {text}");
    }
    assert!(error.fix().contains(fix), "`{fix}` in: {}", error.fix());
    serves(scene);
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let copies: std::collections::BTreeSet<_> =
        maps.lines().filter_map(|line| line.split_once("/memfd:")).map(|(before, _)| inode(before)).collect();
    assert_eq!(copies.len(), 1, "one library is mapped: {maps}");
}

fn inode(line: &str) -> String {
    line.split_whitespace().last().unwrap().into()
}

/// The first build serves, as the first generation, and can still be reloaded.
fn serves(scene: &Scene) {
    let (_, before) = scene.count();
    assert_eq!(scene.count(), (1, before + 1), "the old one serves, with its count");
    let view = scene.host.plugin_views().into_iter().find(|view| view.name == "counter").unwrap();
    assert_eq!((view.generation, view.status, view.former.len()), (Some(1), Status::Running, 0));
}

#[test]
fn a_file_that_is_no_build_of_the_plugin_is_refused() {
    alone!();
    let scene = Scene::plain();
    let whole = std::fs::read(zoo("counter_two")).unwrap();
    let deleted = written("deleted.so", &whole);
    std::fs::remove_file(&deleted).unwrap();
    let rows = [
        (deleted, "HR0501", vec!["deleted.so", "No such file"], "check the path"),
        (std::env::temp_dir(), "HR0303", vec!["it is a directory"], "cdylib"),
        (written("cut.so", &whole[..whole.len() / 2]), "HR0302", vec!["cut.so", "truncated or damaged"], "again"),
        (written("head.so", &whole[..20]), "HR0302", vec!["head.so", "truncated or damaged"], "again"),
        (c("another_abi"), "HR0301", vec!["works with ABI 2.0 to 2.0, this host offers 1.0"], "rebuild"),
        (zoo("counter_again"), "HR0105", vec!["a build of `counter-again`, not of `counter`"], "same plugin"),
        (zoo("counter_elsewhere"), "HR0312", vec!["zoo.nowhere", "message.publish"], "hooks list"),
        (zoo("counter_payload"), "HR0309", vec!["another payload of message.publish"], "same version of the crate"),
    ];
    for (file, code, said, fix) in rows {
        refused(&scene, scene.upgrade_to(file).unwrap_err(), code, &said, fix);
    }
    assert_eq!(
        scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG),
        End::Unmapped,
        "a good one is still taken"
    );
}

/// Its schema is its own, though that of the build before is known already.
#[test]
fn a_build_that_does_not_take_the_configuration_is_refused() {
    alone!();
    let scene = Scene::new(json!({}), json!({ "first": 10 }));
    let error = scene.upgrade("counter_strict").unwrap_err();
    refused(&scene, error, "HR0203", &["configuration of `counter`", "/first: 10"], "hookrail inspect --schema");
}

/// Somebody copies the same build over the file, again and again, as `cp` does.
#[test]
fn a_file_written_to_while_it_is_read_is_whole_or_refused() {
    alone!();
    const ROUNDS: usize = 60;
    let scene = Scene::plain();
    let whole = std::fs::read(zoo("counter_two")).unwrap();
    let file = written("rewritten.so", &whole);
    let done = AtomicBool::new(false);
    let refusals = scope(|threads| {
        threads.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let mut target = std::fs::File::create(&file).unwrap();
                whole.chunks(64 << 10).for_each(|chunk| target.write_all(chunk).unwrap());
            }
        });
        let upgrade = |_: &usize| match scene.upgrade_to(file.clone()) {
            Ok(_) => false,
            Err(error) => {
                assert!(["HR0302", "HR0303"].contains(&error.code()), "{error}");
                true
            }
        };
        let refusals = (0..ROUNDS).filter(upgrade).count();
        done.store(true, Ordering::SeqCst);
        refusals
    });
    println!("{refusals} of {ROUNDS} refused");
    let (build, before) = scene.count();
    assert_eq!(scene.count(), (build, before + 1), "whichever was whole serves, and goes on counting");
}

#[test]
fn a_build_that_does_not_take_the_state_is_refused() {
    alone!();
    let scene = Scene::plain();
    let said = ["counter does not accept the state `counter` version 1: this build takes no state"];
    refused(&scene, scene.upgrade("counter_forgetful").unwrap_err(), "HR0313", &said, "Host::upgrade_fresh");
    for (answer, said) in [(Do::Fail, "it was told to"), (Do::Panic, "panicked: it was told to")] {
        scene.script(move |at, _| if at == At::Restore { answer } else { Do::GoOn });
        let said = ["the state `counter` version 1", said];
        refused(&scene, scene.upgrade("counter_two").unwrap_err(), "HR0313", &said, "Host::upgrade_fresh");
    }
}

#[test]
fn a_state_of_a_later_version_is_refused() {
    alone!();
    let scene = Scene::plain();
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
    assert_eq!(scene.count(), (2, 1));
    let error = scene.upgrade("counter_one").unwrap_err();
    let said = "the state is `counter` version 2; this build takes `counter` version 1..=1";
    assert_eq!(error.code(), "HR0313");
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(scene.count(), (2, 2));
}

#[test]
fn an_upgrade_is_refused_if_the_old_build_does_not_save() {
    alone!();
    let scene = Scene::plain();
    for (answer, said) in [(Do::Fail, "its save failed: it was told to"), (Do::Panic, "its save failed: panicked: ")] {
        scene.script(move |at, _| if at == At::Save { answer } else { Do::GoOn });
        refused(&scene, scene.upgrade("counter_two").unwrap_err(), "HR0402", &["counter", said], "fix");
    }
    // Its state may be left behind all the same.
    // SAFETY: our own library.
    let upgraded = unsafe { scene.host.upgrade_fresh(&scene.counter, zoo("counter_two")) }.unwrap();
    assert_eq!(upgraded.old.wait_timeout(LONG), End::Unmapped);
    assert_eq!(scene.count(), (2, 1));
}

#[test]
fn a_build_that_does_not_start_is_refused() {
    alone!();
    let scene = Scene::plain();
    scene.script(|at, build| if (at, build) == (At::Start, 2) { Do::Panic } else { Do::GoOn });
    // SAFETY: our own library.
    let error = unsafe { scene.host.upgrade_fresh(&scene.counter, zoo("counter_two")) }.unwrap_err();
    refused(&scene, error, "HR0402", &["its start failed: panicked: it was told to"], "fix");
}

#[test]
fn a_state_that_is_too_long_is_refused() {
    alone!();
    let scene = Scene::new(json!({ "max_state": 1000 }), json!({ "save_bytes": 994 }));
    let said = ["its save handed over 1001 bytes, 1000 are allowed"];
    refused(&scene, scene.upgrade("counter_two").unwrap_err(), "HR0407", &said, "max_state");
    drop(scene);

    // The default, and a gigabyte.
    let scene = Scene::new(json!({}), json!({ "save_bytes": 1 << 30 }));
    let said = ["its save handed over 1073741831 bytes, 67108864 are allowed"];
    refused(&scene, scene.upgrade("counter_two").unwrap_err(), "HR0407", &said, "max_state");
    assert!(resident() < 900 << 20, "what was refused is freed");
}

/// From within the first upgrade, which is asking for the state: there is no moment to miss.
#[test]
fn a_second_change_during_an_upgrade_is_refused() {
    alone!();
    let scene = Scene::plain();
    let (host, counter) = (Arc::downgrade(&scene.host), scene.counter.clone());
    let (sent, answers) = channel();
    let others = Once::new(move || {
        let host = host.upgrade().unwrap();
        // SAFETY: our own library.
        let upgrade = unsafe { host.upgrade(&counter, zoo("counter_two")) }.map(drop);
        let others = [
            upgrade,
            host.begin_unload(&counter).map(drop),
            host.stop(&counter).map(drop),
            host.start(&counter),
            host.reload("counter", &json!({})),
            // SAFETY: our own library.
            unsafe { host.load(zoo("counter_one")) }.map(drop),
        ];
        sent.send(others).unwrap();
    });
    scene.script(move |at, _| {
        if at == At::Restore {
            others.act();
            return Do::Fail;
        }
        Do::GoOn
    });
    let first = scene.upgrade("counter_two").unwrap_err();
    refused(&scene, first, "HR0313", &["it was told to"], "");
    for other in answers.recv().unwrap() {
        refused(&scene, other.unwrap_err(), "HR0106", &["`counter` is being upgraded"], "wait until that is over");
    }
    scene.script(|_, _| Do::GoOn);
    assert_eq!(scene.upgrade("counter_two").unwrap().old.wait_timeout(LONG), End::Unmapped);
}

#[test]
fn an_upgrade_of_a_plugin_being_unloaded_is_refused() {
    alone!();
    let scene = Scene::plain();
    let (stay, inside) = standstill();
    scene.script(move |at, _| {
        if at == At::Count {
            stay.act();
        }
        Do::GoOn
    });
    scope(|scope| {
        let reader = scope.spawn(|| scene.count());
        inside.is_there();
        let ticket = scene.host.begin_unload(&scene.counter).unwrap();
        let error = scene.upgrade("counter_two").unwrap_err();
        assert_eq!((error.code(), &*error.to_string()), ("HR0106", "`counter` is being unloaded"));
        inside.goes_on();
        assert_eq!(reader.join().unwrap(), (1, 1), "who was inside was served to the end");
        assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
    });
    let error = scene.upgrade("counter_two").unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("HR0103", "no plugin named `counter` is loaded"));
}

#[test]
fn unloading_from_within_its_own_callback_does_not_wait_for_itself() {
    alone!();
    let scene = Scene::plain();
    let (host, counter) = (Arc::downgrade(&scene.host), scene.counter.clone());
    let (sent, answer) = channel();
    let unload = Once::new(move || {
        let ticket = host.upgrade().unwrap().begin_unload(&counter).unwrap();
        sent.send((ticket.wait_timeout(LONG * 100), ticket)).unwrap();
    });
    scene.script(move |at, _| {
        if at == At::Count {
            unload.act();
        }
        Do::GoOn
    });
    assert_eq!(scene.count(), (1, 1), "its frame was on the stack, and it was there");
    let (end, ticket) = answer.recv().unwrap();
    assert_eq!((end, ticket.wait_timeout(LONG)), (End::Busy(1), End::Unmapped));
    assert_eq!(counter::counted(&scene.publish), None);
}

/// Each of the two, from within its own callback, and both at the same time.
#[test]
fn two_plugins_may_unload_each_other() {
    alone!();
    let scene = Scene::plain();
    // SAFETY: our own library.
    let again = unsafe { scene.host.load(zoo("counter_again")) }.unwrap();
    let victims = Mutex::new(vec![scene.counter.clone(), again]);
    let (host, together) = (Arc::downgrade(&scene.host), Barrier::new(2));
    let tickets: Arc<Mutex<Vec<Ticket>>> = Arc::default();
    let begun = tickets.clone();
    scene.script(move |at, _| {
        if at != At::Count || begun.lock().unwrap().len() == 2 {
            return Do::GoOn;
        }
        // Each thread is in one of them; which, does not matter.
        together.wait();
        let victim = victims.lock().unwrap().pop();
        if let Some(victim) = victim {
            let ticket = host.upgrade().unwrap().begin_unload(&victim).unwrap();
            assert!(matches!(ticket.wait_timeout(LONG), End::Busy(_)));
            begun.lock().unwrap().push(ticket);
        }
        together.wait();
        Do::GoOn
    });
    let dispatch = || {
        let mut message = hookrail::Message::new("a.b", "text");
        let _ = scene.publish.dispatch(&mut message);
        message.headers.len()
    };
    scope(|scope| {
        let readers = [scope.spawn(dispatch), scope.spawn(dispatch)];
        assert_eq!(readers.map(|reader| reader.join().unwrap()), [4, 4], "both ran in both dispatches");
    });
    for ticket in &*tickets.lock().unwrap() {
        assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
    }
    assert_eq!((tickets.lock().unwrap().len(), dispatch()), (2, 0));
}

#[test]
fn a_stopped_plugin_is_upgraded_only_once_it_is_started() {
    alone!();
    let scene = Scene::plain();
    assert_eq!(scene.host.stop(&scene.counter).unwrap(), Status::Stopped);
    let error = scene.upgrade("counter_two").unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("HR0107", "`counter` is stopped"));
    assert!(error.fix().contains("Host::start"), "{}", error.fix());
}

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("upgrade_{name}"));
    std::fs::write(&file, bytes).unwrap();
    file
}

fn c(name: &str) -> PathBuf {
    let source = format!("{}/zoo/c/{name}.c", env!("CARGO_MANIFEST_DIR"));
    cc::compile(cc::STRICT_C, &source, &["-shared", "-fPIC"], &format!("upgrade_{name}.so"))
}

/// Memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
