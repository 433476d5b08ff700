//! What a host would refuse is refused at once where no host runs; and `validate`, a dry run and `install` agree.

use std::fs;
use std::path::{Path, PathBuf};

use hookrail_tests::cli::stocked::{Stocked, TARGET, packages};
use hookrail_tests::cli::{directory, hookrail, run, text};

/// The package `screen-1.2.0`, signed with the key in that file, with a library that is built for `revision` of its
/// point.
fn packed(test: &str, revision: u32, key: &Path) -> PathBuf {
    let directory = directory(test);
    let library = fs::read(packages().join("screen-1.2.0.so")).unwrap();
    let library = replaced(library, "\"revision\": 1", &format!("\"revision\": {revision}"));
    let file = directory.join("library.so");
    fs::write(&file, library).unwrap();
    let manifest = fs::read_to_string(packages().join("Cargo.toml")).unwrap();
    let version = manifest.lines().find(|line| line.starts_with("version")).unwrap();
    let manifest = manifest.replace(version, "version = \"1.2.0\"");
    fs::write(directory.join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(directory.join("src")).unwrap();
    fs::write(directory.join("src/lib.rs"), "//! Nobody builds it here.\n").unwrap();
    let library = format!("{TARGET}={}", file.display());
    let arguments = ["pack", ".", "--lib", &library, "--sign", "--key", key.to_str().unwrap()];
    let output = run(hookrail(&arguments).current_dir(&directory), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    directory.join("screen-1.2.0.hrp")
}

fn replaced(mut bytes: Vec<u8>, of: &str, by: &str) -> Vec<u8> {
    assert_eq!(of.len(), by.len());
    let at = bytes.windows(of.len()).position(|window| window == of.as_bytes()).expect("it is there");
    bytes[at..at + of.len()].copy_from_slice(by.as_bytes());
    bytes
}

/// The code of the error of a command; nothing if it succeeds.
fn code(home: &Stocked, arguments: &[&str]) -> String {
    let said = home.run(arguments).stderr;
    let code = text(&said).split_once("error[").and_then(|(_, rest)| rest.split_once(']'));
    code.map(|(code, _)| code.to_owned()).unwrap_or_default()
}

#[test]
fn what_cannot_start_is_not_enabled() {
    let home = Stocked::new("foreseen");
    let said = home.refused(&["plugin", "enable", "throttle"], "HR0203", 2);
    assert!(said.contains("\"rate\" is a required property"), "{said}");
    assert!(said.contains("`hookrail config set throttle KEY=VALUE` sets it"), "{said}");
    home.ok(&["config", "set", "throttle", "rate=5"]);
    home.ok(&["plugin", "enable", "throttle"]);
    // What the hosts' file says goes before what is stored, and is validated in its place.
    let directory = directory("foreseen_files");
    fs::write(directory.join("hookrail.toml"), "[plugins.mask.config]\npatterns = 5\n").unwrap();
    let output = run(home.command(&["plugin", "enable", "mask"]).current_dir(&directory), b"");
    assert!(text(&output.stderr).contains("error[HR0203]: hookrail.toml:1: "), "{}", text(&output.stderr));
    // A library that no host can load.
    let package = packed("foreseen_revision", 9, &packages().join("me.key"));
    home.ok(&["plugin", "install", package.to_str().unwrap()]);
    let said = home.refused(&["plugin", "enable", "screen"], "HR0310", 5);
    assert!(said.contains("it was built for revision 9 of message.publish"), "{said}");
    assert_eq!(home.status(), "disabled");
    let list = directory.join("plugins.toml");
    fs::write(&list, "[plugins.screen]\n").unwrap();
    for how in [&["--dry-run"][..], &[]] {
        home.refused(&[&["plugin", "apply", list.to_str().unwrap()], how].concat(), "HR0310", 5);
    }
}

#[test]
fn a_validation_a_dry_run_and_an_installation_refuse_the_same() {
    let other = directory("foreseen_other").join("other.key");
    let made = run(&mut hookrail(&["keygen", "--no-password", "--key", other.to_str().unwrap()]), b"");
    assert!(made.status.success());
    let me = packages().join("me.key");
    let foreign = packed("foreseen_foreign", 1, &other);
    let unloadable = packed("foreseen_unloadable", 9, &me);
    let damaged = foreign.with_file_name("damaged.hrp");
    let mut bytes = fs::read(packages().join("screen-1.2.0.hrp")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    fs::copy(packages().join("screen-1.2.0.hrp.minisig"), foreign.with_file_name("damaged.hrp.minisig")).unwrap();
    let file = |path: &Path| path.to_str().unwrap().to_owned();
    for (number, (arranged, file, expected)) in [
        (&[][..], "screen-1.2.0.hrp".to_owned(), ""),
        (&["install screen-1.0.0.hrp"], "screen-1.0.0.hrp".into(), "HR0821"),
        (&["install screen-1.0.0.hrp", "install screen-1.1.0.hrp"], "screen-1.0.0.hrp".into(), "HR0827"),
        (&["install screen-1.1.0.hrp"], "screen-1.0.0.hrp".into(), "HR0823"),
        (&["install screen-1.0.0.hrp"], file(&foreign), "HR0824"),
        (&[], "screen-1.0.0.so".into(), "HR0801"),
        (&[], "me.pub".into(), "HR0810"),
        (&[], file(&damaged), "HR0807"),
        (&["install screen-1.0.0.hrp"], file(&unloadable), ""),
        (&["install screen-1.0.0.hrp", "enable screen"], file(&unloadable), "HR0310"),
        (&["install screen-1.0.0.hrp", "damage"], "screen-1.2.0.hrp".into(), "HR0828"),
    ]
    .into_iter()
    .enumerate()
    {
        let home = Stocked::new(&format!("foreseen_{number}"));
        home.ok(&["trust", "add", &other.with_extension("pub").display().to_string(), "--name", "Other"]);
        for verb in arranged {
            if *verb == "damage" {
                home.ok(&["config", "set", "screen", "a=1"]);
                fs::write(home.home.join("config/screen/config.json"), "{").unwrap();
            } else {
                home.ok(&[&["plugin"], &*verb.split(' ').collect::<Vec<_>>()].concat());
            }
        }
        let before = home.all();
        for how in [&["validate"][..], &["install", "--dry-run"]] {
            assert_eq!(code(&home, &[&["plugin"], how, &[&file]].concat()), expected, "{how:?} {file}");
            assert!(home.all() == before, "{how:?} {file} changes something");
        }
        assert_eq!(code(&home, &["plugin", "install", &file]), expected, "{file}");
    }
}
