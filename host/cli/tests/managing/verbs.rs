//! What is installed, by the program: its verbs, what they refuse, and disks that are full or read-only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use hookrail_tests::cli::stocked;
use hookrail_tests::cli::stocked::Stocked;
use hookrail_tests::cli::{run, text};
use hookrail_tests::may_mount;
use serde_json::Value;

/// Ours of those that are listed: beside it stand those that came with the program.
fn screen(listed: &Value) -> Option<&Value> {
    listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == "screen")
}

#[test]
fn a_package_is_installed_enabled_and_uninstalled() {
    let home = Stocked::new("store_verbs");
    assert!(home.ok(&["plugin", "validate", "screen-1.0.0.hrp"]).contains("works with this host, signed by Jane"));
    let before = home.all();
    let dry = home.json(&["plugin", "install", "screen-1.0.0.hrp", "--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["metadata"]["name"]), (&true.into(), &"screen".into()));
    assert!(home.all() == before);

    let output = home.run(&["plugin", "install", "screen-1.0.0.hrp"]);
    assert!(text(&output.stdout).starts_with("screen 1.0.0 installed, signed by Jane"));
    let said = text(&output.stderr);
    assert!(said.contains("fully trusted") && said.contains("plugin enable screen"), "{said}");
    assert_eq!(home.ok(&["plugin", "enable", "screen"]), "screen 1.0.0, stopped\n");
    assert_eq!(home.json(&["plugin", "enable", "screen"])["changed"], false);

    home.ok(&["plugin", "install", "screen-1.1.0.hrp"]);
    let output = home.run(&["plugin", "list", "--json"]);
    assert!(text(&output.stderr).contains("no host is running"), "{}", text(&output.stderr));
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let plugin = screen(&listed).unwrap();
    let installed = &plugin["installed"];
    assert_eq!((&plugin["version"], &installed["previous"]), (&"1.1.0".into(), &"1.0.0".into()));
    assert_eq!((&plugin["status"], &plugin["health"]), (&"stopped".into(), &"good".into()));
    assert_eq!((&installed["kind"], &installed["enabled"]), (&"external".into(), &true.into()));
    assert_eq!(installed["signature"], "signed");
    assert_eq!(home.json(&["plugin", "rollback", "screen"])["version"], "1.0.0");
    let shown = home.ok(&["plugin", "show", "screen"]);
    assert!(shown.contains("package, signed by Jane") && shown.contains("before it 1.1.0, enabled"), "{shown}");

    home.ok(&["plugin", "disable", "screen"]);
    assert_eq!(screen(&home.json(&["plugin", "list", "--verify"])).unwrap()["status"], "disabled");
    assert_eq!(home.json(&["plugin", "uninstall", "screen"])["version"], "1.0.0");
    assert!(screen(&home.json(&["plugin", "list"])).is_none());
    home.ok(&["plugin", "uninstall", "screen", "--purge", "--yes"]);
}

#[test]
fn refusals_say_what_to_do() {
    let home = Stocked::new("store_refused");
    home.ok(&["plugin", "install", "screen-1.1.0.hrp"]);
    let before = home.all();
    home.refused(&["plugin", "install", "screen-1.1.0.hrp"], "HR0821", 8);
    let said = home.refused(&["plugin", "install", "screen-1.0.0.hrp"], "HR0823", 8);
    assert!(said.contains("--downgrade"), "{said}");
    home.refused(&["plugin", "rollback", "screen"], "HR0825", 8);
    for verb in ["enable", "disable", "rollback", "uninstall"] {
        home.refused(&["plugin", verb, "none"], "HR0103", 3);
    }
    home.refused(&["plugin", "install", "none.hrp"], "HR0501", 3);
    home.refused(&["plugin", "install", "me.pub"], "HR0810", 7);
    home.refused(&["plugin", "validate", "me.pub"], "HR0810", 7);
    let said = home.refused(&["plugin", "install", "screen-1.0.0.so"], "HR0801", 7);
    assert!(said.contains("it is a library; `hookrail pack` makes a package of it"), "{said}");
    let said = home.refused(&["plugin", "upgrade", "screen", "screen-1.2.0.so"], "HR0625", 2);
    assert!(said.contains("`hookrail plugin replace screen screen-1.2.0.so`"), "{said}");
    let said = home.refused(&["plugin", "replace", "screen", "screen-1.2.0.hrp"], "HR0626", 2);
    assert!(said.contains("`hookrail plugin upgrade screen screen-1.2.0.hrp`"), "{said}");
    home.refused(&["trust", "revoke", "0123456789ABCDEF", "--reason", "none"], "HR0620", 2);
    assert!(home.all() == before);
    home.ok(&["plugin", "install", "screen-1.0.0.hrp", "--downgrade"]);
    let said = home.refused(&["plugin", "install", "screen-1.1.0.hrp"], "HR0827", 8);
    assert!(said.contains("`hookrail plugin rollback screen`"), "as it is to be typed: {said}");
    for wrong in [&["allow", "screen", "--sha256", "00"][..], &["allow", "screen-1.0.0"], &["install"]] {
        assert_eq!(home.run(&[&["plugin"], wrong].concat()).status.code(), Some(2));
    }
}

#[test]
fn a_file_that_is_allowed_needs_no_signature() {
    let home = Stocked::new("store_allowed");
    let unsigned = home.home.with_file_name("screen-1.0.0.hrp");
    fs::copy(stocked::packages().join("screen-1.0.0.hrp"), &unsigned).unwrap();
    let unsigned = unsigned.to_str().unwrap();
    home.refused(&["plugin", "install", unsigned], "HR0810", 7);
    let sum = run(Command::new("sha256sum").arg(unsigned), b"");
    let sum = text(&sum.stdout).split(' ').next().unwrap();
    let long = home.run(&["plugin", "allow", "screen-1.0.0", "--sha256", sum, "--for", "1441m"]);
    assert_eq!(long.status.code(), Some(2));
    home.ok(&["plugin", "allow", "screen-1.0.0", "--sha256", sum, "--for", "1h"]);
    assert!(home.ok(&["trust", "list"]).contains(&format!(": screen-1.0.0, SHA-256 {sum}\n")));
    assert_eq!(home.json(&["trust", "list"])["allowances"][0]["sha256"], sum);
    assert!(home.ok(&["plugin", "install", unsigned]).contains("allowed by you"));
    assert_eq!(screen(&home.json(&["plugin", "list"])).unwrap()["installed"]["signature"], "unsigned");
    assert_eq!(home.json(&["trust", "list"])["allowances"], serde_json::json!([]), "it is used up");
    home.ok(&["plugin", "uninstall", "screen", "--purge", "--yes"]);
    home.refused(&["plugin", "install", unsigned], "HR0810", 7);
}

#[test]
fn a_second_process_is_told_that_another_one_is_at_it() {
    let home = Stocked::new("store_locked");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let locked = hookrail::package::Home::open(&home.home).unwrap();
    let lock = locked.lock().unwrap();
    for verb in [&["install", "screen-1.1.0.hrp"][..], &["enable", "screen"], &["uninstall", "screen"]] {
        let said = home.refused(&[&["plugin"], verb].concat(), "HR0812", 75);
        let who = format!("the process {} is changing it right now", std::process::id());
        assert!(said.contains(&who) && said.contains("wait until that is over"), "{said}");
    }
    let said = home.run(&["plugin", "enable", "screen", "--json"]);
    assert!(text(&said.stderr).contains("\"retryable\":true"), "{}", text(&said.stderr));
    // Who only looks does not wait.
    home.ok(&["plugin", "list"]);
    drop(lock);
    home.ok(&["plugin", "enable", "screen"]);
}

#[test]
fn a_verifying_list_tells_changed_files_by_its_exit_code() {
    let home = Stocked::new("store_verify");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "list", "--verify"]);
    fs::write(home.home.join("store/screen/1.0.0/README.md"), "another").unwrap();
    home.ok(&["plugin", "list"]);
    let listed = home.run(&["plugin", "list", "--verify"]);
    assert_eq!(listed.status.code(), Some(7));
    assert!(text(&listed.stdout).contains("modified"));
}

#[test]
fn revoking_a_key_tells_what_it_signed() {
    let home = Stocked::new("store_revoked");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let enabled = home.run(&["plugin", "enable", "screen"]);
    assert!(text(&enabled.stderr).contains("no host is running: it is loaded when one starts"));
    let keys = home.ok(&["trust", "list"]);
    let key = keys.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    let revoked = home.run(&["trust", "revoke", key, "--reason", "lost", "--yes"]);
    let said = text(&revoked.stderr);
    assert!(said.contains("it signed screen, which no host starts with any more"), "{said}");
    home.refused(&["run"], "HR0814", 7);
    home.ok(&["plugin", "disable", "screen"]);
    home.ok(&["run"]);
}

#[test]
fn a_key_is_revoked_even_if_the_store_cannot_be_read() {
    let home = Stocked::new("store_revoked_blindly");
    let keys = home.ok(&["trust", "list"]);
    let key = keys.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    fs::write(home.home.join("state.json"), "{").unwrap();
    let revoked = home.run(&["trust", "revoke", key, "--reason", "lost", "--yes"]);
    let said = text(&revoked.stderr);
    assert!(revoked.status.success() && said.contains("cannot list what it signed"), "{said}");
    assert!(home.ok(&["trust", "list"]).contains("lost"));
}

#[test]
fn a_store_that_others_can_write_is_refused() {
    let home = Stocked::new("store_open");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let store = home.home.join("store");
    fs::set_permissions(&store, fs::Permissions::from_mode(0o770)).unwrap();
    for verb in [&["list"][..], &["enable", "screen"], &["install", "screen-1.1.0.hrp"]] {
        let said = home.refused(&[&["plugin"], verb].concat(), "HR0813", 7);
        assert!(said.contains("chmod go-w"), "{said}");
    }
}

/// In a mount namespace of its own: a home on a disk of so many kilobytes.
#[test]
fn a_full_disk_and_one_that_is_read_only_leave_all_as_it_was() {
    if !may_mount() {
        return;
    }
    let home = Stocked::new("store_disk");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let disk = home.home.with_file_name("disk");
    fs::create_dir(&disk).unwrap();
    // What the program says is between lines of our own.
    let script = r#"
        mount -t tmpfs -o size=1m,mode=700 none "$1" || exit
        cp -a "$2/." "$1"; cd "$3"; export HOOKRAIL_HOME="$1"
        dd if=/dev/zero of="$1/filler" bs=1k 2>/dev/null; cp -a "$1" "$4"
        "$0" plugin install screen-1.1.0.hrp; echo "install: $?" >&2
        "$0" plugin enable screen; echo "enable: $?" >&2
        diff -r "$1" "$4" >&2; echo "full: $?" >&2
        rm "$1/filler"; rm "$4/filler"
        mount -o remount,ro "$1" || exit
        "$0" plugin install screen-1.1.0.hrp; echo "install: $?" >&2
        "$0" plugin uninstall screen; echo "uninstall: $?" >&2
        "$0" plugin list --verify; echo "list: $?" >&2
        diff -r "$1" "$4" >&2; echo "read-only: $?" >&2
        mount -o remount,rw "$1"
        "$0" plugin install screen-1.1.0.hrp; echo "at last: $?" >&2
    "#;
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_hookrail")]);
    command.args([&disk, &home.home, stocked::packages(), &home.home.with_file_name("before")]);
    let output = run(&mut command, b"");
    let said = text(&output.stderr);
    let expected = [
        "No space left on device",
        "fix: free some space",
        "install: 1",
        "enable: 1",
        "full: 0",
        "Read-only file system",
        "fix: choose another directory, or make that file system writable",
        "install: 1",
        "uninstall: 1",
        "list: 0",
        "read-only: 0",
        "at last: 0",
    ];
    let mut rest = said;
    for line in expected {
        let at = rest.find(line).unwrap_or_else(|| panic!("no `{line}` in: {said}"));
        rest = &rest[at + line.len()..];
    }
}

/// What is required and would be absent is an open filter.
#[test]
fn a_required_plugin_that_is_disabled_keeps_a_run_from_starting() {
    let home = Stocked::new("required");
    let directory = home.home.parent().unwrap();
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    fs::write(directory.join("hookrail.toml"), "[plugins.screen]\nrequired = true\n").unwrap();
    let go = || run(home.command(&["run"]).current_dir(directory), b"confidential\n");
    let refused = go();
    assert!(refused.status.code() == Some(8) && refused.stdout.is_empty(), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("error[HR0831]"), "{}", text(&refused.stderr));
    home.ok(&["plugin", "enable", "screen"]);
    let ran = go();
    assert!(ran.status.success() && ran.stdout.is_empty(), "{}", text(&ran.stderr));
}

/// An allowance lasts a day at most: one that ends later is from a clock that was wrong.
#[test]
fn an_allowance_made_under_a_wrong_clock_allows_nothing() {
    let home = Stocked::new("store_clock");
    let unsigned = home.home.with_file_name("screen-1.0.0.hrp");
    fs::copy(stocked::packages().join("screen-1.0.0.hrp"), &unsigned).unwrap();
    let unsigned = unsigned.to_str().unwrap();
    let sum = run(Command::new("sha256sum").arg(unsigned), b"");
    let sum = text(&sum.stdout).split(' ').next().unwrap().to_owned();
    home.ok(&["plugin", "allow", "screen-1.0.0", "--sha256", &sum, "--for", "1h"]);
    let file = home.home.join("state.json");
    let state: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for until in ["2099-01-01T00:00:00Z", "1970-01-02T00:00:00Z", "9999-12-31T23:59:59Z"] {
        let mut wrong = state.clone();
        wrong["allowances"][0]["until"] = until.into();
        fs::write(&file, wrong.to_string()).unwrap();
        assert_eq!(home.json(&["trust", "list"])["allowances"], serde_json::json!([]), "{until}");
        home.refused(&["plugin", "install", unsigned], "HR0810", 7);
    }
    fs::write(&file, state.to_string()).unwrap();
    home.ok(&["plugin", "install", unsigned]);
}
