//! The example of an embedder runs, and prints what the guide says.

use std::process::Command;

use hookrail_tests::{check_gateway, gateway, load, plugin, root, tmp};

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_program_with_points_of_its_own_prints_what_the_guide_says() {
    let printed = output(&mut Command::new(gateway()));
    let guide = std::fs::read_to_string(root().join("docs/guide/embedding.md")).unwrap();
    let (_, shown) = guide.rsplit_once("cargo run --release -p gateway\n").unwrap();
    assert_eq!(printed, shown.split("```").next().unwrap());
}

#[test]
fn the_embedder_of_the_readme_prints_what_the_readme_says() {
    let printed = output(Command::new(load()).arg(plugin("hello")));
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, shown) = readme.split_once("--example load target/release/libhookrail_hello.so\n").unwrap();
    assert_eq!(printed, shown.split("```").next().unwrap());
}

/// The checks that did not pass, and how they ended, with the rest of their lines.
fn checked(config: &str, name: &str) -> (bool, Vec<(String, String)>) {
    let file = tmp().join(name);
    std::fs::write(&file, config).unwrap();
    let library = gateway().with_file_name("libgateway_plugin.so");
    let output = Command::new(check_gateway()).arg(library).arg(&file).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let parts = printed.lines().filter_map(|line| {
        let (check, rest) = line.split_once(": ")?;
        (!rest.starts_with("passed: ")).then(|| (check.to_owned(), rest.to_owned()))
    });
    assert!(printed.lines().count() > 40, "{printed}{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), parts.collect())
}

#[test]
fn a_program_with_points_of_its_own_checks_plugins_for_them() {
    let config = "[plugins.house-rules.config]\nclosed = [\"/admin\"]\nusers = { ada = \"lovelace\" }\n";
    let (is_good, rest) = checked(config, "check_gateway_good.toml");
    let names: Vec<_> = rest.iter().map(|(name, _)| &**name).collect();
    assert!(is_good, "{rest:?}");
    // It has neither sources nor sinks.
    let of_endpoints = ["endpoints", "hostile-endpoints", "accept-free", "endpoints-end", "unload-endpoints"];
    let others: Vec<_> = names.iter().filter(|name| !of_endpoints.contains(name)).collect();
    assert_eq!(others, [&"payload-memory", &"state-round-trip", &"nested-dispatch"], "{rest:?}");
    assert_eq!(names.len(), others.len() + of_endpoints.len(), "{rest:?}");
    assert!(rest.iter().all(|(_, how)| how.starts_with("skipped: ")), "{rest:?}");
}

#[test]
fn the_page_about_checks_shows_how_that_program_states_its_points() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let page = read("docs/check.md");
    let (_, shown) = page.split_once("```rust\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    assert!(read("host/check/examples/check_gateway.rs").contains(shown), "{shown}");
}

#[test]
fn what_such_a_plugin_does_wrong_fails_there() {
    // Its configuration has two keys, and both are needed.
    let (is_good, rest) = checked("[plugins.house-rules.config]\nclosed = []\n", "check_gateway_bad.toml");
    assert!(!is_good);
    assert!(rest.iter().any(|(name, how)| name == "starts" && how.starts_with("failed: ")), "{rest:?}");
}
