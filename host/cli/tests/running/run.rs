//! `hookrail run`: what comes out, what is said, and how it ends.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use hookrail_tests::cli::{directory, hookrail, run, summary, text};
use hookrail_tests::{plugin, specimens};

#[test]
fn text_that_no_plugin_changes_comes_out_byte_for_byte() {
    for input in [&b""[..], b"a", b"a\n", b"\n", b"\n\n", b"a\r\nb\r", b"\0\xff\xfe\n\0", "\u{e9}\n\u{fc}".as_bytes()] {
        let output = run(&mut hookrail(&["run", "--quiet"]), input);
        assert_eq!(output.stdout, input, "{}", input.escape_ascii());
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    }
}

#[test]
fn the_plugin_that_ends_the_host_while_it_is_loaded_is_the_last_that_the_log_names() {
    for place in ["constructor:abort", "attach:abort", "start:abort"] {
        let mut command = hookrail(&["run", "-vv", "--no-control", "--plugin"]);
        command.arg(hookrail_tests::plugin("mask")).arg("--plugin").arg(specimens::c("breaks")).env("BREAKS", place);
        let output = run(&mut command, b"");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT));
        let last = text(&output.stderr).lines().last().unwrap();
        assert!(last.contains("opening") && last.contains("breaks.so plugin=\"breaks\""), "{place}: {last}");
    }
}

/// As under `nohup`, or a supervisor that does not want it to be disturbed.
#[test]
fn a_run_that_hears_no_signal_reads_all_the_same() {
    for signals in ["INT", "TERM", "INT TERM"] {
        let run_it = hookrail(&["run", "--quiet", "--no-control"]);
        let ignoring = format!("trap '' {signals}; exec \"$0\" \"$@\"");
        // It is ended from outside when it hangs: it hears nobody else.
        let mut command = std::process::Command::new("timeout");
        command.args(["--signal=KILL", "120", "sh", "-c", &ignoring]).arg(run_it.get_program());
        command.args(run_it.get_args()).env("HOOKRAIL_HOME", hookrail_tests::cli::home());
        let output = run(&mut command, b"one\n");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "one\n"), "{signals}");
    }
}

#[test]
fn files_follow_each_other_and_a_dash_is_stdin() {
    let directory = directory("files_follow");
    fs::write(directory.join("a"), "one\ntwo").unwrap();
    fs::write(directory.join("b"), "four\n").unwrap();
    let output = run(hookrail(&["run", "-q", "a", "-", "b"]).current_dir(&directory), b"three\n");
    assert_eq!(text(&output.stdout), "one\ntwothree\nfour\n");
}

/// Nothing is installed there, so a run needs nothing of it.
#[test]
fn a_home_that_cannot_be_made_or_trusted_stops_no_run() {
    use std::os::unix::fs::PermissionsExt;
    let open = directory("open_home");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    for home in [std::path::Path::new("/proc/none"), &open] {
        let output = run(hookrail(&["run", "-q", "--no-control"]).env("HOOKRAIL_HOME", home), b"a\n");
        assert_eq!((text(&output.stdout), text(&output.stderr)), ("a\n", ""));
    }
    // What was installed may have been changed by others.
    fs::write(open.join("state.json"), "{}").unwrap();
    let output = run(hookrail(&["run", "-q", "--no-control"]).env("HOOKRAIL_HOME", &open), b"a\n");
    assert_eq!((text(&output.stdout), output.status.code()), ("", Some(7)));
    assert!(text(&output.stderr).contains("error[HR0813]: "));
}

#[test]
fn a_file_that_is_not_there_is_told_before_anything_runs() {
    let directory = directory("not_there");
    fs::write(directory.join("a"), "one\n").unwrap();
    let output = run(hookrail(&["run", "a", "b"]).current_dir(&directory), b"");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(3), ""));
    assert!(text(&output.stderr).starts_with("error[HR0501]: cannot read b: "), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("\n  fix: "));
}

#[test]
fn a_line_that_is_no_message_is_shown_and_counted_and_the_rest_goes_on() {
    let input = b"{\"body\":\"one\"}\nnonsense\n\n{\"body\":\"two\"}\n";
    let output = run(&mut hookrail(&["run", "--input-format", "json", "--output-format", "text", "--json"]), input);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(4), "one\ntwo\n"));
    let said = text(&output.stderr);
    assert!(said.contains("stdin:2:2: not a message: expected ident"), "{said}");
    let summary = summary(&output);
    assert_eq!((&summary["in"], &summary["out"], &summary["bad_lines"]), (&2.into(), &2.into(), &1.into()));
}

#[test]
fn bad_lines_are_shown_up_to_a_limit_and_all_counted() {
    let output = run(&mut hookrail(&["run", "--input-format", "json", "--json"]), "nonsense\n".repeat(100).as_bytes());
    assert_eq!(text(&output.stderr).matches("not a message: ").count(), 10);
    assert_eq!(summary(&output)["bad_lines"], 100);
}

#[test]
fn a_line_that_is_too_long_is_skipped_and_the_rest_goes_on() {
    let input = format!("before\n{}\nafter\n", "a".repeat(3 << 20));
    let output = run(&mut hookrail(&["run", "--max-line", "1MiB"]), input.as_bytes());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(4), "before\nafter\n"));
    assert!(text(&output.stderr).contains("stdin:2: skipped: it has 3145728 bytes"), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("too long 1"));
}

#[test]
fn text_becomes_json_and_comes_back() {
    let output = run(&mut hookrail(&["run", "-q", "--output-format", "json", "--topic", "a.b"]), b"one\n\xff\nlast");
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["body"], &lines[0]["topic"], &lines[0]["source"]),
        (&"one".into(), &"a.b".into(), &"stdin".into())
    );
    assert_eq!(lines[1]["body_base64"], "/w==");
    let back = run(&mut hookrail(&["run", "-q", "--input-format", "json", "--output-format", "text"]), &output.stdout);
    assert_eq!(back.stdout, b"one\n\xff\nlast\n");
}

#[test]
fn a_plugin_masks_and_another_denies_and_the_summary_says_who() {
    let directory = directory("masks_and_denies");
    let config = "[plugins.mask.config]\npatterns = [\"secret\"]\n[plugins.throttle.config]\nrate = 0.001\nburst = 2\n";
    fs::write(directory.join("hookrail.toml"), config).unwrap();
    let (mask, throttle) = (hookrail_tests::plugin("mask"), hookrail_tests::plugin("throttle"));
    let mut command = hookrail(&["run", "--json"]);
    command.current_dir(&directory).arg("--plugin").arg(mask).arg("--plugin").arg(throttle);
    let output = run(&mut command, b"a secret\nb\nc\nd\n");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "a ***\nb\n"), "{}", text(&output.stderr));
    let summary = summary(&output);
    assert_eq!((&summary["in"], &summary["out"], &summary["denied"]), (&4.into(), &2.into(), &2.into()));
    assert_eq!((&summary["denied_by"][0]["code"], &summary["denied_by"][0]["count"]), (&429.into(), &2.into()));
}

#[test]
fn a_message_that_is_too_large_is_denied_by_the_host_itself() {
    let directory = directory("too_large");
    fs::write(directory.join("hookrail.toml"), "[message]\nmax_body = 3\n").unwrap();
    let output = run(hookrail(&["run"]).current_dir(&directory), b"abc\nabcd\n");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "abc\n"));
    assert!(text(&output.stderr).contains("hookrail/validate"), "{}", text(&output.stderr));
}

#[test]
fn a_line_is_passed_on_at_once() {
    let mut command = hookrail(&["run", "-q"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    for line in ["one\n", "two\n"] {
        input.write_all(line.as_bytes()).unwrap();
        let mut came = String::new();
        // Hangs if the line were kept in a buffer.
        output.read_line(&mut came).unwrap();
        assert_eq!(came, line);
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// From a terminal it is a failure to whoever waits for the whole stream; a supervisor asked for it.
#[test]
fn an_interrupt_ends_the_reading_and_the_summary_still_comes() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 0)] {
        let mut command = hookrail(&["run", "--json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"one\n").unwrap();
        let mut came = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut came).unwrap();
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(child.id() as i32, signal) };
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "signal {signal}");
        let summary = summary(&output);
        assert_eq!((&summary["out"], &summary["interrupted"]), (&1.into(), &true.into()), "signal {signal}");
    }
}

/// What it says of faults there would hold nowhere, and the point it means would stay open.
#[test]
fn a_point_that_is_not_there_stops_a_run_before_any_plugin_is_loaded() {
    let directory = directory("mistyped_point");
    let file = directory.join("hookrail.toml");
    for (config, key) in [
        ("[points.\"message.publsh\"]\nfault_policy = \"closed\"\n", "points.\"message.publsh\""),
        (
            "[[overrides]]\npoint = \"message.publish\"\ncallback = \"hello/greet\"\nenabled = false\n\
             [[overrides]]\npoint = \"message.publsh\"\ncallback = \"hello/greet\"\nenabled = false\n",
            "overrides[1].point",
        ),
    ] {
        fs::write(&file, config).unwrap();
        let mut command = hookrail(&["run", "--no-control", "--plugin"]);
        let output =
            run(command.arg(specimens::c("breaks")).env("BREAKS", "start:abort").current_dir(&directory), b"a\n");
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{said}");
        let why = "is about the hook point `message.publsh`, which is not there, but `message.publish` is";
        assert!(said.contains("error[HR0205]: hookrail.toml:") && said.contains(&format!(": `{key}` {why}")), "{said}");
        let listed = run(hookrail(&["hooks", "list"]).current_dir(&directory), b"");
        assert_eq!(listed.status.code(), Some(2), "{}", text(&listed.stderr));
    }
}

#[test]
fn an_override_of_a_callback_that_its_plugin_does_not_declare_is_refused() {
    let directory = directory("mistyped_callback");
    for (callback, said) in [
        (
            "hello/great",
            "`overrides[0].callback` is about `hello/great` on message.publish, which is not there, but `hello/greet` is",
        ),
        ("hello/nothing-like-it", "which is not there, but `hello/greet`"),
    ] {
        let config =
            format!("[[overrides]]\npoint = \"message.publish\"\ncallback = {callback:?}\nfault_policy = \"closed\"\n");
        fs::write(directory.join("hookrail.toml"), config).unwrap();
        let mut command = hookrail(&["run", "--no-control", "--plugin"]);
        let output = run(command.arg(hookrail_tests::plugin("hello")).current_dir(&directory), b"a\n");
        let stderr = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{stderr}");
        assert!(stderr.contains(said) && stderr.contains("error[HR0205]"), "{stderr}");
    }
    // Of a plugin that is not loaded it is only told.
    let config = "[[overrides]]\npoint = \"message.publish\"\ncallback = \"mask/mask\"\nenabled = false\n";
    fs::write(directory.join("hookrail.toml"), config).unwrap();
    let output = run(hookrail(&["run", "--no-control"]).current_dir(&directory), b"a\n");
    let stderr = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "a\n"), "{stderr}");
    assert!(stderr.contains("overrides mask/mask on message.publish, but its plugin is not loaded"), "{stderr}");
}

#[test]
fn interrupting_a_stuck_run_tells_how_to_end_it() {
    let directory = directory("stuck");
    fs::write(directory.join("hookrail.toml"), "[limits]\nstuck = \"1ms\"\n").unwrap();
    let mut command = hookrail(&["run", "--config", "hookrail.toml", "--plugin"]);
    command.arg(specimens::c("breaks")).current_dir(&directory).env("BREAKS", "callback:hang");
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"one\n").unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut interrupt_when_it_says = |part: &str| {
        assert!(said.any(|line| line.unwrap().contains(part)), "it never said: {part}");
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    };
    interrupt_when_it_says("breaks/publish has been in one call for");
    interrupt_when_it_says("press Ctrl-C again to quit without it");
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGINT));
}

#[test]
fn a_closed_stdout_ends_the_run_quietly() {
    let directory = directory("closed_stdout");
    fs::write(directory.join("big"), "a line of text\n".repeat(500_000)).unwrap();
    let mut child = hookrail(&["run", "big"])
        .current_dir(&directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert!(
        !text(&output.stderr).contains("panicked") && !text(&output.stderr).contains("error"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_full_disk_behind_stdout_is_told() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = hookrail(&["run", "-q"]);
    let mut child = command.stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"one\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).starts_with("error[HR0606]: cannot write to stdout: No space left"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn an_input_that_is_the_output_is_refused() {
    let directory = directory("own_output");
    let file = directory.join("log");
    fs::write(&file, "a\n").unwrap();
    let open = || File::options().append(true).open(&file).unwrap();
    for from_stdin in [false, true] {
        let mut command = hookrail(&["run", "-q", "--no-store"]);
        let input = if from_stdin { File::open(&file).unwrap().into() } else { Stdio::null() };
        if !from_stdin {
            command.arg(&file);
        }
        let output = command.stdin(input).stdout(open()).stderr(Stdio::piped()).output().unwrap();
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains("stdout writes to it too"), "{said}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "a\n");
}

/// Another program may have set the pipe, which is shared, to return at once when it is full.
#[test]
fn a_stdout_that_never_waits_loses_nothing() {
    const LINES: usize = 100_000;
    let (mut reading, writing) = std::io::pipe().unwrap();
    never_waits(&writing);
    // Only the child keeps the end that is written to.
    let spawn = move || {
        hookrail(&["run", "-q", "--no-store"]).stdin(Stdio::piped()).stdout(writing).stderr(Stdio::piped()).spawn()
    };
    let mut child = spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::thread::scope(|threads| {
        threads.spawn(move || (0..LINES).for_each(|number| writeln!(input, "line {number}").unwrap()));
        let mut out = String::new();
        reading.read_to_string(&mut out).unwrap();
        assert_eq!(out.lines().count(), LINES);
    });
    assert!(child.wait_with_output().unwrap().status.success());
}

fn never_waits(pipe: &impl AsRawFd) {
    // SAFETY: a flag of an open descriptor.
    assert_eq!(unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }, 0);
}

#[test]
fn a_pattern_that_ends_with_the_line_matches_whatever_system_wrote_it() {
    let directory = directory("line_ends");
    fs::write(directory.join("hookrail.toml"), "[plugins.mask.config]\npatterns = ['secret$']\n").unwrap();
    let mut command = hookrail(&["run", "-q", "--no-store", "--plugin"]);
    let output =
        run(command.arg(hookrail_tests::plugin("mask")).current_dir(&directory), b"a secret\r\nb secret\nc secret");
    assert_eq!(text(&output.stdout), "a ***\r\nb ***\nc ***");
}

#[test]
fn prints_of_plugins_land_on_stderr() {
    let mut command = hookrail(&["run", "-q", "--no-store", "--output-format", "json", "--plugin"]);
    let output = run(command.arg(specimens::c("prints")), b"a\nb\n");
    for line in text(&output.stdout).lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    assert_eq!(text(&output.stdout).lines().count(), 2);
    assert_eq!(text(&output.stderr).matches("a plugin was here").count(), 2, "{}", text(&output.stderr));
}

/// The files of a home are not put into a directory named `~`.
#[test]
fn a_path_that_a_shell_has_not_expanded_is_refused() {
    let directory = directory("tilde");
    let refused = |key: &str, command: &mut Command| {
        let output = run(command.current_dir(&directory), b"a\n");
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{said}");
        let why = format!(": `{key}` is ~/x, and `~` is not expanded here");
        assert!(said.starts_with("error[HR0205]: ") && said.contains(&why), "{said}");
    };
    refused("home", &mut hookrail(&["run", "--home=~/x"]));
    refused("home", &mut hookrail(&["plugin", "list", "--home=~/x"]));
    refused("home", hookrail(&["run"]).env("HOOKRAIL_HOME", "~/x"));
    fs::write(directory.join("hookrail.toml"), "home = \"~/x\"\n").unwrap();
    refused("home", &mut hookrail(&["run"]));
    fs::write(directory.join("hookrail.toml"), "[plugins.mask]\nlibrary = \"~/x\"\n").unwrap();
    refused("plugins.mask.library", &mut hookrail(&["run"]));
    assert!(!directory.join("~").exists());
}

/// As in a bare `chroot`.
#[test]
fn without_proc_the_error_says_that_it_is_missing() {
    if !hookrail_tests::may_mount() {
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", "umount -l /proc && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_hookrail")]);
    let output = run(command.args(["run", "--no-control", "--no-store", "--plugin"]).arg(plugin("hello")), b"a\n");
    let said = text(&output.stderr);
    assert!(said.starts_with("error[HR0501]: cannot find the copy in memory of ") && said.contains("/proc"), "{said}");
}

#[test]
fn a_plugin_that_ends_the_process_is_reported_and_is_no_success() {
    for place in ["constructor:leave", "start:leave", "callback:leave"] {
        let mut command = hookrail(&["run", "--no-control", "--plugin"]);
        let output = run(command.arg(specimens::c("breaks")).env("BREAKS", place), &b"a\n".repeat(100));
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{place}: {said}");
        assert!(
            said.contains("error[HR0629]: a plugin has ended this process") && said.contains("I am leaving"),
            "{said}"
        );
    }
    let mut command = hookrail(&["inspect", "--schema"]);
    let output = run(command.arg(specimens::c("breaks")).env("BREAKS", "constructor:leave"), b"");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let mut command = hookrail(&["run", "--json", "--no-control", "--plugin"]);
    let output = run(command.arg(specimens::c("breaks")).env("BREAKS", "callback:leave"), b"a\n");
    assert!(text(&output.stderr).contains(r#"{"error":{"code":"HR0629","#), "{}", text(&output.stderr));
}
