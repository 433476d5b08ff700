//! `hookrail inspect` and `plugin show`: the sources and sinks of a plugin, from its note alone.

use hookrail::package::{Build, Builder, Compatibility, Content, Metadata, Target, libc_here, write};
use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::specimens::c;
use serde_json::{Value, json};

/// The lines of the table of endpoints, each without the room between its columns.
fn endpoints(arguments: &[&str]) -> Vec<String> {
    let home = directory("inspect_home");
    let mut command = hookrail(arguments);
    let plugins = hookrail_tests::plugin("tail");
    command.env("HOOKRAIL_HOME", &home).env("HOOKRAIL_PLUGINS", plugins.parent().unwrap());
    let output = run(&mut command, b"");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    let lines = text(&output.stdout).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.skip_while(|line| line != "endpoint name guarantee").skip(1).collect()
}

const OF_SPECIMEN: [&str; 2] = ["source numbers at-least-once", "sink lines at-least-once"];

#[test]
fn the_endpoints_of_a_library_are_shown_and_those_of_none_are_not() {
    assert_eq!(endpoints(&["inspect", c("sends_and_takes").to_str().unwrap()]), OF_SPECIMEN);
    assert_eq!(endpoints(&["inspect", c("well_behaved").to_str().unwrap()]), [""; 0]);
}

#[test]
fn the_endpoints_of_a_package_are_shown_and_in_its_json() {
    let library = c("sends_and_takes");
    let note = hookrail::inspect(&library).unwrap().note;
    let (version, any) = (note.version.parse().unwrap(), || "~> 1.0".parse().unwrap());
    let builder = Builder::new("Jane", "jane@example.org");
    let mut draft = Metadata::new(note, version, builder, Compatibility::new(any(), any()));
    draft.description = "Sends numbers.".into();
    draft.built_at = "2026-11-21T10:20:30Z".into();
    draft.authors = vec!["Jane".into()];
    draft.source = "https://example.org/numbers".into();
    draft.functionality = vec!["transport".to_owned().try_into().unwrap()];
    draft.targets = vec![Build::new(Target::HERE, libc_here(), "lib/a.so".parse().unwrap())];
    let contents = vec![Content::new("lib/a.so".parse().unwrap(), &library)];
    let (package, _) = write(draft, contents, directory("inspect_package"), None).unwrap();
    let package = package.to_str().unwrap();
    assert_eq!(endpoints(&["inspect", package]), OF_SPECIMEN);
    let output = run(&mut hookrail(&["inspect", "--json", package]), b"");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!([
        { "kind": "source", "name": "numbers", "guarantee": "at-least-once" },
        { "kind": "sink", "name": "lines", "guarantee": "at-least-once" },
    ]);
    assert_eq!(seen["metadata"]["endpoints"], expected);
}

#[test]
fn the_endpoints_of_a_plugin_that_no_host_runs_are_shown() {
    assert_eq!(endpoints(&["plugin", "show", "tail"]), ["source tail at-least-once"]);
}
