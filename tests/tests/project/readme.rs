//! What the README shows is what is built: its code is that of files which the tests run.

use std::collections::BTreeMap;
use std::fs::read_to_string;

use hookrail::control::command::PluginSpec;
use hookrail_tests::root;

fn read(file: &str) -> String {
    read_to_string(root().join(file)).unwrap()
}

#[test]
fn the_readmes_code_is_that_of_the_files_it_names() {
    let readme = read("README.md");
    for file in ["plugins/hello/src/lib.rs", "host/examples/load.rs"] {
        assert!(readme.contains(&format!("```rust\n{}```\n", read(file))), "README.md shows another {file}");
    }
}

#[test]
fn the_guides_code_is_that_of_the_files_it_names() {
    for (guide, language, file) in [
        ("docs/guide/first-plugin-in-c.md", "c", "abi/examples/c/screen.c"),
        ("docs/guide/own-process.md", "c", "abi/examples/c/colons.c"),
        ("docs/guide/embedding.md", "rust", "host/examples/gateway/points/src/lib.rs"),
        ("docs/guide/embedding.md", "rust", "host/examples/gateway/plugin/src/lib.rs"),
        ("docs/guide/embedding.md", "rust", "host/examples/gateway/program/src/main.rs"),
        ("docs/guide/state-hand-over.md", "rust", "host/examples/upgrade.rs"),
    ] {
        let shown = format!("```{language}\n{}```\n", read(file));
        assert!(read(guide).contains(&shown), "{guide} shows another {file}");
    }
}

/// Every link to a file of this repository leads somewhere.
#[test]
fn the_readme_names_the_oldest_rust() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let oldest = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    let named = format!("Rust {oldest} or newer");
    assert!(read("README.md").contains(&named), "the README says: {named}");
}

#[test]
fn links_lead_to_files() {
    let output = std::process::Command::new("git").current_dir(root()).args(["ls-files", "*.md"]).output().unwrap();
    let documents = String::from_utf8(output.stdout).unwrap();
    assert!(documents.lines().count() > 50, "the documents are found");
    // A template's links are those of the plugin that is made of it.
    for document in documents.lines().filter(|document| !document.starts_with("host/cli/templates")) {
        let text = read(document);
        let directory = root().join(document).parent().unwrap().to_owned();
        for (_, rest) in text.match_indices("](").map(|(at, found)| text.split_at(at + found.len())) {
            let link = rest.split(')').next().unwrap();
            let file = link.split('#').next().unwrap();
            assert!(link.contains("://") || directory.join(file).exists(), "{document} links to {link}");
        }
    }
}

#[test]
fn no_document_names_a_key_that_is_not_read() {
    let guide = read("docs/guide/operating.md");
    let shown = guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    for (number, text) in shown.enumerate() {
        if text.starts_with("# plugins.toml") {
            let wanted: BTreeMap<String, BTreeMap<String, PluginSpec>> = toml::from_str(text).unwrap();
            assert!(wanted.keys().eq(["plugins"]) && !wanted["plugins"].is_empty());
            continue;
        }
        let file = std::env::temp_dir().join(format!("hookrail-guide-{}-{number}.toml", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let read = hookrail::Config::read(&file);
        std::fs::remove_file(&file).unwrap();
        read.unwrap_or_else(|error| panic!("{text}\n{error}"));
    }
}
