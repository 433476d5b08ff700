//! What the pages of errors advise, and how the program leads to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::root;
use serde_json::Value;

/// What an author of a page has written in code, such as `hookrail plugin load FILE`.
fn advised() -> BTreeSet<String> {
    let mut advised = BTreeSet::new();
    for entry in fs::read_dir(root().join("docs/errors")).unwrap() {
        let page = fs::read_to_string(entry.unwrap().path()).unwrap();
        let spans = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned));
        advised.extend(spans.filter(|span| span.starts_with("hookrail ")));
    }
    assert!(advised.len() > 30, "the commands are found");
    advised
}

/// The verb of a command, and the options that it is given.
fn parts(command: &str) -> (Vec<&str>, Vec<&str>) {
    const NOUNS: [&str; 4] = ["config", "hooks", "plugin", "trust"];
    let words: Vec<_> = command.split_whitespace().skip(1).take_while(|word| *word != "--").collect();
    let length = if words.first().is_some_and(|word| NOUNS.contains(word)) { 2 } else { 1 };
    let verb: Vec<_> = words.iter().copied().take(length).filter(|word| !word.starts_with('-')).collect();
    let options = words.into_iter().filter(|word| word.starts_with('-')).collect();
    (verb, options)
}

#[test]
fn pages_advise_nothing_that_is_not_there() {
    let mut helps = BTreeMap::new();
    for command in advised() {
        let (verb, options) = parts(&command);
        let help = helps.entry(verb.join(" ")).or_insert_with(|| {
            let output = run(&mut hookrail(&[&*verb, &["--help"]].concat()), b"");
            assert!(output.status.success(), "`{command}` is no command: {}", text(&output.stderr));
            text(&output.stdout).to_owned()
        });
        for option in options.into_iter().filter(|option| !matches!(*option, "-vv" | "..." | "--version")) {
            assert!(help.contains(option), "`{command}` has an option that is not there");
        }
    }
}

#[test]
fn an_error_names_its_page_if_the_documents_lie_beside_the_program() {
    let directory = directory("errors_beside");
    let program = directory.join("hookrail");
    fs::hard_link(env!("CARGO_BIN_EXE_hookrail"), &program).unwrap();
    let said = || {
        let mut command = std::process::Command::new(&program);
        let output = run(command.args(["run", "/nosuch/file"]).current_dir(&directory), b"");
        text(&output.stderr).to_owned()
    };
    assert!(!said().contains("more:"), "it names no page that is not there");
    let page = directory.join("docs/errors/HR0501.md");
    fs::create_dir_all(page.parent().unwrap()).unwrap();
    fs::write(&page, "").unwrap();
    let said = said();
    assert!(said.contains("error[HR0501]") && said.ends_with(&format!("\n  more: {}\n", page.display())), "{said}");
}

#[test]
fn an_error_is_an_object_for_programs() {
    for (arguments, code, exit) in [
        (&["plugin", "show", "nosuch", "--json"][..], "HR0103", 3),
        (&["run", "/nosuch/file", "--json"], "HR0501", 3),
        (&["inspect", "--json", "/nosuch/file"], "HR0501", 3),
        (&["plugin", "install", "/nosuch.hrp", "--json"], "HR0501", 3),
    ] {
        let output = run(&mut hookrail(arguments), b"");
        let said = text(&output.stderr);
        let last: Value = serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap_or_default();
        let error = &last["error"];
        assert_eq!(error["code"], code, "{arguments:?}: {said}");
        assert!(error["message"].is_string() && error["fix"].is_string(), "{said}");
        assert_eq!(error["retryable"], false, "{said}");
        assert_eq!((output.status.code(), &*output.stdout), (Some(exit), &b""[..]), "{arguments:?}: {said}");
    }
}
