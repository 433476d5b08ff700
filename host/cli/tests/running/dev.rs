//! `hookrail dev`: an edit of a plugin's source changes what comes out of a running host, and nothing
//! is lost on the way.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::tiny::Tiny;
use hookrail_tests::cli::{directory, home, hookrail, run, text};
use hookrail_tests::has_peer;
use hookrail_tests::probe::eventually;
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
        answers(Live::start(&mut self.command(&["run", "--json"])))
    }

    fn dev(&self, arguments: &[&str]) -> Live {
        Live::start(self.command(&["dev", "."]).args(arguments))
    }
}

/// Waits until a host can be asked: its socket is there before somebody listens.
fn answers(host: Live) -> Live {
    let socket = home().join("run").join(format!("{}.sock", host.id()));
    eventually("it listens", || UnixStream::connect(&socket).is_ok());
    host
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
    host.out.line(1000);
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
    // How many there were is the machine's business, but not more than came out.
    assert!(messages.replace(',', "").parse::<u64>().unwrap() <= sent, "{second}");
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

/// The template of `hookrail new --lang c`, whose callback puts a word in place of the body.
fn in_c(directory: &Path, says: &str) {
    let source = directory.join("plugin.c");
    let text = fs::read_to_string(&source).unwrap();
    let (before, rest) = text.split_once("  (void)ctx;\n").unwrap();
    let (_, after) = rest.split_once("  return HOOKRAIL_VERDICT_CONTINUE;").unwrap();
    let body = format!("  hookrail_message *message = payload;\n  hookrail_bytes_set(&message->body, {says}, 3);\n");
    fs::write(source, format!("{before}  (void)ctx;\n{body}  return HOOKRAIL_VERDICT_CONTINUE;{after}")).unwrap();
}

#[test]
fn a_plugin_in_c_is_built_by_make_and_its_compiler_is_heard() {
    if !has_peer("cc", "gcc") || !has_peer("make", "make") {
        return;
    }
    let directory = directory("dev_in_c");
    let new = ["new", "swap", "--priority", "400", "--lang", "c", "--directory", "."];
    assert!(run(hookrail(&new).current_dir(&directory), b"").status.success());
    in_c(&directory, "\"one\"");
    let mut run = hookrail(&["run", "--json"]);
    let mut host = answers(Live::start(&mut run));
    let pid = host.id().to_string();
    let dev = Live::start(hookrail(&["dev", "--pid", &pid]).current_dir(&directory));
    let first = dev.out.line(0);
    assert!(first.starts_with("built in ") && first.contains(", generation 1, "), "{first}");
    assert_eq!(host.through("a"), "one");
    // The commands of the first build are shown, and do not land on stdout, which is for results.
    assert!(dev.said.wait_for(" -shared ").contains("plugin.c"));

    in_c(&directory, "missing");
    dev.said.wait_for("error: ");
    assert!(dev.said.wait_for("the build failed after").ends_with("generation 1 of swap keeps running"));
    assert_eq!(host.through("b"), "one");
    in_c(&directory, "\"two\"");
    let second = dev.out.line(1);
    assert!(second.contains(", generation 2, "), "{second}");
    assert_eq!(host.through("c"), "two");
    // What the template's header has, the library depends on too.
    let header = fs::read_to_string(directory.join("hookrail.h")).unwrap();
    fs::write(directory.join("hookrail.h"), header + "#define TOO_LATE \"\"\n").unwrap();
    dev.said.wait_for("the same library; generation 2 keeps running");
    dev.interrupt();
    let (code, out, said) = dev.end();
    assert_eq!((code, out.len()), (Some(130), 2), "{out:#?} {said:#?}");
}

#[test]
fn a_build_that_panics_is_rolled_back_and_its_author_told() {
    let scene = Scene::new("panics");
    // A new build is on probation for as long as this may take.
    let mut host = scene.command(&["run", "--json"]);
    let mut host = answers(Live::start(host.env("HOOKRAIL_UPGRADE__PROBATION", "1h")));
    let dev = scene.dev(&[]);
    dev.out.line(0);
    let source = fs::read_to_string(scene.tiny.directory.join("src/lib.rs")).unwrap();
    scene.tiny.is(&source.replace(
        "fn say(&self, message: &mut Message) {",
        "fn say(&self, message: &mut Message) {\n        panic!(\"oops\");",
    ));
    dev.out.line(1);
    eventually("it is rolled back", || {
        assert!(host.through("a").ends_with('a'));
        dev.said.with("generation 2 of tiny-panics is rolled back") > 0
    });
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
    // At once: what is empty for a moment is another build.
    fs::write(word.with_extension("new"), "two ").unwrap();
    fs::rename(word.with_extension("new"), &word).unwrap();
    dev.out.line(1);
    assert_eq!(host.through("b"), "two b");
}

#[test]
fn a_change_during_a_build_makes_another_one() {
    let scene = Scene::new("during_a_build");
    let started = scene.tiny.directory.join("started");
    // The build waits until the test has written the source once more, and not for ever for a test that has failed.
    let script = format!(
        "fn main() {{ println!(\"cargo:rerun-if-changed=src\"); if std::path::Path::new({0:?}).exists() {{ return; }} \
         std::fs::write({0:?}, \"\").unwrap(); let began = std::time::Instant::now(); \
         while !std::path::Path::new({1:?}).exists() && began.elapsed().as_secs() < 300 {{ std::thread::yield_now() }} }}",
        started,
        scene.tiny.directory.join("go_on")
    );
    let mut host = scene.run();
    // What it depends on takes its time, and is built now.
    scene.tiny.build();
    fs::write(scene.tiny.directory.join("build.rs"), script).unwrap();
    let dev = scene.dev(&[]);
    eventually("the build runs", || started.exists());
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
    let made = directory("dev_mistakes_in_c");
    let in_c = made.to_str().unwrap();
    fs::write(made.join("Makefile"), "all:\n\ttouch $(MADE)\n").unwrap();
    check(&[in_c], 2, "HR0612", "hookrail-package.toml");
    fs::write(made.join("hookrail-package.toml"), "[package]\nname = \"a\"\n").unwrap();
    check(&["."], 3, "HR0711", "`hookrail run` starts one");
    let (one, two) = (scene.run(), scene.run());
    let pid = one.id().to_string();
    check(&[in_c, "--once", "--pid", &pid, "--", "MADE=a.o"], 2, "HR0614", "one lib*.so");
    check(&[in_c, "--once", "--pid", &pid, "--", "MADE=liba.so libb.so"], 2, "HR0614", "one lib*.so");
    check(&["."], 2, "HR0610", "--pid");
    for host in [&one, &two] {
        let pid = host.id().to_string();
        let output = run(&mut scene.command(&["dev", ".", "--once", "--pid", &pid]), b"");
        assert!(text(&output.stderr).contains(&format!("for the host {pid}")), "{}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(0));
    }
    let output = run(scene.command(&["dev", "."]).env("CARGO", Path::new("/nowhere/cargo")), b"");
    assert!(text(&output.stderr).contains("error[HR0616]: cannot run cargo"), "{}", text(&output.stderr));
    let output = run(scene.command(&["dev", in_c, "--once", "--pid", &pid]).env("PATH", "/nowhere"), b"");
    assert!(text(&output.stderr).contains("error[HR0616]: cannot run make"), "{}", text(&output.stderr));
}
