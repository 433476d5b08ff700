//! The licences that the release archive carries: of what is linked, and of nothing else.

use std::process::Command;

use hookrail_tests::licences;

#[test]
fn the_licences_are_those_of_what_is_linked() {
    let output = Command::new(licences()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (list, texts) = text.split_once(&"=".repeat(80)).unwrap();
    let licence = |name: &str| list.lines().find_map(|line| line.strip_prefix(name)?.split_once(": "));
    // Of the host, of the program, of a plugin, and of what plugins are made with.
    for (name, expected) in [
        ("libloading ", "ISC"),
        ("clap_complete ", "MIT OR Apache-2.0"),
        ("regex-automata ", "MIT OR Apache-2.0"),
        ("comfy-table ", "MIT"),
        ("rmp-serde ", "MIT"),
    ] {
        let (_, licence) = licence(name).unwrap_or_else(|| panic!("{name}is linked, and is not listed"));
        assert_eq!(licence, expected, "{name}");
    }
    // Of tests, of a build script, a macro, and ourselves.
    for name in ["proptest ", "cc ", "serde_derive ", "hookrail "] {
        assert!(licence(name).is_none(), "{name}is not linked, and is listed");
    }
    assert!(texts.contains("Permission is hereby granted") && texts.contains("Apache License"));
}
