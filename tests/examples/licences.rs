//! Writes down the licences of all crates that are linked into the program and the prebuilt plugins, each with
//! its texts: for the archive that `.ci/dist` makes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hookrail_tests::root;
use serde_json::Value;

/// How the names of files begin that have a licence in them, or belong to one.
const TEXTS: [&str; 6] = ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE", "UNLICENSE"];

const HEAD: &str = "\
Hookrail is under the licences in LICENSE-MIT and LICENSE-APACHE, at your option.
The program and the prebuilt plugins contain the following crates, each under the licence behind its name.
Their texts follow, as the crates bring them; RUST-STANDARD-LIBRARY.html has those of Rust's standard library.
Whatever brings no text names its authors; LICENSE-MIT and LICENSE-APACHE have the words of the two licences.
";

/// A crate that is linked, and not ours.
struct Linked {
    name: String,
    licence: String,
    authors: String,
    texts: Vec<PathBuf>,
}

fn main() {
    let packages = metadata();
    let ours = |package: &&Value| package["source"].is_null();
    let programs: Vec<_> = packages.iter().filter(ours).filter_map(|package| package["name"].as_str()).collect();
    let programs = programs.into_iter().filter(|name| *name == "hookrail-cli" || name.starts_with("hookrail-plugin-"));
    let linked = linked(programs);
    let crates: Vec<_> =
        packages.iter().filter(|package| !ours(package) && linked.contains(&name(package))).map(Linked::of).collect();
    assert!(crates.len() > 50, "cargo lists the crates");

    let mut texts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    println!("{HEAD}");
    for one in &crates {
        println!("{}: {}{}", one.name, one.licence, if one.texts.is_empty() { &*one.authors } else { "" });
        for file in &one.texts {
            let text = String::from_utf8_lossy(&fs::read(file).expect("a licence can be read")).replace("\r\n", "\n");
            texts.entry(text.trim_end().to_owned()).or_default().insert(&one.name);
        }
    }
    for (text, names) in &texts {
        let names: Vec<_> = names.iter().copied().collect();
        println!("\n{}\n{}\n\n{text}", "=".repeat(80), names.join(", "));
    }
}

/// All packages that cargo knows here.
fn metadata() -> Vec<Value> {
    let said = cargo(&["metadata", "--format-version=1"]);
    let mut metadata: Value = serde_json::from_str(&said).expect("cargo writes JSON");
    let Value::Array(mut packages) = metadata["packages"].take() else { panic!("cargo knows packages") };
    packages.sort_by_key(name);
    packages
}

/// Those that are linked into one of these, as name and version: neither what only builds or tests, nor macros.
fn linked<'a>(programs: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut arguments = vec!["tree", "--edges=normal,no-proc-macro", "--prefix=none", "--no-dedupe", "--format={p}"];
    arguments.extend(programs.flat_map(|name| ["--package", name]));
    let said = cargo(&arguments);
    let both = |line: &str| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    said.lines().filter_map(both).collect()
}

impl Linked {
    fn of(package: &Value) -> Self {
        let directory =
            Path::new(package["manifest_path"].as_str().expect("a path")).parent().expect("a directory").to_owned();
        let file = package["license_file"].as_str().map(|file| directory.join(file));
        let licence = package["license"].as_str();
        assert!(licence.is_some() || file.is_some(), "{} is under no licence that it names", name(package));
        // The slash is how it was written before SPDX.
        let licence = licence.map_or_else(|| "as its text says".into(), |licence| licence.replace('/', " OR "));
        let entries = fs::read_dir(&directory).expect("its sources are here").flatten().map(|entry| entry.path());
        let is_text = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            path.is_file() && TEXTS.iter().any(|text| name.starts_with(text))
        };
        let texts: BTreeSet<_> = entries.filter(is_text).chain(file).collect();
        let authors = package["authors"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let authors: Vec<_> = authors.collect();
        let authors = if authors.is_empty() { String::new() } else { format!(", by {}", authors.join(", ")) };
        Linked { name: name(package), licence, authors, texts: texts.into_iter().collect() }
    }
}

fn name(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().expect("cargo says it");
    format!("{} {}", text("name"), text("version"))
}

fn cargo(arguments: &[&str]) -> String {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = cargo.current_dir(root()).args(arguments).arg("--locked").output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it writes text")
}
