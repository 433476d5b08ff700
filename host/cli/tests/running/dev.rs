//! `hookrail dev`: an edit of a plugin's source changes what comes out of a running host, and nothing
//! is lost on the way.

use std::fs;
use std::path::Path;
use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::tiny::Tiny;
use hookrail_tests::cli::{directory, home, hookrail, run, text};
use serde_json::Value;

/// A package; the hosts and `dev` of a test find each other in its home.
struct Scene {
    tiny: Tiny,
}

impl Scene {
    fn new(test: &str) -> Self {
        let directory = directory(&format!("dev_{test}"));
        let tiny = Tiny::new(&directory, test);
        tiny.says("one");
        Scene { tiny }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = hookrail(arguments);
        command.env("CARGO_TARGET_DIR", Tiny::target()).env("CARGO_NET_OFFLINE", "1");
        command.current_dir(&self.tiny.directory);
        command
    }

    fn run(&self) -> Live {
        let live = Live::start(&mut self.command(&["run", "--json"]));
        let socket = home().join("run").join(format!("{}.sock", live.id()));
        hookrail_tests::probe::eventually("it opens its socket", || socket.exists());
        live
    }

    fn dev(&self, arguments: &[&str]) -> Live {
        Live::start(self.command(&["dev", "."]).args(arguments))
    }
}

#[test]
fn an_edit_changes_what_comes_out_and_every_line_comes_out_once() {
    let scene = Scene::new("edit");
    let mut host = scene.run();
    let dev = scene.dev(&[]);
    let first = dev.out.line(0);
    assert!(first.starts_with("built in ") && first.contains(", generation 1, 0 messages meanwhile"), "{first}");
    assert_eq!(host.through("a"), "one a");

    let flood = host.flood();
    scene.tiny.says("two");
    let second = dev.out.line(1);
    host.out.wait_for("two ");
    scene.tiny.says("three");
    dev.out.line(2);
    host.out.wait_for("three ");
    let sent = flood.end();
    let (code, out, said) = host.end();
    assert_eq!(code, Some(0), "{said:#?}");
    let lines: Vec<_> = out[1..].iter().map(|line| line.split_once(' ').unwrap()).collect();
    for (number, (_, body)) in lines.iter().enumerate() {
        assert_eq!(*body, number.to_string());
    }
    assert_eq!(lines.len() as u64, sent);
    let mut words: Vec<_> = lines.iter().map(|(word, _)| *word).collect();
    words.dedup();
    assert_eq!(words, ["one", "two", "three"]);

    let (live, rest) = second.split_once(", generation 2, ").unwrap();
    assert!(live.contains(", live in "), "{second}");
    let (messages, dropped) = rest.split_once(" messages meanwhile, ").unwrap();
    assert!(messages.replace(',', "").parse::<u64>().unwrap() > 100, "{second}");
    assert_eq!(dropped, "dropped 0");

    dev.interrupt();
    let (code, out, said) = dev.end();
    assert_eq!((code, out.len()), (Some(130), 3), "one line for each: {out:#?}");
    assert_eq!(said.last().unwrap(), "no longer watching; the host cannot be reached");
}

#[test]
fn a_failed_build_changes_nothing_and_the_compiler_is_heard() {
    let scene = Scene::new("compile_error");
    let mut host = scene.run();
    let dev = scene.dev(&["--json"]);
    let first: Value = serde_json::from_str(&dev.out.line(0)).unwrap();
    assert_eq!((&first["how"], &first["generation"]), (&"loaded".into(), &1.into()), "{first}");
    scene.tiny.is("fn broken() -> u8 { \"text\" }\n");
    dev.said.wait_for("the build failed after");
    dev.said.wait_for("mismatched types");
    assert!(dev.said.wait_for("the build failed").ends_with("generation 1 of tiny-compile_error keeps running"));
    assert_eq!(host.through("a"), "one a");
    // What builds, but is not a plugin.
    scene.tiny.is("//! Exports nothing.\n");
    assert!(dev.said.wait_for("error[HR03").contains("does not export"));
    assert_eq!(host.through("b"), "one b");
    scene.tiny.says("two");
    let second: Value = serde_json::from_str(&dev.out.line(1)).unwrap();
    assert_eq!((&second["how"], &second["generation"]), (&"upgraded".into(), &2.into()), "{second}");
    assert_eq!((&second["messages"], &second["unanswered"]), (&0.into(), &0.into()), "{second}");
    assert!(second["times"]["swap_ns"].as_u64().unwrap() > 0 && second["built_ns"].as_u64().unwrap() > 0, "{second}");
    assert_eq!(host.through("c"), "two c");
    dev.interrupt();
    let (code, out, said) = dev.end();
    assert_eq!((code, out.len()), (Some(130), 2));
    assert_eq!(said.last().unwrap(), "no longer watching; generation 2 of tiny-compile_error keeps running");
}

#[test]
fn a_build_that_panics_is_rolled_back_and_its_author_told() {
    let scene = Scene::new("panics");
    let mut host = scene.run();
    let dev = scene.dev(&[]);
    dev.out.line(0);
    let source = fs::read_to_string(scene.tiny.directory.join("src/lib.rs")).unwrap();
    scene.tiny.is(&source.replace(
        "fn say(&self, message: &mut Message) {",
        "fn say(&self, message: &mut Message) {\n        panic!(\"oops\");",
    ));
    dev.out.line(1);
    let mut sent = 0;
    while dev.said.with("generation 2 of tiny-panics is rolled back") == 0 {
        assert!(sent < 100_000, "that many faults are too many");
        sent += 1;
        assert!(host.through("a").ends_with('a'));
    }
    dev.said.wait_for("generation 3, the build before it, runs again");
    assert_eq!(host.through("b"), "one b");
}

#[test]
fn included_files_are_watched_as_sources_too() {
    let scene = Scene::new("includes");
    let word = scene.tiny.directory.join("word with space.txt");
    fs::write(&word, "one ").unwrap();
    let source = fs::read_to_string(scene.tiny.directory.join("src/lib.rs")).unwrap();
    scene.tiny.is(&source.replace("\"one \"", "include_str!(\"../word with space.txt\")"));
    let mut host = scene.run();
    let dev = scene.dev(&[]);
    dev.out.line(0);
    assert_eq!(host.through("a"), "one a");
    fs::write(&word, "two ").unwrap();
    dev.out.line(1);
    assert_eq!(host.through("b"), "two b");
}

#[test]
fn a_change_during_a_build_makes_another_one() {
    let scene = Scene::new("during_a_build");
    let started = scene.tiny.directory.join("started");
    // The build waits until the test has written the source once more.
    let script = format!(
        "fn main() {{ println!(\"cargo:rerun-if-changed=src\"); if std::path::Path::new({0:?}).exists() {{ return; }} \
         std::fs::write({0:?}, \"\").unwrap(); while !std::path::Path::new({1:?}).exists() {{ std::thread::yield_now() }} }}",
        started,
        scene.tiny.directory.join("go_on")
    );
    let mut host = scene.run();
    // What it depends on takes its time, and is built now.
    scene.tiny.build();
    fs::write(scene.tiny.directory.join("build.rs"), script).unwrap();
    let dev = scene.dev(&[]);
    hookrail_tests::probe::eventually("the build runs", || started.exists());
    scene.tiny.says("two");
    fs::write(scene.tiny.directory.join("go_on"), "").unwrap();
    dev.out.line(0);
    dev.said.wait_for("generation 1 keeps running");
    assert_eq!(host.through("a"), "two a");
}

#[test]
fn the_option_once_tells_the_outcome_by_its_exit_code() {
    let scene = Scene::new("once");
    let mut host = scene.run();
    let output = run(&mut scene.command(&["dev", ".", "--once"]), b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(host.through("a"), "one a");
    scene.tiny.is("fn broken() -> u8 { \"text\" }\n");
    let output = run(&mut scene.command(&["dev", ".", "--once"]), b"");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    assert_eq!(host.through("b"), "one b");
}

#[test]
fn mistakes_in_calling_dev_are_told_with_what_to_do() {
    let scene = Scene::new("mistakes");
    let check = |arguments: &[&str], code: i32, error: &str, fix: &str| {
        let output = run(scene.command(&["dev"]).args(arguments), b"");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(&format!("error[{error}]: ")) && said.contains(fix), "{said}");
    };
    let workspace = hookrail_tests::root();
    let library = workspace.join("host");
    check(&["/nowhere"], 2, "HR0612", "Cargo.toml is in");
    check(&["src"], 2, "HR0612", "Cargo.toml is in");
    check(&[workspace.to_str().unwrap()], 2, "HR0613", "plugins/hello");
    check(&[library.to_str().unwrap()], 2, "HR0614", "crate-type");
    check(&["."], 3, "HR0711", "`hookrail run` starts one");
    let (one, two) = (scene.run(), scene.run());
    check(&["."], 2, "HR0610", "--pid");
    for host in [&one, &two] {
        let pid = host.id().to_string();
        let output = run(&mut scene.command(&["dev", ".", "--once", "--pid", &pid]), b"");
        assert!(text(&output.stderr).contains(&format!("for the host {pid}")), "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(0));
    }
    let output = run(scene.command(&["dev", "."]).env("CARGO", Path::new("/nowhere/cargo")), b"");
    assert!(text(&output.stderr).contains("error[HR0616]: cannot run cargo"), "{}", text(&output.stderr));
}
