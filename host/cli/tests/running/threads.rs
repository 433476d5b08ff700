//! `hookrail run --threads N`: what comes out, what is said and how it ends are those of one thread.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hookrail_tests::cli::asked::shown;
use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{PATIENT, directory, hookrail, run, summary, text};
use hookrail_tests::probe::eventually;
use hookrail_tests::{plugin, specimens};
use serde_json::Value;

/// A directory whose configuration masks, and denies each body above 90 bytes.
fn configured(test: &str, more: &str) -> std::path::PathBuf {
    let directory = directory(test);
    let config = format!("[message]\nmax_body = 90\n[plugins.mask.config]\npatterns = ['secret[0-9]*']\n{more}");
    fs::write(directory.join("hookrail.toml"), config).unwrap();
    directory
}

fn masking(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = hookrail(&["run", "--no-control", "--json", "--plugin"]);
    command.arg(plugin("mask")).args(arguments).current_dir(directory);
    command
}

/// Lines of many lengths: masked ones, too large ones, empty ones, some that are too long for a line.
fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let end = if number % 11 == 0 { "\r\n" } else { "\n" };
        let _ = match number {
            _ if number % 5000 == 4999 => write!(text, "{}{end}", "x".repeat(3000)),
            _ if number % 13 == 0 => write!(text, "{end}"),
            _ => write!(text, "{number} secret{number} {}{end}", "y".repeat(number * 7 % 97)),
        };
        text
    })
}

/// What was said, and the summary without what differs between any two runs.
fn told(output: &Output) -> (Vec<String>, Value) {
    let mut summary = summary(output);
    for timed in ["seconds", "messages_per_second"] {
        assert!(summary.as_object_mut().unwrap().remove(timed).is_some());
    }
    let said: Vec<_> = text(&output.stderr).lines().map(String::from).collect();
    (said[..said.len() - 1].to_vec(), summary)
}

/// Runs it with one thread and with several, which must not be told apart; returns the output.
fn equal(directory: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let alone = run(&mut masking(directory, arguments), input);
    for threads in ["2", "5"] {
        let together = run(masking(directory, arguments).args(["--threads", threads]), input);
        assert!(together.stdout == alone.stdout, "{threads} threads: other output\n{}", text(&together.stderr));
        assert_eq!(told(&together), told(&alone), "{threads} threads");
        assert_eq!(together.status.code(), alone.status.code(), "{threads} threads");
    }
    alone
}

#[test]
fn text_comes_out_byte_for_byte_as_from_one_thread() {
    let directory = configured("threads_text", "");
    let output = equal(&directory, &["--max-line", "2KiB"], lines(20_000).as_bytes());
    let summary = summary(&output);
    let [came, out, denied, long] = ["in", "out", "denied", "long_lines"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!((came, came + long, output.status.code()), (out + denied, 20_000, Some(4)));
    assert!(denied > 500 && out > 5000 && text(&output.stdout).contains(" *** "), "{summary}");
    for input in [&b""[..], b"a", b"\n", b"a\r\nb\r", b"\0\xff\n\0", b"\xef\xbb\xbf", b"\xef\xbb\xbfsecret\nb"] {
        equal(&directory, &[], input);
    }
}

#[test]
fn bad_lines_are_told_of_in_the_order_of_the_lines() {
    let directory = configured("threads_bad", "");
    let mut input = String::new();
    for number in 0..30_000 {
        let _ = match number {
            _ if number % 4000 == 17 => writeln!(input, "nonsense {number}"),
            _ if number % 4000 == 18 => writeln!(input),
            _ => writeln!(input, "{{\"topic\":\"a\",\"body\":\"secret {number}\"}}"),
        };
    }
    let output = equal(&directory, &["--input-format", "json", "--output-format", "text"], input.as_bytes());
    assert_eq!(output.status.code(), Some(4));
    let (said, summary) = told(&output);
    assert_eq!((said.len(), &summary["bad_lines"], &summary["in"]), (8, &8.into(), &29_984.into()));
    assert!(said[7].starts_with("stdin:28018:2: not a message"), "{said:#?}");
    let ndjson = ["--input-format", "ndjson", "--header-field", "body", "--topic-field", "topic"];
    equal(&directory, &ndjson, input.as_bytes());
}

#[test]
fn files_follow_each_other_with_their_marks_and_line_numbers() {
    let directory = configured("threads_files", "");
    for (name, content) in [("a", "\u{feff}one\n{}\ntwo"), ("b", "\u{feff}{\"a\":1}\nbad"), ("c", "")] {
        fs::write(directory.join(name), content).unwrap();
    }
    equal(&directory, &["a", "-", "c", "b"], b"three\n");
    let output = equal(&directory, &["--input-format", "ndjson", "a", "-", "b"], b"\nthree\n");
    let (said, _) = told(&output);
    let places: Vec<_> = said.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["a:1:1", "a:3:2", "stdin:2:2", "b:2:1"], "{said:#?}");
    // What another encoding needs is told after what came before it.
    fs::write(directory.join("d"), b"\xff\xfea\0\n\0").unwrap();
    for threads in ["1", "3"] {
        let output = run(masking(&directory, &["b", "d", "--threads", threads]).stdin(Stdio::null()), b"");
        assert_eq!(text(&output.stdout), "\u{feff}{\"a\":1}\nbad");
        assert!(text(&output.stderr).contains("UTF-16"), "{}", text(&output.stderr));
    }
}

#[test]
fn callbacks_on_delivered_and_dropped_messages_run_in_the_order_of_the_lines() {
    let log = directory("threads_log").join("log");
    let directory = configured(
        "threads_logged",
        &format!("[plugins.file-log.config]\npath = {log:?}\ndropped = true\nmax_bytes = 0\n"),
    );
    let config = fs::read_to_string(directory.join("hookrail.toml")).unwrap();
    fs::write(directory.join("hookrail.toml"), config.replace("[message]", "[message]\ndropped = \"raw\"")).unwrap();
    let input = lines(20_000);
    let output = run(masking(&directory, &["--threads", "4", "--plugin"]).arg(plugin("file-log")), input.as_bytes());
    let summary = summary(&output);
    assert_eq!(summary["in"].as_u64(), Some(20_000), "{}", text(&output.stderr));
    let body = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line.get("message").unwrap_or(&line)["body"].as_str().unwrap().to_owned()
    };
    let logged: Vec<_> = fs::read_to_string(&log).unwrap().lines().map(body).collect();
    let number = |line: &str| line.split(' ').next().unwrap().to_owned();
    let expected: Vec<_> = input.lines().map(number).collect();
    let found: Vec<_> = logged.iter().map(|line| number(line)).collect();
    assert!(found == expected, "{} of {}", found.len(), expected.len());
}

#[test]
fn a_plugin_in_a_worker_is_called_by_several_threads_at_once() {
    let directory = configured("threads_worker", "[plugins.mask]\nisolation = \"worker\"\nworker.deadline = \"2m\"\n");
    let output = equal(&directory, &[], lines(1000).as_bytes());
    assert!(text(&output.stdout).contains(" *** ") && !text(&output.stdout).contains("secret"));
}

/// Nobody reads its output: then it soon takes no more input.
#[test]
fn what_is_under_way_is_bounded() {
    const MOST: usize = 64 << 20;
    let directory = configured("threads_bounded", "");
    let mut command = masking(&directory, &["--threads", "4"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let writing = thread::spawn(move || {
        let lines = lines(1000);
        while count.load(Ordering::SeqCst) <= MOST && input.write_all(lines.as_bytes()).is_ok() {
            count.fetch_add(lines.len(), Ordering::SeqCst);
        }
    });
    eventually("it takes some", || taken.load(Ordering::SeqCst) > 0);
    let mut before = usize::MAX;
    while before != taken.load(Ordering::SeqCst) {
        before = taken.load(Ordering::SeqCst);
        thread::sleep(Duration::from_secs(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    writing.join().unwrap();
    assert!((1..MOST).contains(&before), "{before} bytes are under way");
}

#[test]
fn a_line_is_passed_on_at_once_and_an_interrupt_drains() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 0)] {
        let mut live = Live::start(&mut hookrail(&["run", "--json", "--threads", "3"]));
        for number in 0..10 {
            // Hangs if the line were kept until there are more.
            assert_eq!(live.through(&number.to_string()), number.to_string());
        }
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(live.id() as i32, signal) };
        let told = live.said.wait_for("\"interrupted\":true");
        assert!(told.contains("\"in\":10,\"out\":10"), "{told}");
        assert_eq!(live.end().0, Some(code));
    }
}

#[test]
fn a_second_interrupt_ends_a_run_that_is_stuck() {
    let directory = directory("threads_stuck");
    fs::write(directory.join("hookrail.toml"), "[limits]\nstuck = \"1ms\"\n").unwrap();
    let mut command = hookrail(&["run", "--threads", "2", "--config", "hookrail.toml", "--plugin"]);
    command.arg(specimens::c("breaks")).current_dir(&directory).env("BREAKS", "callback:hang");
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"one\n").unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    for part in ["breaks/publish has been in one call for", "press Ctrl-C again to quit without it"] {
        assert!(said.any(|line| line.unwrap().contains(part)), "it never said: {part}");
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    }
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGINT));
}

/// The input stays open: it is not the reader who finds out.
#[test]
fn a_stdout_that_takes_no_more_ends_the_run_although_the_input_goes_on() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let spawn = |out: Stdio| {
        let mut command = hookrail(&["run", "-q", "--threads", "2"]);
        command.stdin(Stdio::piped()).stdout(out).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = spawn(full.into());
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert!(said.starts_with("error[HR0606]: cannot write to stdout: No space left"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    drop(input);

    let (reading, writing) = std::io::pipe().unwrap();
    drop(reading);
    let mut child = spawn(writing.into());
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(141), ""));
}

#[test]
fn faults_of_several_threads_are_counted_and_lose_no_line() {
    let input: String =
        (0..20_000).map(|number| format!("{}\n", if number % 2500 == 7 { "boom" } else { "fine" })).collect();
    let directory = directory("threads_faults");
    fs::write(directory.join("hookrail.toml"), "[quarantine]\nfaults = 1000\n").unwrap();
    let [alone, together] = ["1", "3"].map(|threads| {
        let mut command = hookrail(&["run", "--json", "--no-control", "--threads", threads, "--plugin"]);
        command.arg(hookrail_tests::zoo("panics_in_callback")).current_dir(&directory);
        let output = run(&mut command, input.as_bytes());
        assert!(text(&output.stdout) == input, "{threads} threads");
        (told(&output).1, output.status.code())
    });
    assert_eq!(together, alone);
    assert!(alone.0["faults"].as_u64() >= Some(8) && alone.1 == Some(6), "{alone:?}");
}

#[test]
fn a_plugin_that_ends_the_process_on_one_of_the_threads_is_reported() {
    let mut command = hookrail(&["run", "--no-control", "--threads", "2", "--plugin"]);
    let output = run(command.arg(specimens::c("breaks")).env("BREAKS", "callback:leave"), &b"a\n".repeat(100));
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{said}");
    assert!(said.contains("error[HR0629]: a plugin has ended this process"), "{said}");
}

#[test]
fn a_plugin_comes_and_goes_while_several_threads_run_and_no_line_is_lost_or_moved() {
    let mut live = Live::start(hookrail(&["run", "--json", "--no-store", "--threads", "3"]).envs(PATIENT));
    assert_eq!(live.through("ready"), "ready");
    let pid = live.id().to_string();
    let flood = live.flood();
    let hello = plugin("hello");
    for _ in 0..5 {
        shown(&["plugin", "load", "--pid", &pid, hello.to_str().unwrap()]);
        let gone = shown(&["plugin", "unload", "--pid", &pid, "hello"]);
        assert!(gone.contains("unmapped"), "{gone}");
    }
    let sent = flood.end();
    let (code, out, said) = live.end();
    assert_eq!(code, Some(0), "{said:#?}");
    let numbers = out[1..].iter().map(|line| line.split(' ').next_back().unwrap().parse::<u64>().unwrap());
    assert!(numbers.eq(0..sent), "{} of {sent}", out.len() - 1);
}

#[test]
fn a_number_of_threads_that_makes_no_sense_is_refused() {
    for threads in ["0", "257", "many"] {
        let output = run(&mut hookrail(&["run", "--threads", threads]), b"a\n");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("--threads"), "{}", text(&output.stderr));
    }
}
