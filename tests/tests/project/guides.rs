//! Follows the guides `first-plugin.md` and `state-hand-over.md` as a reader would: their files, in
//! packages of their own, pass their tests, and the libraries they make are loaded and do what the
//! guides say.

use std::fs::{create_dir_all, read_to_string, write};
use std::process::Command;

use hookrail::{Config, Decision, End, Host, Message, MessagePublish};
use hookrail_tests::guide::{Package, files};
use hookrail_tests::{own_target, root, upgrade_example};

#[test]
fn the_first_plugin_of_the_guide_works() {
    let guide = read_to_string(root().join("docs/guide/first-plugin.md")).unwrap();
    let files = files(&guide);
    assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["Cargo.toml", "src/lib.rs", "hookrail.toml"]);
    let package = Package::new("shouting", &guide);
    package.test();
    let library = package.build();

    let host = Host::new(Config::read(package.directory.join("hookrail.toml")).unwrap()).unwrap();
    // SAFETY: the guide's plugin, built above.
    let plugin = unsafe { host.load(library) }.unwrap();
    let publish = host.point(MessagePublish).unwrap();
    assert_eq!(publish.dispatch(&mut Message::new("log", "hello!")).decision(), Decision::Passed);
    let outcome = publish.dispatch(&mut Message::new("log", "hello!!!"));
    assert_eq!(outcome.decision(), Decision::Denied(406));
    let denial = host.denial(&outcome).unwrap().to_string();
    assert_eq!(denial, "denied by shouting/count with code 406: 3 exclamation marks, 2 are allowed");
    assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
}

#[test]
fn the_guide_on_faults_shows_the_defaults() {
    let guide = read_to_string(root().join("docs/guide/faults.md")).unwrap();
    let (_, keys) = guide.split_once("[quarantine]").unwrap();
    let directory = own_target("guide");
    create_dir_all(&directory).unwrap();
    let file = directory.join("quarantine.toml");
    write(&file, format!("[quarantine]{}", keys.split("```").next().unwrap())).unwrap();
    let shown = Config::read(&file).unwrap().quarantine;
    assert_eq!(format!("{shown:?}"), format!("{:?}", Config::default().quarantine));
}

#[test]
fn the_hand_over_of_the_guide_works() {
    let guide = read_to_string(root().join("docs/guide/state-hand-over.md")).unwrap();
    let files = files(&guide);
    assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["Cargo.toml", "src/lib.rs"]);
    let package = Package::new("tally", &guide);
    package.test();
    let library = package.build();
    let output = Command::new(upgrade_example()).args([&library, &library]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (_, shown) = guide.split_once("--example upgrade -- libtally.so libtally.so\n").unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), shown.split("```").next().unwrap());

    let (_, keys) = guide.split_once("```toml\n[upgrade]").unwrap();
    let file = package.directory.join("upgrade.toml");
    write(&file, format!("[upgrade]{}", keys.split("```").next().unwrap())).unwrap();
    let shown = Config::read(&file).unwrap().upgrade;
    let default = Config::default().upgrade;
    assert_eq!(format!("{shown:?}"), format!("{default:?}"), "the guide shows the defaults");
}
