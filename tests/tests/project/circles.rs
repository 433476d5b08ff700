//! No file of a crate imports one that imports it, straight or by way of others: what belongs together is
//! one file, and what does not has a direction.

use std::path::Path;
use std::process::Command;

use hookrail_tests::circles::circles;
use hookrail_tests::root;
use serde_json::Value;

#[test]
fn no_files_import_each_other() {
    let mut found = Vec::new();
    let mut looked = 0;
    for root in roots() {
        let file = root.strip_prefix(self::root()).unwrap();
        looked += 1;
        let read = |file: &Path| std::fs::read_to_string(self::root().join(file)).ok();
        found.extend(circles(file, &read).iter().map(|circle| format!("{}: {circle}", file.display())));
    }
    assert!(looked > 10, "the crates of the workspace are found");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The roots of all libraries, programs, benchmarks and examples of the workspace.
fn roots() -> Vec<std::path::PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args(["metadata", "--format-version=1", "--no-deps"])
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers in JSON");
    let packages = metadata["packages"].as_array().expect("a workspace has packages");
    let targets = packages.iter().flat_map(|package| package["targets"].as_array().expect("a package has targets"));
    let ours = targets.filter(|target| !["custom-build", "test"].iter().any(|kind| target["kind"][0] == *kind));
    ours.map(|target| target["src_path"].as_str().expect("a target has a root").into()).collect()
}
