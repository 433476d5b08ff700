//! What tests share: their fixtures, and the libraries that they load.
//!
//! `cargo test` does not build a cdylib that no crate depends on, and cargo chooses its path: so the tests ask cargo to
//! build them, and read their paths from its messages.

pub mod blocks;
pub mod cc;
pub mod child;
pub mod circles;
pub mod cli;
pub mod counter;
pub mod executor;
pub mod failing;
pub mod fuzz;
pub mod guide;
pub mod listener;
pub mod own_process;
pub mod parcels;
pub mod probe;
pub mod random;
pub mod raw;
pub mod recorder;
pub mod refused;
pub mod scene;
pub mod soak;
pub mod specimens;
pub mod stocked;
pub mod tasks;
pub mod traffic;
pub mod watched;
pub mod wired;
pub mod worker;

/// What a library can leave behind, as `hookrail check` counts it.
pub use hookrail_check::leftovers;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// The root of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// The library of a prebuilt plugin, for example `mask`.
pub fn plugin(name: &str) -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build(root(), &["--workspace", "--lib"], &[]));
    find(built, &format!("hookrail_{}", name.replace('-', "_")))
}

/// One of the eight libraries of the benchmarks, always optimised.
pub fn work(index: usize) -> PathBuf {
    of_benches(&format!("work_{index}"))
}

/// A library of the benchmarks in one of its two builds, always optimised.
pub fn marked(name: &str, mark: u64) -> PathBuf {
    of_benches(&format!("{name}_{mark}"))
}

/// The library of the benchmarks that logs, always optimised.
pub fn telling() -> PathBuf {
    of_benches("telling")
}

/// The library of the benchmarks that lets messages pass, always optimised.
pub fn passing() -> PathBuf {
    of_benches("passing")
}

/// The library of the benchmarks that allocates, always optimised, with or without counting.
pub fn allocating(counted: bool) -> PathBuf {
    of_benches(if counted { "allocating_counted" } else { "allocating" })
}

fn of_benches(name: &str) -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let marked =
            ["hundred", "marked"].into_iter().flat_map(|name| (1..=2).map(move |mark| format!("{name}_{mark}")));
        let others = ["allocating", "allocating_counted", "passing", "telling"].map(str::to_owned);
        let names: Vec<_> = (0..8).map(|index| format!("work_{index}")).chain(marked).chain(others).collect();
        let examples = names.iter().flat_map(|name| ["--example", name]);
        let arguments: Vec<_> = ["--release", "-p", "hookrail-benches"].into_iter().chain(examples).collect();
        build(root(), &arguments, &[])
    });
    find(built, name)
}

/// The program whose instructions callgrind counts, always optimised.
pub fn count() -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let built =
        BUILT.get_or_init(|| build(root(), &["--release", "-p", "hookrail-benches", "--example", "count"], &[]));
    find(built, "count")
}

/// The instructions of one round of [`count`], by callgrind: the difference between two runs that differ only in the
/// number of rounds.
pub fn instructions(mode: &str, callbacks: usize) -> u64 {
    let (some, more) = (collected(mode, callbacks, 1000), collected(mode, callbacks, 2000));
    assert_eq!((more - some) % 1000, 0, "each round costs the same");
    (more - some) / 1000
}

/// As [`instructions`], of what does not cost the same in each process.
pub fn instructions_about(mode: &str, callbacks: usize) -> f64 {
    let (some, more) = (collected(mode, callbacks, 1000), collected(mode, callbacks, 11_000));
    (more as f64 - some as f64) / 10_000.0
}

/// The instructions of so many rounds.
fn collected(mode: &str, callbacks: usize, rounds: u64) -> u64 {
    // A counted chain is dispatched by the very same code.
    let function = if mode == "counted" { "dispatch" } else { mode };
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect=count::{function}"))
        .arg(count())
        .args([mode, &callbacks.to_string(), &rounds.to_string()])
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let total = said.lines().find_map(|line| line.split_once("Collected : ")).expect("callgrind prints a total").1;
    total.trim().parse().expect("a total is a number")
}

/// The program `hookrail` with its prebuilt plugins beside it, always optimised.
pub fn program() -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    find(BUILT.get_or_init(|| build(root(), &["--release"], &[])), "hookrail")
}

/// The example of an embedder; its plugin is beside it.
pub fn gateway() -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    find(BUILT.get_or_init(|| build(root(), &["-p", "gateway", "-p", "gateway-plugin"], &[])), "gateway")
}

/// The program that checks plugins of that embedder.
pub fn check_gateway() -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let arguments = ["-p", "hookrail-check", "--example", "check_gateway"];
    find(BUILT.get_or_init(|| build(root(), &arguments, &[])), "check_gateway")
}

/// The embedder of the README.
pub fn load() -> PathBuf {
    example("load")
}

/// The embedder of the guide on handing over state.
pub fn upgrade_example() -> PathBuf {
    example("upgrade")
}

/// A host that is ended by its plugin.
pub fn ended() -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    find(BUILT.get_or_init(|| build(root(), &["-p", "hookrail-tests", "--example", "ended"], &[])), "ended")
}

/// The program that packs and verifies large packages, and measures that.
pub fn large() -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    find(BUILT.get_or_init(|| build(root(), &["-p", "hookrail-tests", "--example", "large"], &[])), "large")
}

/// The program that lists the licences of what is linked.
pub fn licences() -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build(root(), &["-p", "hookrail-tests", "--example", "licences"], &[]));
    find(built, "licences")
}

/// An example of the host.
fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    find(BUILT.get_or_init(|| build(root(), &["-p", "hookrail", "--examples"], &[])), name)
}

/// Whether a program that a test compares with is installed. If it is not, the test says what it needs and is skipped;
/// under `HOOKRAIL_REQUIRE_PEERS=1` it fails.
pub fn has_peer(program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        println!("skipped: needs {program} (apt install {package})");
        assert!(std::env::var_os("HOOKRAIL_REQUIRE_PEERS").is_none(), "{program} is required here");
    }
    found
}

/// Whether this user may mount a disk for a test. If not, the test says so and is skipped; under
/// `HOOKRAIL_REQUIRE_PEERS=1` it fails.
pub fn may_mount() -> bool {
    let may = Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if !may {
        println!("skipped: needs the right to mount a disk of its own (unshare -m)");
        assert!(std::env::var_os("HOOKRAIL_REQUIRE_PEERS").is_none(), "that right is required here");
    }
    may
}

/// A library of the zoo: a deliberately misbehaving plugin, or one made for a test.
pub fn zoo(name: &str) -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    find(BUILT.get_or_init(|| build(&zoo_root(), &["--examples", "--features", "crates"], &[])), name)
}

/// As [`zoo`], for the plugins that are partly C++.
pub fn zoo_cpp(name: &str) -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let examples = ["--example", "keeps_a_cpp_thread_local", "--example", "starts_a_cpp_thread"];
    let build = || build(&zoo_root(), &[&examples[..], &["--features", "crates,cpp"]].concat(), &[]);
    find(BUILT.get_or_init(build), name)
}

/// A library of the zoo, built with further arguments for cargo and in a separate target directory: for plugins that
/// need another profile.
pub fn zoo_with(name: &str, directory: &str, arguments: &[&str], rustflags: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let built = built.get_or_insert_default();
    let key = format!("{directory}/{name}");
    if !built.contains_key(&key) {
        let target = target().join(directory);
        let mut all = vec!["--example", name, "--target-dir", target.to_str().expect("our paths are text")];
        all.extend(arguments);
        let made = build(&zoo_root(), &all, &[("RUSTFLAGS", rustflags)]);
        built.insert(key.clone(), find(&made, name));
    }
    built[&key].clone()
}

/// What cargo builds from the package in `directory`, by target name.
pub fn package(directory: &Path, name: &str) -> PathBuf {
    find(&build(directory, &[], &[]), name)
}

fn zoo_root() -> PathBuf {
    root().join("tests/zoo")
}

fn target() -> PathBuf {
    own_target("zoo")
}

/// Cargo's directory for files that tests write; cargo tells its path only to tests.
pub fn tmp() -> PathBuf {
    let tmp = own_target("tmp");
    std::fs::create_dir_all(&tmp).expect("a directory can be made");
    tmp
}

/// The name of the running test binary, for files that are its own.
pub fn binary() -> String {
    let file = std::env::current_exe().expect("the system says what runs");
    let name = file.file_name().expect("it is a file").to_string_lossy().into_owned();
    // Cargo appends a digest to it.
    name.split('-').next().unwrap_or_default().to_owned()
}

/// A directory in cargo's target directory for what only tests build.
pub fn own_target(name: &str) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join(name)
}

fn find(built: &HashMap<String, PathBuf>, name: &str) -> PathBuf {
    built.get(name).unwrap_or_else(|| panic!("cargo built no `{name}`: {:?}", built.keys())).clone()
}

/// The libraries and programs that cargo builds, by target name.
fn build(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(directory).args(["build", "--message-format=json-render-diagnostics"]).args(arguments);
    if directory != root() && !arguments.contains(&"--target-dir") {
        cargo.arg("--target-dir").arg(target());
    }
    if !cfg!(debug_assertions) && !arguments.contains(&"--release") {
        cargo.arg("--release");
    }
    cargo.envs(environment.iter().copied());
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "cargo failed:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?.to_owned();
            let files = message["filenames"].as_array()?.clone();
            let library = files.iter().filter_map(|file| file.as_str()).find(|file| file.ends_with(".so"));
            let file = library.or(message["executable"].as_str())?;
            Some((name, PathBuf::from(file)))
        })
        .collect()
}
