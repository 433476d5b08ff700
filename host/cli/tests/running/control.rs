//! A running `hookrail run`, managed from outside.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::channel;

use hookrail_tests::cli::asked::{ask, refused, shown, told};
use hookrail_tests::cli::live::is_stopped;
use hookrail_tests::cli::{PATIENT, directory, home, hookrail, run, text};
use hookrail_tests::may_mount;
use hookrail_tests::probe::eventually;
use serde_json::{Value, json};

/// `hookrail run` with its stdin kept open.
struct Run {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Run {
    /// With the plugin `mask`, which hides the word secret, and `hello`.
    fn new(test: &str) -> Self {
        let directory = directory(test);
        fs::write(directory.join("hookrail.toml"), "[plugins.mask.config]\npatterns = [\"secret\"]\n").unwrap();
        let mut command = hookrail(&["run", "-q", "--no-store", "--plugin"]);
        command.arg(mask()).arg("--plugin").arg(hookrail_tests::plugin("hello")).current_dir(directory);
        Run::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.envs(PATIENT).spawn().expect("the program starts");
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut run = Run { child, input, output };
        // What has answered a message has opened its socket.
        assert_eq!(run.message("ready"), "ready");
        run
    }

    fn message(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
        let mut came = String::new();
        self.output.read_line(&mut came).unwrap();
        came.trim_end().into()
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn socket(&self) -> PathBuf {
        home().join("run").join(format!("{}.sock", self.pid()))
    }

    fn end(mut self) -> Output {
        drop(self.input.take());
        self.child.wait_with_output().unwrap()
    }
}

fn mask() -> PathBuf {
    hookrail_tests::plugin("mask")
}

#[test]
fn a_running_host_shows_its_plugins_and_gives_them_up_one_by_one() {
    let mut run = Run::new("managed");
    let names = |plugins: &Value| -> Vec<String> {
        plugins.as_array().unwrap().iter().map(|plugin| plugin["name"].as_str().unwrap().into()).collect()
    };
    assert_eq!(names(&told(&["plugin", "list"])), ["hello", "mask"]);
    assert!(
        shown(&["plugin", "list"])
            .contains("mask    1.0.0    running  good    a file     in-process    1       -  mask")
    );
    assert!(shown(&["plugin", "show", "mask"]).contains("message.publish       900  declared  mask"));

    assert_eq!(told(&["plugin", "stop", "mask"])["status"], "stopped");
    assert_eq!(run.message("a secret"), "a secret");
    refused(&["plugin", "stop", "mask"], "HR0107", 1);
    assert_eq!(shown(&["plugin", "start", "mask"]), "mask 1.0.0, generation 1, running\n");
    assert_eq!(run.message("a secret"), "a ***");

    assert_eq!(shown(&["plugin", "unload", "hello"]), "hello generation 1: unmapped\n");
    let after = shown(&["plugin", "show", "hello"]);
    assert!(after.starts_with("hello 1.0.0, unloaded\n") && after.ends_with("unmapped\n"), "{after}");
    assert_eq!(names(&told(&["plugin", "list"])), ["mask"]);
    let hello = hookrail_tests::plugin("hello");
    assert_eq!(told(&["plugin", "load", hello.to_str().unwrap()])["generation"], 2);
    assert_eq!(run.end().status.code(), Some(0));
}

#[test]
fn a_plugin_is_upgraded_while_lines_flow_and_none_is_lost_or_goes_without_it() {
    let mut run = Run::new("upgraded");
    let copy = directory("upgraded_copy").join("libmask.so");
    fs::copy(mask(), &copy).unwrap();
    let mut input = run.input.take().unwrap();
    let writer = std::thread::spawn(move || {
        let mut written = 0;
        // Ends when the host does.
        loop {
            let Ok(()) = writeln!(input, "{written} secret") else { return written };
            written += 1;
        }
    });
    let mut seen = 0;
    let mut read = |output: &mut BufReader<ChildStdout>, upto: u64| {
        let mut line = String::new();
        while seen < upto {
            line.clear();
            output.read_line(&mut line).unwrap();
            assert_eq!(line, format!("{seen} ***\n"));
            seen += 1;
        }
        seen
    };
    let mut upto = 0;
    for generation in 2..=5 {
        // Somebody reads all the while, or nothing would flow.
        let copy = copy.clone();
        let (home, before) = (home(), upto);
        let upgrade = std::thread::spawn(move || {
            let mut command = hookrail(&["plugin", "replace", "mask", "--json"]);
            run_in(&mut command, &home, &copy)
        });
        while !upgrade.is_finished() || upto == before {
            upto = read(&mut run.output, upto + 1000);
        }
        let upgraded = upgrade.join().unwrap();
        assert_eq!((&upgraded["generation"], &upgraded["old"]["end"]), (&json!(generation), &json!("unmapped")));
        assert!(upgraded["times"]["swap_ns"].as_u64().unwrap() > 0, "{upgraded}");
    }
    let detail = told(&["plugin", "show", "mask"]);
    assert_eq!((&detail["generation"], detail["former"].as_array().unwrap().len()), (&json!(5), 4));
    assert!(shown(&["plugin", "show", "mask"]).contains("         4  1.0.0    unmapped"));
    drop(run.output);
    let _ = run.child.wait().unwrap();
    assert!(writer.join().unwrap() > upto);
}

fn run_in(command: &mut Command, home: &Path, copy: &Path) -> Value {
    let output = run(command.env("HOOKRAIL_HOME", home).arg(copy), b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_upgrade_is_one_line_for_people() {
    let run = Run::new("one_line");
    let file = mask();
    let line = shown(&["plugin", "replace", "mask", file.to_str().unwrap(), "--fresh"]);
    assert!(line.starts_with("mask 1.0.0, generation 2: copy "), "{line}");
    assert!(line.ends_with("; before it 1.0.0 generation 1: unmapped\n"), "{line}");
    for part in [", open ", ", create ", ", swap "] {
        assert!(line.contains(part), "{line}");
    }
    // Whether it has ended by now is nobody's promise.
    assert_eq!(told(&["plugin", "replace", "mask", file.to_str().unwrap(), "--no-wait"])["generation"], 3);
    drop(run.end());
}

#[test]
fn the_status_counts_every_message_that_was_answered() {
    let directory = directory("counted");
    fs::write(directory.join("hookrail.toml"), "[message]\nmax_body = 5\n").unwrap();
    let mut run = Run::spawn(hookrail(&["run", "-q", "--no-store"]).current_dir(directory));
    writeln!(run.input.as_mut().unwrap(), "much too long\nand so is this").unwrap();
    for _ in 0..10 {
        assert_eq!(run.message("fits"), "fits");
    }
    let status = told(&["status"]);
    assert_eq!((&status["pid"], &status["plugins"]), (&json!(run.pid()), &json!(0)));
    let expected =
        json!({ "in": 13, "out": 11, "denied": 2, "bytes": 6 + 14 + 15 + 50, "bad_lines": 0, "long_lines": 0 });
    assert_eq!(status["report"], expected);
    assert!(shown(&["status"]).contains("\n  denied      2\n"));
    drop(run.end());
}

#[test]
fn events_come_as_they_happen_until_the_host_ends() {
    let run = Run::new("events");
    let mut events = hookrail(&["events", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(events.stdout.take().unwrap());
    let (sender, lines) = channel();
    std::thread::spawn(move || output.lines().try_for_each(|line| sender.send(line.unwrap())));
    // Nothing tells when it listens: so something happens until it does.
    let first = loop {
        shown(&["plugin", "stop", "hello"]);
        shown(&["plugin", "start", "hello"]);
        if let Ok(first) = lines.try_recv() {
            break first;
        }
    };
    assert!(first.starts_with("{\"event\":{\"plugin\":\"hello\""), "{first}");
    shown(&["plugin", "unload", "hello"]);
    let mut last = Vec::new();
    while last.last() != Some(&json!("ended")) {
        let line: Value = serde_json::from_str(&lines.recv().unwrap()).unwrap();
        assert_eq!(line["event"]["plugin"], "hello");
        last.push(line["event"]["event"].clone());
    }
    assert_eq!(last[last.len() - 2..], [json!("unloading"), json!("ended")]);
    drop(run.end());
    assert!(lines.recv().is_err(), "the host has ended");
    assert_eq!(events.wait().unwrap().code(), Some(0));
}

#[test]
fn the_hooks_are_those_of_the_only_running_host_unless_plugins_are_named() {
    let run = Run::new("hooks");
    let callbacks = |arguments: &[&str]| -> Vec<String> {
        let point = told(arguments);
        point["chain"].as_array().unwrap().iter().map(|entry| entry["instance"].as_str().unwrap().into()).collect()
    };
    let publish = ["hooks", "show", "message.publish"];
    let output = ask(&publish);
    assert!(text(&output.stderr).starts_with(&format!("in the running host {}  ", run.pid())));
    assert_eq!(callbacks(&publish), ["hello", "mask", "hookrail"]);
    shown(&["plugin", "unload", "hello"]);
    assert_eq!(callbacks(&publish), ["mask", "hookrail"]);
    let (pid, socket) = (run.pid().to_string(), run.socket());
    assert_eq!(callbacks(&[&publish[..], &["--pid", &pid]].concat()), ["mask", "hookrail"]);
    assert_eq!(callbacks(&[&publish[..], &["--control", socket.to_str().unwrap()]].concat()), ["mask", "hookrail"]);
    let hello = hookrail_tests::plugin("hello");
    assert_eq!(callbacks(&[&publish[..], &["--plugin", hello.to_str().unwrap()]].concat()), ["hello", "hookrail"]);
    refused(&["hooks", "show", "message.publsh"], "HR0110", 3);
    let both = ask(&["hooks", "list", "--pid", &pid, "--plugin", "hello"]);
    assert_eq!(both.status.code(), Some(2));
    drop(run.end());
    assert_eq!(callbacks(&publish), ["hookrail"]);
}

#[test]
fn each_mistake_is_told_with_its_code_and_the_next_step() {
    refused(&["status"], "HR0711", 3);
    refused(&["plugin", "list", "--pid", "1"], "HR0611", 3);
    refused(&["plugin", "list", "--control", "/nosuch.sock"], "HR0709", 3);
    let run = Run::new("mistakes");
    refused(&["plugin", "show", "nosuch"], "HR0103", 3);
    refused(&["plugin", "replace", "mask", "nosuch.so"], "HR0501", 3);
    refused(&["plugin", "replace", "mask", env!("CARGO_MANIFEST_PATH")], "HR0303", 5);
    refused(&["plugin", "replace", "mask", hookrail_tests::plugin("hello").to_str().unwrap()], "HR0105", 2);
    refused(&["plugin", "load", mask().to_str().unwrap()], "HR0101", 1);

    let second = Run::spawn(&mut hookrail(&["run", "-q", "--no-store"]));
    let said = refused(&["plugin", "list"], "HR0610", 2);
    for run in [&run, &second] {
        assert!(said.contains(&format!("\n    {}  ", run.pid())), "{said}");
    }
    assert_eq!(told(&["plugin", "list", "--pid", &second.pid().to_string()]), json!([]));
    let listed = ask(&["hooks", "list"]);
    assert!(text(&listed.stderr).starts_with("2 hosts are running"), "{}", text(&listed.stderr));
    drop((second.end(), run.end()));
}

#[test]
fn the_socket_is_private_and_goes_with_the_run() {
    let run = Run::new("private");
    let socket = run.socket();
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    drop(run.end());
    assert!(!socket.exists());

    // The same when it is interrupted; when it is killed, whoever looks next clears it away.
    for (signal, is_left) in [(libc::SIGINT, false), (libc::SIGTERM, false), (libc::SIGKILL, true)] {
        let run = Run::new("private");
        let socket = run.socket();
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(run.pid() as i32, signal) };
        let mut run = run;
        run.child.wait().unwrap();
        assert_eq!(socket.exists(), is_left, "{signal}");
        refused(&["status"], "HR0711", 3);
        assert!(!socket.exists());
    }
}

#[test]
fn a_run_without_a_socket_goes_on() {
    let run = Run::spawn(&mut hookrail(&["run", "-q", "--no-store", "--no-control"]));
    assert!(!run.socket().exists());
    assert_eq!(text(&run.end().stderr), "");

    let long = format!("/tmp/{}.sock", "s".repeat(120));
    let run = Run::spawn(&mut hookrail(&["run", "-q", "--no-store", "--control", &long]));
    let output = run.end();
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stderr);
    assert!(said.contains("82 bytes are allowed") && said.contains("--no-control"), "{said}");
    assert!(said.contains("fix: choose a shorter one"), "{said}");

    let elsewhere = directory("elsewhere").join("c.sock");
    let run = Run::spawn(hookrail(&["run", "-q", "--no-store", "--control"]).arg(&elsewhere));
    assert_eq!(told(&["plugin", "list", "--control", elsewhere.to_str().unwrap()]), json!([]));
    refused(&["status"], "HR0711", 3);
    drop(run.end());
    assert!(!elsewhere.exists());
}

/// How much a plugin tells is its own business, whatever the host's own lines are held to.
#[test]
fn the_log_level_of_a_plugin_is_set_in_the_file_and_at_run_time() {
    let directory = directory("levels");
    fs::write(directory.join("hookrail.toml"), "[plugins.tells]\nlog_level = \"debug\"\n").unwrap();
    let mut command = hookrail(&["run", "-q", "--no-store", "--plugin"]);
    command.arg(hookrail_tests::zoo("tells")).arg("--plugin").arg(hookrail_tests::zoo("tells_again"));
    let mut run = Run::spawn(command.current_dir(directory));
    assert_eq!(run.message("levels"), "levels");
    assert_eq!(told(&["plugin", "set-log-level", "tells", "error"])["log_level"], "error");
    assert_eq!(run.message("levels"), "levels");
    assert_eq!(
        shown(&["plugin", "set-log-level", "tells", "trace"]),
        "tells 1.0.0, generation 1, running, log trace\n"
    );
    assert_eq!(run.message("levels"), "levels");
    refused(&["plugin", "set-log-level", "nosuch", "trace"], "HR0103", 3);
    assert_eq!(ask(&["plugin", "set-log-level", "tells", "loud"]).status.code(), Some(2));
    let said = text(&run.end().stderr).to_owned();
    let count =
        |part: &str| said.lines().filter(|line| line.contains(part) && line.contains("instance=\"tells\"")).count();
    let counts = ["an error", "a warning", "a detail", "a step"].map(count);
    assert_eq!(counts, [3, 2, 2, 1], "{said}");
    // As the host's own lines, when nothing is said.
    let other = |part: &str| said.lines().any(|line| line.contains(part) && line.contains("tells-again"));
    assert!(other("a warning") && !other("an information"), "{said}");
}

#[test]
fn a_host_that_is_stopped_is_told_with_its_process() {
    let mut run = Run::spawn(&mut hookrail(&["run", "-q", "--no-store"]));
    let signal = |signal| {
        // SAFETY: it is our child, and not waited for yet.
        assert_eq!(unsafe { libc::kill(run.pid().cast_signed(), signal) }, 0);
    };
    signal(libc::SIGSTOP);
    eventually("it is stopped", || is_stopped(run.pid()));
    for command in [&["plugin", "list"][..], &["status"], &["events"]] {
        let said = refused(command, "HR0709", 1);
        assert!(said.contains(&format!("its process {} is stopped", run.pid())), "{said}");
        assert!(said.contains(&format!("fix: `kill -CONT {}`", run.pid())), "{said}");
    }
    signal(libc::SIGCONT);
    assert_eq!(told(&["plugin", "list"]), json!([]));
    assert_eq!(run.message("on"), "on");
    drop(run.end());
}

/// The name of a socket has a PID, which is another process, or none, in another namespace.
#[test]
fn a_host_of_another_pid_namespace_is_not_taken_for_one_of_ours() {
    if !may_mount() {
        return;
    }
    let run = Run::spawn(&mut hookrail(&["run", "-q", "--no-store"]));
    let inside = |arguments: &[&str]| {
        let ours = hookrail(arguments);
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(ours.get_program()).args(arguments);
        command.env("HOOKRAIL_HOME", home());
        command
    };
    let output = hookrail_tests::cli::run(&mut inside(&["plugin", "list"]), b"");
    assert!(text(&output.stderr).contains("no host is running"), "{}", text(&output.stderr));
    let output = hookrail_tests::cli::run(&mut inside(&["plugin", "unload", "hello"]), b"");
    assert!(text(&output.stderr).contains("error[HR0711]"), "{}", text(&output.stderr));
    // From outside, both are seen, under their PIDs here.
    let other = Run::spawn(&mut inside(&["run", "-q", "--no-store"]));
    let said = refused(&["status"], "HR0610", 2);
    assert!(said.contains(&format!("\n    {}  ", run.pid())), "{said}");
    assert!(!said.contains("\n    1  "), "it is 1 in its own namespace only: {said}");
    drop((run.end(), other.end()));
}
