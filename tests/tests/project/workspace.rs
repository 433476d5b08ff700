//! The shape of the repository that `cargo run --release -- demo` relies on, and what must not be in it.

use std::collections::BTreeSet;
use std::process::Command;

use hookrail_tests::root;
use serde_json::Value;

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).current_dir(root()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps"])).unwrap()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().unwrap().iter()
}

/// `cargo run` at the root then builds every default member, plugins included.
#[test]
fn default_members_hold_exactly_one_program() {
    let metadata = metadata();
    let default = metadata["workspace_default_members"].as_array().unwrap();
    let programs: Vec<_> = packages(&metadata)
        .filter(|package| default.contains(&package["id"]))
        .flat_map(|package| package["targets"].as_array().unwrap())
        .filter(|target| target["kind"][0] == "bin")
        .map(|target| target["name"].as_str().unwrap())
        .collect();
    assert_eq!(programs, ["hookrail"]);
    assert!(packages(&metadata).all(|package| package["default_run"].is_null()));
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("[package]"), "the root is a virtual workspace");
}

#[test]
fn every_plugin_is_a_cdylib_and_a_default_member() {
    let metadata = metadata();
    let default = metadata["workspace_default_members"].as_array().unwrap();
    let mut names = Vec::new();
    for package in
        packages(&metadata).filter(|package| package["name"].as_str().unwrap().starts_with("hookrail-plugin-"))
    {
        let name = package["name"].as_str().unwrap();
        assert!(default.contains(&package["id"]), "{name}");
        let libraries: Vec<_> =
            package["targets"].as_array().unwrap().iter().filter(|target| target["kind"][0] == "cdylib").collect();
        assert_eq!(libraries.len(), 1, "{name}");
        let id = name.trim_start_matches("hookrail-plugin-").replace('-', "_");
        assert_eq!(libraries[0]["name"], format!("hookrail_{id}"), "{name}");
        names.push(name.to_owned());
    }
    assert_eq!(names.len(), std::fs::read_dir(root().join("plugins")).unwrap().count());
}

/// The walls between the crates of the host, lowest first, as `docs/architecture.md` gives them: what each
/// stands on. What is below that it may use too.
const WALLS: &[(&str, &[&str])] = &[
    ("hookrail-abi-derive", &[]),
    ("hookrail-abi", &["hookrail-abi-derive"]),
    ("hookrail-model", &["hookrail-abi"]),
    ("hookrail-dispatch", &["hookrail-model"]),
    ("hookrail-image", &["hookrail-model"]),
    ("hookrail-loader", &["hookrail-dispatch", "hookrail-image"]),
    ("hookrail-engine", &["hookrail-loader"]),
    ("hookrail-supervise", &["hookrail-model"]),
    ("hookrail-isolate", &["hookrail-engine", "hookrail-supervise"]),
    ("hookrail-package", &["hookrail-image"]),
    ("hookrail-store", &["hookrail-package"]),
    ("hookrail-control", &["hookrail-engine", "hookrail-store"]),
    ("hookrail-stream", &["hookrail-engine"]),
    ("hookrail", &["hookrail-control", "hookrail-isolate", "hookrail-stream"]),
];

/// All of our own that a package may use.
fn may_use(name: &str) -> BTreeSet<&'static str> {
    if let Some((_, on)) = WALLS.iter().find(|(wall, _)| *wall == name) {
        return on.iter().flat_map(|below| may_use(below).into_iter().chain([*below])).collect();
    }
    let may: &[&str] = match name {
        // It plays other hosts than ours, too, when it checks a plugin.
        "hookrail-check" => &["hookrail", "hookrail-abi"],
        // `hookrail new` hands out the boundary, completion knows its catalogue.
        "hookrail-cli" => &["hookrail", "hookrail-abi", "hookrail-check", "hookrail-cuttlefish"],
        // Text in, JSON out: it knows of no host, and of no boundary.
        "hookrail-cuttlefish" => &[],
        "gateway" => &["hookrail"],
        "hookrail-tests" => &["hookrail", "hookrail-abi", "hookrail-check", "hookrail-cuttlefish"],
        // Plugins, benchmarks and examples of plugins see the boundary alone.
        _ => &["hookrail-abi"],
    };
    may.iter().copied().collect()
}

/// Absences, not habits: whoever needs what is above a wall has to move it, or himself.
#[test]
fn packages_know_only_what_they_may() {
    let metadata = metadata();
    let mut walls = 0;
    for package in packages(&metadata) {
        let name = package["name"].as_str().unwrap();
        let ours: BTreeSet<_> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            // Tests of a crate may drive the whole to see a part.
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|dependency| dependency.starts_with("hookrail"))
            .collect();
        let may = may_use(name);
        assert!(ours.is_subset(&may), "{name} depends on {ours:?}, and may on {may:?}");
        walls += usize::from(WALLS.iter().any(|(wall, _)| *wall == name));
    }
    assert_eq!(walls, WALLS.len(), "each crate behind a wall is there");
}

/// They are named in the brief of the project, each for what it does best.
#[test]
fn the_packages_named_by_the_user_are_used() {
    let metadata = metadata();
    let uses = |package: &str, name: &str| {
        let package = packages(&metadata).find(|one| one["name"] == package).expect("it is ours");
        package["dependencies"].as_array().unwrap().iter().any(|dependency| dependency["name"] == name)
    };
    for (package, name) in [
        ("hookrail-loader", "libloading"),
        ("hookrail-abi", "abi_stable"),
        ("hookrail-dispatch", "parking_lot"),
        ("hookrail-loader", "once_cell"),
        ("hookrail-model", "tracing"),
        ("hookrail-benches", "criterion"),
    ] {
        assert!(uses(package, name), "{package} uses {name}");
    }
}

/// An embedder of the chain alone: small, and with no runtime in it, asynchronous or of a language.
#[test]
fn the_bare_host_stays_small_and_has_no_runtime() {
    let tree = cargo(&["tree", "--package=hookrail", "--no-default-features", "--edges=normal", "--prefix=none"]);
    let crates: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !name.is_empty() && !name.starts_with("hookrail"))
        .collect();
    println!("crates below hookrail with default features off: {}", crates.len());
    assert!(crates.len() <= 60, "{}: {crates:?}", crates.len());
    let with_all = cargo(&["tree", "--package=hookrail", "--all-features", "--edges=normal", "--prefix=none"]);
    for absent in ["tokio", "hyper", "clap", "async-std", "openssl-sys", "mlua", "pyo3", "v8", "wasmtime", "wasmer"] {
        assert!(!with_all.lines().any(|line| line.starts_with(&format!("{absent} v"))), "host knows {absent}");
    }
}

/// Where a report goes and how a child is started is the program's business.
#[test]
fn the_checks_know_no_arguments_and_no_terminal() {
    let tree = cargo(&["tree", "--package=hookrail-check", "--edges=normal", "--prefix=none"]);
    for absent in ["clap", "comfy-table", "indicatif", "rpassword"] {
        assert!(!tree.lines().any(|line| line.starts_with(&format!("{absent} v"))), "hookrail-check knows {absent}");
    }
}
