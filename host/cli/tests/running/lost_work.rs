//! What a plugin has not done for a message, although the message went through, is counted.

use std::fs;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{directory, hookrail, run, summary, text};
use hookrail_tests::plugin;

/// A run that logs to a full disk until its log is quarantined and 100 more messages have passed; its exit code and what
/// it says at the end.
fn quarantined(pause: &str, more: &[&str]) -> (Option<i32>, Vec<String>) {
    let directory = directory("lost_work");
    let config =
        format!("[quarantine]\nwithin = \"1h\"\npause = {pause:?}\n[plugins.file-log.config]\npath = \"/dev/full\"\n");
    fs::write(directory.join("hookrail.toml"), config).unwrap();
    let mut command = hookrail(&["run", "--no-control", "--plugin"]);
    let mut live = Live::start(command.arg(plugin("file-log")).args(more).current_dir(&directory));
    (0..10).for_each(|_| live.send("line"));
    live.said.wait_for("file-log/write is quarantined: ");
    (0..100).for_each(|_| live.send("line"));
    let (code, out, said) = live.end();
    assert_eq!(out.len(), 110);
    (code, said)
}

#[test]
fn messages_that_a_quarantined_plugin_has_not_seen_are_counted_beside_its_faults() {
    let (code, said) = quarantined("0s", &[]);
    assert_eq!(code, Some(6));
    assert!(said.contains(&"in 110   out 110   denied 0   faults 10   missed 100".into()), "{said:#?}");
    assert!(said.iter().any(|line| line.split_whitespace().eq(["file-log/write", "message.delivered", "10", "100"])));
}

#[test]
fn a_message_on_which_a_quarantined_plugin_is_tried_again_is_a_fault_or_missed_and_not_both() {
    let (code, said) = quarantined("1ms", &["--json"]);
    assert_eq!(code, Some(6));
    let summary: serde_json::Value = serde_json::from_str(said.last().unwrap()).unwrap();
    let [faults, missed] = ["faults", "missed"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!((faults + missed, &summary["faults_of"][0]["missed"]), (110, &missed.into()), "{summary}");
}

#[test]
fn a_run_without_faults_has_missed_nothing() {
    let output = run(hookrail(&["run", "--no-control", "--json", "--plugin"]).arg(plugin("hello")), b"a\nb\n");
    let summary = summary(&output);
    assert_eq!((&summary["faults"], &summary["missed"], output.status.code()), (&0.into(), &0.into(), Some(0)));
    let output = run(&mut hookrail(&["run", "--no-control"]), b"a\n");
    assert!(!text(&output.stderr).contains("missed"), "{}", text(&output.stderr));
}
