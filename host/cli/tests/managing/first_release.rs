//! What the first release has left on disk: a signed package, and a home in which it was installed and configured.
//!
//! `HOOKRAIL_BLESS=1` makes both again; nobody does after the release.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use hookrail_tests::cli::stocked::{Stocked, packages};
use hookrail_tests::cli::{directory, run, text};
use hookrail_tests::root;
use serde_json::{Value, json};

/// The directory with `screen-1.0.0.hrp`, its signature, the key `me.pub`, and the home `home`.
static FROZEN: LazyLock<PathBuf> = LazyLock::new(|| {
    let frozen = root().join("tests/frozen/home-1.0");
    if std::env::var_os("HOOKRAIL_BLESS").is_some() {
        let made = Stocked::new("first_release_made");
        made.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
        made.ok(&["plugin", "enable", "screen"]);
        made.ok(&["config", "set", "screen", "--file", "one.json"]);
        made.ok(&["config", "set", "screen", "--file", "two.json"]);
        let _ = fs::remove_dir_all(&frozen);
        fs::create_dir(&frozen).unwrap();
        for file in ["screen-1.0.0.hrp", "screen-1.0.0.hrp.minisig", "me.pub"] {
            fs::copy(packages().join(file), frozen.join(file)).unwrap();
        }
        copy(&made.home, &frozen.join("home"));
    }
    frozen
});

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    // A checkout may let the group write, which a home must not.
    assert!(Command::new("chmod").args(["-R", "go-w"]).arg(to).status().unwrap().success());
}

fn listed(home: &Stocked) -> Value {
    let listed = home.json(&["plugin", "list", "--verify"]);
    listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == "screen").cloned().expect("it is installed")
}

/// The library in the package is for this machine.
fn runs_here() -> bool {
    cfg!(target_arch = "x86_64")
}

#[test]
fn a_home_of_the_first_release_is_read_and_goes_on() {
    let directory = directory("first_release");
    copy(&FROZEN.join("home"), &directory.join("home"));
    let home = Stocked { home: directory.join("home") };
    assert!(home.ok(&["trust", "list"]).contains("Jane"));
    let config = home.json(&["config", "get", "screen"]);
    assert_eq!((&config["value"], &config["revision"]), (&json!({ "limit": "two" }), &2.into()));
    assert_eq!(home.json(&["config", "history", "screen"])[0]["value"], json!({ "limit": "one" }));
    if !runs_here() {
        println!("skipped: the frozen package needs x86_64");
        return;
    }
    let plugin = listed(&home);
    assert_eq!((&plugin["status"], &plugin["installed"]["signature"]), (&"stopped".into(), &"signed".into()));
    let ran = run(&mut home.command(&["run"]), b"fine\nconfidential\n");
    assert!(ran.status.success() && text(&ran.stdout) == "fine\n", "{}", text(&ran.stderr));
    // It can be changed, and what it was goes on.
    home.ok(&["config", "set", "screen", "--file", "one.json"]);
    home.ok(&["plugin", "disable", "screen"]);
    home.ok(&["plugin", "uninstall", "screen"]);
}

#[test]
fn a_package_of_the_first_release_is_installed() {
    let home = Stocked { home: directory("first_package").join("home") };
    let file = |name: &str| FROZEN.join(name).to_str().unwrap().to_owned();
    home.ok(&["trust", "add", &file("me.pub"), "--name", "Jane"]);
    let package = file("screen-1.0.0.hrp");
    assert_eq!(home.json(&["verify", &package])["signed"]["name"], "Jane");
    if !runs_here() {
        println!("skipped: the frozen package needs x86_64");
        return;
    }
    home.ok(&["plugin", "install", &package]);
    assert_eq!(listed(&home)["installed"]["signature"], "signed");
}
