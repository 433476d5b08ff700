//! What plugins, messages and files are called or say may contain anything: none of it commands a terminal, and none of
//! it looks like a line of the program's own.

use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::specimens;

const POINT: &str = "message.publish";

/// The end of a line, and a line that the program may write.
const FORGED: &str = "\nerror[HR0000]: forged";

/// Commands of all kinds, and a line of its own.
const HARMFUL: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\r\nerror[HR0000]: forged\u{202e}\u{2028}\u{61c}";

/// Whether the text is there, and harmless.
fn harmless(shown: &[u8]) {
    let shown = text(shown);
    let is_harmful = |letter: char| letter.is_control() || "\u{202e}\u{2028}\u{61c}".contains(letter);
    let harmful: Vec<_> = shown.chars().filter(|letter| is_harmful(*letter) && *letter != '\n').collect();
    assert!(harmful.is_empty(), "{harmful:?} in {shown}");
    assert!(shown.contains("forged") && !shown.contains(FORGED) && !shown.starts_with(&FORGED[1..]), "{shown}");
}

fn output(mut command: Command) -> std::process::Output {
    run(&mut command, b"")
}

#[test]
fn nothing_that_a_plugin_says_is_obeyed_or_looks_like_a_line_of_the_program() {
    let file = specimens::c("commands_a_terminal");
    let plugin = ["run", "--plugin", file.to_str().unwrap()];
    harmless(&run(&mut hookrail(&plugin), b"deny\n").stderr);
    // What goes to the log.
    harmless(&run(&mut hookrail(&plugin), "fail\n".repeat(20).as_bytes()).stderr);
    harmless(&run(hookrail(&plugin).env("COMMANDS", "log"), b"").stderr);
    let failed = run(hookrail(&plugin).env("COMMANDS", "create"), b"");
    harmless(&failed.stderr);
    assert_eq!(text(&failed.stderr).lines().filter(|line| line.starts_with("error[")).count(), 1);

    let quarantine = directory("harmful_reason");
    std::fs::write(quarantine.join("hookrail.toml"), "[quarantine]\nfaults = 1\npause = \"0s\"\n").unwrap();
    let mut live = Live::start(hookrail(&[&plugin[..], &["-q"]].concat()).current_dir(&quarantine));
    assert_eq!(live.through("ready"), "ready");
    let mut trace = hookrail(&["hooks", "trace", POINT, "--filter", "body=deny", "--wait", "100s"]);
    let traced = std::thread::spawn(move || trace.output().unwrap());
    while !traced.is_finished() {
        live.send("deny");
        assert_eq!(live.through("on"), "on");
    }
    harmless(&traced.join().unwrap().stdout);
    let events = Live::start(&mut hookrail(&["events"]));
    // Events begin when somebody listens: what was said by then is not repeated.
    while events.out.with("forged") == 0 {
        assert_eq!(live.through("fail"), "fail", "it is passed over");
        let _ = output(hookrail(&["hooks", "unquarantine", POINT, "commands-a-terminal/look"]));
    }
    harmless(events.out.wait_for("forged").as_bytes());
    let explained = || text(&output(hookrail(&["hooks", "explain", POINT])).stdout).to_owned();
    while !explained().contains("quarantined") {
        live.through("fail");
    }
    for command in [
        &["hooks", "stats", POINT][..],
        &["hooks", "explain", POINT],
        &["plugin", "show", "commands-a-terminal"],
        &["plugin", "list"],
    ] {
        let shown = output(hookrail(command));
        assert!(shown.status.success(), "{command:?}: {}", text(&shown.stderr));
        harmless(&shown.stdout);
    }
}

#[test]
fn no_name_of_a_file_is_obeyed() {
    let directory = directory("harmful_names");
    std::fs::write(directory.join(HARMFUL), "nonsense\n\"too long\"\n").unwrap();
    // It does not exist, is no directory, is no library, is no package; and it is what lines came from.
    let missing = format!("{HARMFUL}.hrp");
    for arguments in [
        &["run", "--no-control", &missing][..],
        &["run", "--no-control", "--plugin", &missing],
        &["inspect", &missing],
        &["inspect", HARMFUL],
        &["verify", HARMFUL],
        &["plugin", "install", &missing],
        &["--config", HARMFUL, "config", "check"],
        &["--home", HARMFUL, "config", "check"],
        &["run", "--no-control", "--input-format", "json", HARMFUL],
        &["run", "--no-control", "--max-line", "3", HARMFUL],
    ] {
        let mut command = hookrail(arguments);
        let shown = run(command.current_dir(&directory).env_remove("HOOKRAIL_HOME"), b"");
        harmless(&[shown.stdout, shown.stderr].concat());
    }
}

#[test]
fn nothing_in_a_message_is_obeyed() {
    let directory = directory("harmful_messages");
    let field = serde_json::to_string(HARMFUL).unwrap();
    // An unknown field, whose name is told.
    let shown =
        run(&mut hookrail(&["run", "--no-control", "--input-format", "json"]), format!("{{{field}:1}}\n").as_bytes());
    harmless(&shown.stderr);
    // The name of a header that a throttle is for.
    let config = format!("[plugins.throttle.config]\nrate = 0.001\nburst = 1\nkey = {{ header = {field} }}\n");
    std::fs::write(directory.join("hookrail.toml"), config).unwrap();
    let mut command = hookrail(&["run", "--no-control", "--input-format", "json", "--plugin"]);
    command.arg(hookrail_tests::plugin("throttle")).current_dir(&directory);
    let line = format!("{{\"headers\":[[{field},\"a\"]],\"body\":\"\"}}\n");
    harmless(&run(&mut command, format!("{{\"body\":\"\"}}\n{line}{line}").as_bytes()).stderr);
}

/// Its time comes first, so a line of the log is told from whatever else is on stderr.
#[test]
fn a_line_of_the_log_begins_with_its_time_and_its_level() {
    let mut command = hookrail(&["run", "-q", "-vv", "--no-control", "--plugin"]);
    let output = run(command.arg(hookrail_tests::plugin("hello")), b"a\n");
    let said = text(&output.stderr);
    assert!(!said.is_empty());
    for line in said.lines() {
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(humantime::parse_rfc3339(time).is_ok() && time.len() == "2026-11-27T12:00:00.000Z".len(), "{line}");
        let level = rest.trim_start().split(' ').next().unwrap();
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&level), "{line}");
    }
}
