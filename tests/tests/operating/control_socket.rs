//! The control socket: opened with one call, for one user, and what each command answers.

use std::fmt::Debug;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};

use hookrail::control::command::{
    Command, List, Load, Points, Replace, Show, Stage, Start, Status as ProgramStatus, Stop, Unload, Validate,
};
use hookrail::control::wire::StreamItem;
use hookrail::control::{CallError, Client, Manage, running, socket_in};
use hookrail::{End, EventKind, Host, Message, MessagePublish, Status};
use hookrail_tests::child::{Ended, in_child};
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::patient;
use hookrail_tests::wired::{Directory, Peer, Wired, manager};
use hookrail_tests::{alone, plugin};

fn code(error: &CallError) -> &str {
    error.code()
}

#[test]
fn a_plugin_lives_its_whole_life_over_the_socket() {
    let wired = Wired::new();
    let mut client = wired.client();
    let events = wired.client().events().unwrap();
    let hello = plugin("hello");

    let loaded = client.ask(Load::new(&hello)).unwrap();
    assert_eq!((&*loaded.name, loaded.generation, loaded.status), ("hello", Some(1), Status::Running));
    assert_eq!(client.ask(List::new()).unwrap(), wired.host.plugin_views());

    let upgraded = client.ask(Replace::new("hello", &hello)).unwrap();
    assert_eq!((upgraded.generation, upgraded.old.generation), (2, 1));
    assert_eq!((&upgraded.old.end, &*upgraded.old.version), (&End::Unmapped, &*upgraded.version));
    assert!(upgraded.times.copy.as_nanos() > 0 && upgraded.times.swap.as_nanos() > 0, "{:?}", upgraded.times);

    let shown = client.ask(Show::new("hello")).unwrap();
    assert_eq!((shown.plugin.generation, shown.plugin.former.len()), (Some(2), 1));
    assert_eq!(shown.plugin.former[0].end, End::Unmapped);
    let hooks: Vec<_> = shown.callbacks.iter().map(|hook| (&*hook.point, &*hook.callback.name)).collect();
    assert_eq!(hooks, [("message.publish", "greet")]);
    assert_eq!(client.ask(Points::new()).unwrap(), wired.host.point_views());

    assert_eq!(client.ask(Stop::new("hello")).unwrap().status, Status::Stopped);
    assert!(client.ask(Show::new("hello")).unwrap().callbacks.is_empty());
    assert_eq!(client.ask(Start::new("hello")).unwrap().status, Status::Running);
    let publish = wired.host.point(MessagePublish).unwrap();
    let mut message = Message::new("log", "a");
    let _ = publish.dispatch(&mut message);
    assert_eq!(message.header("greeting"), Some("hello"), "it runs again");

    let ended = client.ask(Unload::new("hello")).unwrap();
    assert_eq!((ended.generation, ended.end, ended.skipped_destructors), (2, End::Unmapped, 0));
    assert!(client.ask(List::new()).unwrap().is_empty());

    let told: Vec<_> = events
        .map(|told| match told.unwrap() {
            StreamItem::Event(event) => (event.generation, event.what),
            other => panic!("{other:?}"),
        })
        .take(7)
        .collect();
    let names: Vec<_> = told
        .iter()
        .map(|(generation, what)| {
            let name = serde_json::to_value(what).unwrap()["event"].as_str().unwrap().to_owned();
            (*generation, name)
        })
        .collect();
    let names: Vec<_> = names.iter().map(|(generation, name)| (*generation, &**name)).collect();
    let expected =
        [(1, "loaded"), (2, "upgraded"), (1, "ended"), (2, "stopped"), (2, "started"), (2, "unloading"), (2, "ended")];
    assert_eq!(names, expected);
}

/// What a plugin leaves for the end of a thread must not wait until the connection is closed over
/// which it was loaded.
#[test]
fn an_open_connection_holds_up_no_unloading() {
    let wired = Wired::new();
    let mut idle = wired.client();
    let name = idle.ask(Load::new(hookrail_tests::zoo("remembers_its_start"))).unwrap().name;
    let ended = wired.client().ask(Unload::new(&name)).unwrap();
    assert_eq!((ended.end, ended.skipped_destructors), (End::Unmapped, 0));
    assert!(idle.ask(List::new()).unwrap().is_empty());
}

fn refused<C: Command<Answer: Debug>>(client: &mut Client, command: C, expected: &str) {
    let error = client.ask(command.clone()).unwrap_err();
    assert_eq!(code(&error), expected, "{command:?}: {error}");
    assert!(!error.fix().is_empty());
}

#[test]
fn each_mistake_over_the_socket_has_its_code() {
    let wired = Wired::new();
    let mut client = wired.client();
    let hello = plugin("hello");
    client.ask(Load::new(&hello)).unwrap();
    refused(&mut client, Show::new("nosuch"), "HR0103");
    refused(&mut client, Unload::new("nosuch"), "HR0103");
    refused(&mut client, Load::new(&hello), "HR0101");
    refused(&mut client, Load::new("/nosuch.so"), "HR0501");
    refused(&mut client, Load::new("hello.so"), "HR0707");
    refused(&mut client, Stage::new("hello-1.0.0.hrp"), "HR0707");
    refused(&mut client, Validate::new("hello-1.0.0.hrp"), "HR0707");
    refused(&mut client, Points::of("nosuch"), "HR0110");
    refused(&mut client, Start::new("hello"), "HR0107");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    refused(&mut client, Replace::new("hello", manifest), "HR0303");
    refused(&mut client, Replace::new("hello", plugin("mask")), "HR0105");
    refused(&mut client, Replace::new("hello", "hello.so"), "HR0707");
    assert_eq!(
        client.ask(List::new()).unwrap()[0].generation,
        Some(1),
        "the connection goes on, and nothing was changed"
    );
}

#[test]
fn the_status_tells_of_the_program_and_what_it_reports() {
    let wired = Wired::new();
    let mut client = wired.client();
    let status = client.ask(ProgramStatus::new()).unwrap();
    assert_eq!((status.pid, status.plugins, &status.report), (std::process::id(), 0, &serde_json::Value::Null));
    wired.control.report(|| serde_json::json!({ "requests": 3 }));
    assert_eq!(client.ask(ProgramStatus::new()).unwrap().report["requests"], 3);
}

#[test]
fn the_socket_is_for_this_user_alone() {
    alone!();
    for umask in [0o000, 0o077, 0o777] {
        let directory = Directory::new();
        // SAFETY: changes a number of this process, which is this test's own.
        unsafe { libc::umask(0o022) };
        let host = Host::new(patient()).unwrap();
        fs::create_dir(directory.0.join("made")).unwrap();
        // SAFETY: changes a number of this process, which is this test's own.
        unsafe { libc::umask(umask) };
        let control = manager(&host).open_control(directory.0.join("made/c.sock")).unwrap();
        let metadata = fs::symlink_metadata(control.path()).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "umask {umask:o}");
    }
}

#[test]
fn a_directory_that_is_missing_is_made_for_this_user_alone() {
    let directory = Directory::new();
    let host = Host::new(patient()).unwrap();
    let control = manager(&host).open_control(socket_in(directory.0.join("home"))).unwrap();
    for made in ["home", "home/run"] {
        let mode = fs::metadata(directory.0.join(made)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{made}");
    }
    let found = running(directory.0.join("home")).unwrap();
    assert_eq!((found.len(), found[0].pid, &*found[0].socket), (1, std::process::id(), control.path()));
}

/// The mode keeps others out; should somebody loosen it, the system still says who asks.
#[test]
fn another_user_is_refused() {
    alone!();
    // SAFETY: a question.
    if unsafe { libc::geteuid() } != 0 {
        println!("skipped: only root can become another user");
        return;
    }
    let wired = Wired::new();
    let path = wired.control.path().to_owned();
    fs::set_permissions(&wired.directory.0, fs::Permissions::from_mode(0o755)).unwrap();
    let as_nobody = |check: fn(Result<Peer, std::io::ErrorKind>)| {
        let ended = in_child(|| {
            // SAFETY: changes the user of this process, which ends with this function.
            assert_eq!(unsafe { libc::setresuid(65534, 65534, 65534) }, 0);
            check(UnixStream::connect(&path).map(Peer::unheard).map_err(|error| error.kind()));
        });
        assert_eq!(ended, Ended::Exited(0));
    };
    as_nobody(|peer| assert_eq!(peer.err(), Some(std::io::ErrorKind::PermissionDenied)));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    as_nobody(|peer| {
        let mut peer = peer.unwrap();
        assert_eq!(peer.line().unwrap()["error"]["code"], "HR0705");
        assert_eq!(peer.line(), None);
    });
    assert!(wired.client().ask(List::new()).unwrap().is_empty());
}

#[test]
fn a_socket_that_somebody_listens_on_is_left_alone_and_a_dead_one_is_replaced() {
    let wired = Wired::new();
    let path = wired.control.path().to_owned();
    let other = Host::new(patient()).unwrap();
    assert_eq!(manager(&other).open_control(&path).unwrap_err().code(), "HR0702");
    assert!(wired.client().ask(List::new()).unwrap().is_empty(), "it still answers");

    let dead = wired.directory.0.join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    // A process that another thread is just starting has it for a moment too.
    eventually("nobody listens", || UnixStream::connect(&dead).is_err());
    let control = manager(&other).open_control(&dead).unwrap();
    assert!(Client::connect(&dead).unwrap().ask(List::new()).unwrap().is_empty());
    drop(control);
    assert!(!dead.exists());

    let file = wired.directory.0.join("file");
    fs::write(&file, "somebody's").unwrap();
    assert_eq!(manager(&other).open_control(&file).unwrap_err().code(), "HR0501");
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's");
}

#[test]
fn a_file_in_place_of_the_socket_is_not_removed_with_it() {
    let Wired { control, directory, .. } = Wired::new();
    let path = control.path().to_owned();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "somebody's").unwrap();
    drop(control);
    assert!(path.exists());
    drop(directory);
}

#[test]
fn sockets_of_dead_processes_are_cleared_away_at_the_next_look() {
    let directory = Directory::new();
    let run = directory.0.join("run");
    fs::create_dir(&run).unwrap();
    drop(UnixListener::bind(run.join("4711.sock")).unwrap());
    // A process that another thread is just starting has it for a moment too.
    eventually("nobody listens", || UnixStream::connect(run.join("4711.sock")).is_err());
    fs::write(run.join("4712.sock"), "no socket").unwrap();
    let live = UnixListener::bind(run.join("4713.sock")).unwrap();
    let found = running(&directory.0).unwrap();
    // Whatever its name says: a PID of another namespace may be anybody's here.
    assert_eq!(found.iter().map(|running| running.pid).collect::<Vec<_>>(), [std::process::id()]);
    assert!(!run.join("4711.sock").exists() && run.join("4712.sock").exists());
    drop(live);
    assert_eq!(running(directory.0.join("nowhere")).unwrap(), []);
}

#[test]
fn a_path_may_be_longer_than_the_system_allows() {
    let directory = Directory::new();
    let host = Host::new(patient()).unwrap();
    for depth in [0, 1, 5] {
        let path = (0..depth).fold(directory.0.clone(), |path, _| path.join("d".repeat(50))).join("run/4711.sock");
        let control = manager(&host).open_control(&path).unwrap();
        assert!(Client::connect(control.path()).unwrap().ask(List::new()).unwrap().is_empty());
        assert_eq!(running(path.parent().unwrap().parent().unwrap()).unwrap().len(), 1);
        assert_eq!(manager(&host).open_control(&path).unwrap_err().code(), "HR0702");
        drop(control);
        assert!(!path.exists());
    }
    let error = manager(&host).open_control(directory.0.join("s".repeat(83))).unwrap_err();
    assert_eq!(error.code(), "HR0706");
    assert!(error.to_string().contains("82 bytes are allowed"), "{error}");
}

#[test]
fn the_host_may_go_before_its_socket_and_the_socket_before_its_host() {
    let Wired { host, control, directory } = Wired::new();
    let mut client = Client::connect(control.path()).unwrap();
    client.ask(Load::new(plugin("hello"))).unwrap();
    let events = Client::connect(control.path()).unwrap().events().unwrap();
    drop(host);
    assert_eq!(code(&client.ask(List::new()).unwrap_err()), "HR0108");
    let last = events.last().unwrap().unwrap();
    let StreamItem::Event(last) = last else { panic!("{last:?}") };
    assert_eq!(last.what, EventKind::ended(End::Unmapped, None));
    let path = control.path().to_owned();
    drop(control);
    assert!(!path.exists());
    assert_eq!(code(&client.ask(List::new()).unwrap_err()), "HR0709");
    assert_eq!(code(&Client::connect(&path).unwrap_err()), "HR0709");
    drop(directory);
}

#[test]
fn the_threads_of_the_socket_end_with_it() {
    alone!();
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    let Wired { host, control, directory } = Wired::new();
    let clients: Vec<_> = (0..5).map(|_| Client::connect(control.path()).unwrap()).collect();
    let events = Client::connect(control.path()).unwrap().events().unwrap();
    eventually("each connection has a thread", || threads() == before + 7);
    drop(control);
    eventually("the threads have ended", || threads() == before);
    drop((clients, events, host, directory));
}

#[test]
fn the_child_of_a_fork_leaves_the_socket_alone() {
    alone!();
    let Wired { host, control, directory } = Wired::new();
    let mut control = Some(control);
    let ended = in_child(|| drop(control.take()));
    assert_eq!(ended, Ended::Exited(0));
    let control = control.expect("only the child's was dropped");
    assert!(Client::connect(control.path()).unwrap().ask(List::new()).unwrap().is_empty());
    drop((host, directory));
}
