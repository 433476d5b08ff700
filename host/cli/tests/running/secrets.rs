//! What a mask would have hidden leaves by no other way: not by the log of dropped messages, nor by a reason.

use std::fs;

use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::plugin;

/// The log of denied messages, and what was told on stderr, of a run in which `throttle` denies before `mask` has run.
fn denied(test: &str, key: &str, message: &str, format: &str) -> (String, String) {
    let directory = directory(test);
    let config = format!(
        "[message]\n{message}\n\
         [plugins.mask.config]\npatterns = ['hunter2']\nheaders = ['token']\n\
         [plugins.throttle.config]\nrate = 0.001\nburst = 1\nkey = {key}\n\
         [plugins.file-log.config]\npath = {:?}\ndropped = true\nformat = {format:?}\n",
        directory.join("log")
    );
    fs::write(directory.join("hookrail.toml"), config).unwrap();
    let mut command = hookrail(&["run", "--no-control", "--input-format", "json"]);
    for name in ["mask", "throttle", "file-log"] {
        command.arg("--plugin").arg(plugin(name));
    }
    let line = "{\"topic\":\"t\",\"headers\":[[\"token\",\"hunter2\"]],\"body\":\"password hunter2\"}\n";
    let output = run(command.current_dir(&directory), line.repeat(3).as_bytes());
    let said = text(&output.stderr).to_owned();
    assert!(said.contains("denied 2"), "{said}");
    assert!(!text(&output.stdout).contains("hunter2"), "{}", text(&output.stdout));
    (fs::read_to_string(directory.join("log")).unwrap(), said)
}

#[test]
fn a_denied_message_reaches_the_log_of_dropped_ones_without_its_content() {
    let (log, said) = denied("withheld_json", "{ header = \"token\" }", "", "json");
    assert!(!log.contains("hunter2") && !said.contains("hunter2"), "{log}\n{said}");
    assert_eq!(log.matches(r#"["hookrail-withheld","16"]"#).count(), 2, "{log}");
    assert!(said.contains("more than 0.001 messages per second with its value of the header `token`"), "{said}");
    let (log, said) = denied("withheld_text", "'source'", "dropped = \"withheld\"", "text");
    assert!(!log.contains("hunter2") && !said.contains("hunter2"), "{log}\n{said}");
    assert_eq!(log.matches("] (withheld, bytes: 16)").count(), 2, "{log}");
}

#[test]
fn an_operator_may_want_dropped_messages_as_they_are() {
    let (log, said) = denied("raw", "{ header = \"token\" }", "dropped = \"raw\"", "json");
    assert_eq!(log.matches("password hunter2").count(), 2, "{log}");
    assert!(!said.contains("hunter2"), "{said}");
}
