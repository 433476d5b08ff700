//! The example of an embedder runs, and prints what the guide says.

use std::process::Command;

use hookrail_tests::{gateway, load, plugin, root};

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
