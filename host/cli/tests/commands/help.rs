//! The help of every command, as `help.txt` has it: a command or an option that goes, or is renamed, is seen there.

use std::fs;

use hookrail_tests::cli::{hookrail, run, text};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/commands/help.txt");

#[test]
fn the_help_of_each_command_is_the_recorded_one() {
    let mut shown = String::new();
    show(&mut Vec::new(), &mut shown);
    if std::env::var_os("HOOKRAIL_BLESS").is_some() {
        fs::write(PATH, &shown).unwrap();
    }
    let recorded = fs::read_to_string(PATH).unwrap_or_default();
    let differs = shown.lines().zip(recorded.lines()).position(|(shown, recorded)| shown != recorded);
    assert!(
        shown == recorded,
        "--help says something else than help.txt, from line {} on; to record it:\n\
         HOOKRAIL_BLESS=1 cargo test -p hookrail-cli --test commands help",
        1 + differs.unwrap_or(shown.lines().count().min(recorded.lines().count())),
    );
}

/// Adds the help of a command, and of the commands below it.
fn show(words: &mut Vec<String>, shown: &mut String) {
    let arguments: Vec<_> = words.iter().map(String::as_str).chain(["--help"]).collect();
    let output = run(hookrail(&arguments).env("COLUMNS", "100"), b"");
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    let help = text(&output.stdout);
    // Whatever clap pads an empty line with.
    let lines: Vec<_> = help.trim_end().lines().map(str::trim_end).collect();
    shown.push_str(&format!("$ hookrail {}\n{}\n\n", arguments.join(" "), lines.join("\n")));
    let names = lines.iter().skip_while(|line| **line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // The descriptions are indented further than the names.
    for name in names.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' ')) {
        let name = name.split(' ').next().unwrap();
        if name != "help" {
            words.push(name.into());
            show(words, shown);
            words.pop();
        }
    }
}
