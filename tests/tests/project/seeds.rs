//! What docs/seeds.md says of every clause: no row is missing, and each test that one names is there.

use std::collections::BTreeSet;
use std::fs::read_to_string;

use hookrail_tests::root;

/// How many clauses there are, by their letter, in the order of the page.
const CLAUSES: [(&str, usize); 7] = [("X", 20), ("T", 31), ("R", 21), ("E", 23), ("M", 34), ("L", 11), ("P", 9)];

fn page() -> String {
    read_to_string(root().join("docs/seeds.md")).unwrap()
}

/// The tables of a page, each by its lines.
fn tables(page: &str) -> Vec<Vec<&str>> {
    page.split("\n\n").filter(|block| block.starts_with('|')).map(|block| block.lines().collect()).collect()
}

/// The cells of a line; no cell has a bar of its own.
fn cells(line: &str) -> Vec<&str> {
    let inside = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|'));
    inside.unwrap_or_else(|| panic!("a row begins and ends with a bar: {line}")).split('|').map(str::trim).collect()
}

/// The tests that a text names, each with its file as seen from docs.
fn tests(text: &str) -> Vec<(&str, &str)> {
    let links = text.split("[`").skip(1);
    let tests = links.filter_map(|link| {
        let (name, rest) = link.split_once("`](")?;
        let (file, _) = rest.split_once(')')?;
        Some((name, file))
    });
    tests.collect()
}

/// Whether there is a function of that name with `#[test]` among the attributes right above it.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let begins = format!("fn {name}(");
    let mut functions = lines.iter().enumerate().filter(|(_, line)| line.starts_with(begins.as_str()));
    functions.any(|(at, _)| {
        let mut attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        attributes.any(|line| *line == "#[test]")
    })
}

#[test]
fn every_clause_has_a_row_that_names_a_test_or_says_not_yet() {
    let page = page();
    let mut ids = Vec::new();
    for table in tables(&page) {
        let width = cells(table[0]).len();
        for row in &table[2..] {
            let cells = cells(row);
            assert_eq!(cells.len(), width, "{row}");
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
            let proof = cells[width - 1];
            assert!(!tests(proof).is_empty() || proof.contains("not yet"), "neither a test nor `not yet`: {row}");
            ids.push(cells[0].to_owned());
        }
    }
    let expected: Vec<String> =
        CLAUSES.iter().flat_map(|(letter, last)| (1..=*last).map(move |number| format!("{letter}{number}"))).collect();
    assert_eq!(ids, expected, "each clause has one row, in order");
}

#[test]
fn every_test_that_a_clause_names_is_there() {
    let page = page();
    let mut names = BTreeSet::new();
    for (name, file) in tests(&page) {
        let source = read_to_string(root().join("docs").join(file));
        let source = source.unwrap_or_else(|error| panic!("docs/seeds.md links to {file}: {error}"));
        assert!(has_test(&source, name), "{file} has no test {name}");
        names.insert(name);
    }
    assert!(names.len() >= 50, "the tests are found: {names:?}");
}
