//! Secrets from files: only what a configuration file says may name them.

use std::fs;
use std::path::PathBuf;

use hookrail::{Config, Host, Message, MessagePublish, PluginConfig};
use hookrail_tests::scene::patient;
use hookrail_tests::{alone, plugin};
use serde_json::{Value, json};

/// A host that masks what the first of two files has, and the files.
fn masking(test: &str) -> (Host, [PathBuf; 2]) {
    let directory = hookrail_tests::tmp().join(test);
    fs::create_dir_all(&directory).unwrap();
    let files = ["one", "two"].map(|name| {
        let file = directory.join(name);
        fs::write(&file, format!("{name}\n")).unwrap();
        file
    });
    let config = PluginConfig::default().with_config(naming(&files[0]));
    let host = Host::new(patient().with_home(directory.join("home")).with_plugin("mask", config)).unwrap();
    // SAFETY: built from the sources of this repository.
    unsafe { host.load(plugin("mask")).unwrap() };
    (host, files)
}

fn naming(file: &std::path::Path) -> Value {
    json!({ "patterns": [{ "secret_file": file }] })
}

fn masked(host: &Host) -> String {
    let mut message = Message::new("a", "one two");
    let _ = host.point(MessagePublish).unwrap().dispatch(&mut message);
    message.body.to_display().to_string()
}

#[test]
fn what_is_not_of_a_file_names_no_files() {
    alone!();
    let (host, [_, two]) = masking("secrets-of-commands");
    assert_eq!(masked(&host), "*** two");
    let refused = host.reload("mask", &naming(&two)).unwrap_err();
    assert_eq!(refused.code(), "HR0203", "a table is no text: {refused}");
    assert_eq!(masked(&host), "*** two");
}

#[test]
fn what_is_read_again_goes_on_to_the_next_generation_and_is_shown_as_the_file_says_it() {
    alone!();
    let (host, [_, two]) = masking("secrets-of-generations");
    host.reload_of_file("mask", &naming(&two)).unwrap();
    assert_eq!(masked(&host), "one ***");
    assert_eq!(host.configuration("mask").unwrap(), naming(&two));
    // SAFETY: as above.
    unsafe { host.upgrade(&host.plugin("mask").unwrap(), plugin("mask")).unwrap() };
    assert_eq!(masked(&host), "one ***");
    // From now on it is that of a command, which a later generation does not take for that of the file.
    host.reload("mask", &json!({ "patterns": ["on."] })).unwrap();
    assert_eq!(masked(&host), "*** two");
}

/// Also one that was changed before anybody asked.
#[test]
fn what_was_given_is_told_from_what_the_file_has_by_now() {
    alone!();
    let (host, [one, two]) = masking("secrets-given");
    let core = host.core();
    let differs = |file: &PathBuf| core.given_secrets("mask") != hookrail::secrets::fingerprint(&naming(file));
    assert!(!differs(&one) && differs(&two));
    fs::write(&one, "other\n").unwrap();
    assert!(differs(&one));
    let former = host.reload_of_file("mask", &naming(&one)).unwrap();
    assert!(!differs(&one));
    // What it had comes back as it was, whatever the file has.
    core.restore(&former).unwrap();
    assert_eq!(masked(&host), "*** two");
    assert!(differs(&one));
    assert_eq!(host.configuration("mask").unwrap(), naming(&one));
    host.reload("mask", &json!({ "patterns": ["two"] })).unwrap();
    assert_eq!(core.given_secrets("mask"), None);
    let former = host.reload_of_file("mask", &naming(&two)).unwrap();
    core.restore(&former).unwrap();
    assert_eq!(host.configuration("mask").unwrap(), json!({ "patterns": ["two"] }), "that of a command too");
}

#[test]
fn what_a_file_says_by_now_outlives_an_unload() {
    alone!();
    let (host, [_, two]) = masking("secrets-after-unload");
    host.reload_of_file("mask", &naming(&two)).unwrap();
    assert!(host.unload(&host.plugin("mask").unwrap()).unwrap().is_unmapped());
    // SAFETY: built from the sources of this repository.
    unsafe { host.load(plugin("mask")).unwrap() };
    assert_eq!(masked(&host), "one ***");
    assert_eq!(host.configuration("mask").unwrap(), naming(&two));
}

/// What it writes would be shown and kept with them, as nobody has written it.
#[test]
fn a_plugin_does_not_write_a_configuration_with_secrets() {
    alone!();
    let name = "writes-its-configuration";
    let directory = hookrail_tests::tmp().join("secrets-of-own");
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("file");
    fs::write(&file, "/secret/place").unwrap();
    let config = PluginConfig::default().with_config(json!({ "number": 1, "notes": { "secret_file": file } }));
    let host =
        Host::new(Config::default().with_home(directory.join("home")).with_plugin(name, config.clone())).unwrap();
    // SAFETY: our own library.
    unsafe { host.load(hookrail_tests::zoo("writes_its_configuration")).unwrap() };
    let said = |text: &str| {
        let mut message = Message::new("a", text);
        let _ = host.point(MessagePublish).unwrap().dispatch(&mut message);
        message.body.to_display().to_string()
    };
    let refused = said(r#"write {"number":2,"notes":"/secret/place"}"#);
    assert!(refused.contains("Refused(\"HR0832: ") && refused.contains("secrets from files"), "{refused}");
    assert_eq!(host.configuration(name).unwrap(), config.config);
    host.reload(name, &json!({ "number": 3 })).unwrap();
    assert_eq!(said(r#"write {"number":4}"#), "revision 2", "without secrets it does");
}
