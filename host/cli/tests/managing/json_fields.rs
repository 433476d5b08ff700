//! The fields of the JSON of the commands that work without a host's answer, as `json_fields.txt` has them: one that
//! goes, or is renamed, is seen there. (What a host answers is recorded in the model.)

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use hookrail_tests::cli::stocked::{Stocked, TARGET, packages};
use hookrail_tests::cli::{directory, hookrail, run, text};
use serde_json::Value;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/managing/json_fields.txt");

/// The fields below a value, each with the type of its value. The items of a list are taken together.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| fields(value, &format!("{path}.{key}"), found)),
        Value::Array(items) => items.iter().for_each(|item| fields(item, &format!("{path}[]"), found)),
        Value::Null => _ = found.insert(format!("{path}: null")),
        Value::Bool(_) => _ = found.insert(format!("{path}: bool")),
        Value::Number(_) => _ = found.insert(format!("{path}: number")),
        Value::String(_) => _ = found.insert(format!("{path}: text")),
    }
}

#[test]
fn the_fields_of_each_answer_are_the_recorded_ones() {
    let home = Stocked::new("json_fields");
    let work = directory("json_fields_work");
    let (mask, plugins) = (hookrail_tests::plugin("mask"), hookrail_tests::plugin("mask"));
    let (mask, plugins) = (mask.to_str().unwrap(), plugins.parent().unwrap());
    fs::write(work.join("hookrail.toml"), format!("[plugins.mask]\nlibrary = {mask:?}\nconfig.patterns = ['b']\n"))
        .unwrap();
    fs::copy(packages().join("Cargo.toml"), work.join("Cargo.toml")).unwrap();
    fs::create_dir(work.join("src")).unwrap();
    fs::write(work.join("src/lib.rs"), "//! Nobody builds it here.\n").unwrap();
    home.ok(&["plugin", "allow", "screen-9.9.9", "--sha256", &"0".repeat(64)]);
    let package = packages().join("screen-1.0.0.hrp");
    let package = package.to_str().unwrap();
    let library = format!("{TARGET}={}", packages().join("screen-5.0.0.so").display());
    let mut said = String::new();
    for (name, arguments, input) in [
        ("bench", &["bench", "--rounds", "1"][..], ""),
        ("check", &["check", mask, "--only", "note"], ""),
        ("config check", &["config", "check"], ""),
        ("config show", &["config", "show"], ""),
        ("demo", &["demo"], ""),
        ("inspect LIBRARY", &["inspect", mask], ""),
        ("inspect PACKAGE", &["inspect", package], ""),
        ("new", &["new", "made", "--priority", "900"], ""),
        ("pack", &["pack", ".", "--lib", &library], ""),
        ("pipeline queues", &["pipeline", "queues"], ""),
        ("run", &["run"], "abc\n"),
        ("trust list", &["trust", "list"], ""),
        ("verify", &["verify", package], ""),
    ] {
        let mut command = hookrail(&[arguments, &["--json"]].concat());
        command.current_dir(&work).env("HOOKRAIL_HOME", &home.home).env("HOOKRAIL_PLUGINS", plugins);
        let output = run(&mut command, input.as_bytes());
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        // The answer of `run` is what comes out of it, so its summary goes to stderr.
        let answer = if name == "run" { text(&output.stderr).lines().last().unwrap() } else { text(&output.stdout) };
        let answer = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{name}: {error}: {answer}"));
        let mut found = BTreeSet::new();
        fields(&answer, "", &mut found);
        writeln!(said, "{name}").unwrap();
        found.iter().for_each(|field| writeln!(said, "  {field}").unwrap());
    }
    if std::env::var_os("HOOKRAIL_BLESS").is_some() {
        fs::write(PATH, &said).unwrap();
    }
    let recorded = fs::read_to_string(PATH).unwrap_or_default();
    let differs = said.lines().zip(recorded.lines()).find(|(said, recorded)| said != recorded);
    assert!(
        said == recorded,
        "a field is not as in json_fields.txt: {differs:?}; to record it:\n\
         HOOKRAIL_BLESS=1 cargo test -p hookrail-cli --test managing json_fields",
    );
}
