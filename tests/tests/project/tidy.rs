//! Rules of the house that no compiler checks.

use std::path::{Path, PathBuf};
use std::process::Command;

use hookrail_tests::root;

/// The files under version control, and new ones that would be.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .expect("git runs");
    let names = String::from_utf8(output.stdout).unwrap();
    let mut files: Vec<_> =
        names.split_terminator('\0').map(|name| root().join(name)).filter(|file| file.is_file()).collect();
    assert!(files.len() > 100, "git lists the files of this checkout");
    // Git lists those that are not yet added before all others.
    files.sort();
    files
}

fn with_extension(extension: &str) -> impl Iterator<Item = (PathBuf, String)> {
    let wanted = move |file: &PathBuf| file.extension().is_some_and(|found| found == extension);
    // Frozen sources are evidence, not code of ours to keep tidy.
    let frozen = |file: &PathBuf| !file.starts_with(root().join("tests/frozen"));
    files().into_iter().filter(wanted).filter(frozen).map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file.strip_prefix(root()).unwrap().to_owned(), text)
    })
}

#[test]
fn sources_stay_small() {
    const LINES: usize = 450;
    let long: Vec<_> = with_extension("rs")
        .map(|(file, text)| (text.lines().count(), file))
        .filter(|(lines, _)| *lines > LINES)
        .collect();
    assert!(long.is_empty(), "is there a second concept in them? {long:?}");
}

#[test]
fn sources_leave_no_work_for_later() {
    let marks =
        ["to".to_owned() + "do!(", "unimple".to_owned() + "mented!(", "TO".to_owned() + "DO", "FIX".to_owned() + "ME"];
    for (file, text) in with_extension("rs") {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{} in {}", mark, file.display());
        }
    }
}

/// Whether it is a source of the crates that an embedder gets, in whose program anything may happen.
fn is_of_the_host(file: &Path) -> bool {
    let others = ["cli", "check", "cuttlefish", "examples"];
    file.strip_prefix("host").is_ok_and(|inside| !others.iter().any(|other| inside.starts_with(other)))
}

/// The subscriber of the embedding program may panic.
#[test]
fn the_host_logs_by_the_macro_that_survives_its_subscriber() {
    for (file, text) in with_extension("rs").filter(|(file, _)| is_of_the_host(file) && !file.ends_with("log.rs")) {
        for level in ["error", "warn", "info", "debug", "trace"] {
            assert!(!text.contains(&format!("tracing::{level}!(")), "{} is to use log!", file.display());
        }
    }
}

/// An error prints its reason itself, so what prints its sources as well must find none:
/// `hookrail_model::error` has the rule, and `an_error_and_its_sources_print_each_fact_once` tries it.
#[test]
fn no_error_has_a_source_beside_its_text() {
    let derives = ["thiserror", "::Error)]"].concat();
    let sources = [" source: ", "#[source]", "fn source("];
    for (file, text) in with_extension("rs").filter(|(file, _)| file.starts_with("host")) {
        if text.contains(&derives) || text.contains("Error for ") {
            let found = sources.into_iter().find(|source| text.contains(source));
            assert_eq!(found, None, "in {}: a cause is called `cause`", file.display());
        }
    }
}

#[test]
fn every_source_begins_with_its_purpose() {
    for (file, text) in with_extension("rs") {
        // Inputs of trybuild show an author's mistake and nothing else.
        if !file.starts_with("tests/tests/ui") {
            assert!(text.starts_with("//! ") && !text.starts_with("//! x\n"), "{}", file.display());
        }
    }
}

/// The codes that the sources of errors name, as often as they do.
fn codes() -> Vec<String> {
    let mut codes = Vec::new();
    for (_, text) in
        with_extension("rs").filter(|(file, _)| file.ends_with("error.rs") || file.starts_with("host/model/src/error"))
    {
        let quoted = text.split('"').skip(1).step_by(2).map(str::to_owned);
        codes.extend(quoted.filter(|text| text.len() == 6 && text.starts_with("HR0")));
    }
    codes.sort();
    assert!(codes.len() > 30, "the codes are found");
    codes
}

#[test]
fn every_error_has_a_code_of_its_own() {
    let codes = codes();
    let twice: Vec<_> = codes.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// What an error advises is something to do: neither nothing, nor what goes without saying.
#[test]
fn no_fix_is_empty_or_says_nothing() {
    const NOTHING: [&str; 6] =
        ["fix it", "fix that", "fix the reported cause", "look into", "message says", "try something else"];
    let mut fixes = 0;
    let sources = with_extension("rs").filter(|(file, _)| {
        file.ends_with("error.rs") || file.starts_with("host/model/src/error") || file.ends_with("model/src/error.rs")
    });
    for (file, text) in sources {
        let text = text.split("\n#[cfg(test)]").next().unwrap();
        let arms = text.lines().skip_while(|line| !line.contains("fn code_and_fix") && !line.contains("fn fix"));
        let arms = arms.filter(|line| !line.trim().starts_with("#[error("));
        for quoted in arms.collect::<Vec<_>>().join("\n").split('"').skip(1).step_by(2) {
            fixes += 1;
            assert!(!quoted.trim().is_empty(), "{}: an empty fix", file.display());
            let said = NOTHING.iter().find(|nothing| quoted.starts_with(**nothing) || quoted.contains("message says"));
            assert_eq!(said, None, "{}: `{quoted}` says nothing", file.display());
        }
    }
    assert!(fixes > 200, "the fixes are found");
}

/// A page for each code, no page for none, and an index that says of each what its page is called.
#[test]
fn every_error_has_a_page() {
    const PARTS: [&str; 2] = ["\n## Common causes\n\n", "\n## What to do\n\n"];
    let mut index = String::new();
    let mut listed = Vec::new();
    for (file, text) in with_extension("md").filter(|(file, _)| file.starts_with("docs/errors")) {
        let code = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if code == "README" {
            index = text;
            continue;
        }
        let title = text.lines().next().unwrap().strip_prefix(&format!("# {code}: "));
        let title = title.unwrap_or_else(|| panic!("{code}.md begins with its code and a name"));
        assert!(PARTS.iter().all(|part| text.contains(part)), "{code}.md has its parts");
        listed.push((format!("| [{code}]({code}.md) | {title} | "), code));
    }
    let pages: Vec<_> = listed.iter().map(|(_, code)| code.clone()).collect();
    assert_eq!(pages, codes(), "docs/errors has a page for each code of the sources, and no other");
    let rows: Vec<_> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let groups = |row: &str| row.rsplit(" | ").next().is_some_and(|group| index.contains(&format!("\n| {group} ")));
    assert_eq!(rows.len(), listed.len(), "docs/errors/README.md has a row for each page");
    for (row, (expected, _)) in rows.iter().zip(&listed) {
        assert!(row.starts_with(expected) && groups(row), "{row} is to begin with {expected} and to name a group");
    }
}

/// `docs` builds as a book: each page is in its summary, once and under its own title.
/// A code that is no longer used keeps its page, so that no other error gets it.
#[test]
fn every_frozen_error_code_has_its_page_and_its_exit_code() {
    let index = std::fs::read_to_string(root().join("docs/errors/README.md")).unwrap();
    let frozen = include_str!("../../frozen/error-codes.txt");
    assert!(frozen.lines().count() > 100, "the codes are found");
    for (code, exit) in frozen.lines().filter_map(|line| line.split_once(' ')) {
        let row = index.lines().find(|line| line.starts_with(&format!("| [{code}]({code}.md) | ")));
        let row = row.unwrap_or_else(|| panic!("{code} is gone"));
        assert!(row.contains(&format!(" | {exit} | ")), "{code} had the exit code {exit}: {row}");
    }
}

#[test]
fn every_page_is_in_the_summary() {
    let (mut summary, mut pages) = (String::new(), Vec::new());
    for (file, text) in with_extension("md") {
        let Ok(page) = file.strip_prefix("docs") else { continue };
        if page.ends_with("SUMMARY.md") {
            summary = text;
            continue;
        }
        let title = text.lines().next().and_then(|line| line.strip_prefix("# "));
        let title = title.unwrap_or_else(|| panic!("{} begins with its title", file.display()));
        pages.push(format!("- [{title}]({})", page.display()));
    }
    let mut listed: Vec<_> = summary.lines().map(str::trim).filter(|line| line.starts_with("- ")).collect();
    listed.sort_unstable();
    pages.sort_unstable();
    assert_eq!(listed, pages, "docs/SUMMARY.md lists the pages of docs, and no other");
}

/// SeqCst without a sentence is a guess.
#[test]
fn every_sequentially_consistent_access_has_its_sentence() {
    for (file, text) in with_extension("rs").filter(|(file, _)| is_of_the_host(file)) {
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("Ordering::SeqCst")) {
            let before = lines[number.saturating_sub(3)..number].join("\n");
            let is_light_fence = line.contains("compiler_fence");
            assert!(is_light_fence || before.contains("// SeqCst"), "{}:{}", file.display(), number + 1);
        }
    }
}

/// One sentence per line, so that a change of a sentence is a change of a line.
#[test]
fn markdown_has_one_sentence_per_line() {
    for (file, text) in with_extension("md") {
        let mut in_code = false;
        for (number, line) in text.lines().enumerate() {
            in_code ^= line.trim_start().starts_with("```");
            let prose = !in_code && !line.starts_with('|') && !line.starts_with("    ");
            let sentences = line.match_indices(". ").filter(|(at, _)| {
                let next = line[at + 2..].chars().next();
                let word = line[..*at].rsplit([' ', '(', '`']).next().unwrap_or_default();
                next.is_some_and(char::is_uppercase) && word.len() > 2 && !word.chars().all(|c| c.is_ascii_digit())
            });
            assert!(!prose || sentences.count() == 0, "{}:{}: {line}", file.display(), number + 1);
        }
    }
}
