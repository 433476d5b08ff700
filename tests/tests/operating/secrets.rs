//! Secrets from files: only what a configuration file says may name them.

use std::fs;
use std::path::PathBuf;

use hookrail::{Config, Host, Message, MessagePublish, PluginConfig};
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
    let host = Host::new(Config::default().with_home(directory.join("home")).with_plugin("mask", config)).unwrap();
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
