//! What a plugin that writes its configuration leaves: nothing after `hookrail test`, and what the file says by now after
//! an upgrade.

use std::fs;
use std::path::{Path, PathBuf};

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked::{Stocked, TARGET, packages};
use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::zoo;

const PLUGIN: &str = "writes-its-configuration";

/// A package of it with that version, which has as many characters as the one that it is built with.
fn packed(test: &str, version: &str) -> PathBuf {
    let directory = directory(&format!("{test}_{version}"));
    let mut library = fs::read(zoo("writes_its_configuration")).unwrap();
    let (of, by) =
        (format!(r#""name":"{PLUGIN}","version":"1.0.0""#), format!(r#""name":"{PLUGIN}","version":"{version}""#));
    let at = library.windows(of.len()).position(|window| window == of.as_bytes()).expect("its note says so");
    library[at..at + of.len()].copy_from_slice(by.as_bytes());
    fs::write(directory.join("library.so"), library).unwrap();
    let manifest = fs::read_to_string(packages().join("Cargo.toml")).unwrap();
    let line = |key: &str| manifest.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    let manifest = manifest.replace(&line("name"), &format!("name = {PLUGIN:?}"));
    let manifest = manifest.replace(&line("version"), &format!("version = {version:?}"));
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(directory.join("src")).unwrap();
    fs::write(directory.join("src/lib.rs"), "//! Nobody builds it here.\n").unwrap();
    let (library, key) = (format!("{TARGET}=library.so"), packages().join("me.key"));
    let arguments = ["pack", ".", "--lib", &library, "--sign", "--key", key.to_str().unwrap()];
    let output = run(hookrail(&arguments).current_dir(&directory), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    directory.join(format!("{PLUGIN}-{version}.hrp"))
}

/// A home in which it is enabled, and a directory for files.
fn enabled(test: &str) -> (Stocked, PathBuf) {
    let home = Stocked::new(test);
    home.ok(&["plugin", "install", packed(test, "1.0.0").to_str().unwrap()]);
    home.ok(&["plugin", "enable", PLUGIN]);
    (home, directory(&format!("{test}_files")))
}

fn configure(directory: &Path, number: u32) {
    let config = format!("[plugins.{PLUGIN}.config]\nnumber = {number}\n");
    fs::write(directory.join("hookrail.toml"), config).unwrap();
}

#[test]
fn a_trial_writes_no_configuration_into_the_home() {
    let (home, directory) = enabled("trial_writes");
    let case = |name: &str| {
        let messages = r#"messages = ['write {"number":9}', "stored"]"#;
        let expect = r#"expect = ["revision 1", '1 {"number":9}']"#;
        format!("[[cases]]\nname = {name:?}\n{messages}\n{expect}\n")
    };
    fs::write(directory.join("tests.toml"), case("one") + &case("another, as if there had been none")).unwrap();
    let before = home.all();
    let output = run(home.command(&["test", "tests.toml"]).current_dir(&directory), b"");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && said.contains("2 passed, 0 failed"), "{said}");
    assert_eq!(home.all(), before);
}

#[test]
fn what_the_file_says_by_now_outlives_an_upgrade_and_an_unload() {
    let (home, directory) = enabled("reloaded_and_upgraded");
    configure(&directory, 1);
    let mut serving = Live::start(home.command(&["run"]).current_dir(&directory));
    assert_eq!(serving.through("number"), "1");
    configure(&directory, 2);
    let done = home.ok(&["config", "reload"]);
    assert!(done.contains(&format!("{PLUGIN} has another configuration")), "{done}");
    assert_eq!(serving.through("number"), "2");
    assert_eq!(home.json(&["config", "get", PLUGIN])["value"]["number"], 2);
    home.ok(&["plugin", "upgrade", PLUGIN, packed("reloaded_and_upgraded", "1.1.0").to_str().unwrap()]);
    assert_eq!(serving.through("number"), "2");
    home.ok(&["plugin", "rollback", PLUGIN]);
    assert_eq!(serving.through("number"), "2");
    home.ok(&["plugin", "unload", PLUGIN]);
    home.ok(&["plugin", "start", PLUGIN]);
    assert_eq!(serving.through("number"), "2");
    let done = home.ok(&["config", "reload"]);
    assert!(done.contains("nothing differs"), "{done}");
    serving.interrupt();
    serving.end();
}
