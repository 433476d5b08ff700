//! The consoles of a guide: its commands, run as a reader would type them, and what they print, held against what the
//! guide shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A command of a guide, and what the guide shows for it.
#[derive(Debug)]
pub struct Typed<'a> {
    /// The command, for a shell.
    pub command: &'a str,
    /// The lines.
    pub shown: Vec<&'a str>,
}

/// The commands of all consoles of a page.
pub fn typed(page: &str) -> Vec<Typed<'_>> {
    let mut typed: Vec<Typed<'_>> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match (line.strip_prefix("$ "), typed.last_mut()) {
                (Some(command), _) => typed.push(Typed { command, shown: Vec::new() }),
                (None, Some(last)) => last.shown.push(line),
                (None, None) => panic!("a console begins with a command: {line}"),
            }
        }
    }
    typed
}

/// Somebody at a shell.
pub struct Console {
    /// Where the shell is.
    pub directory: PathBuf,
    /// Starts the shell, with the environment that its commands have.
    shell: fn() -> Command,
}

impl Console {
    /// In a directory.
    pub fn new(directory: &Path, shell: fn() -> Command) -> Self {
        Console { directory: directory.into(), shell }
    }

    /// Runs the command; returns its exit code, and what it printed on stdout and stderr.
    pub fn run(&mut self, command: &str) -> (i32, String) {
        let place = self.directory.with_extension("cwd");
        let script = format!("exec 2>&1\n{command}\nstatus=$?\npwd > {place:?}\nexit $status");
        let mut shell = (self.shell)();
        let output = shell.args(["-c", &script]).current_dir(&self.directory).stdin(Stdio::null()).output().unwrap();
        self.directory = fs::read_to_string(&place).unwrap().trim_end().into();
        fs::remove_file(place).unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    /// Runs the command, which must print what the guide shows, apart from what differs between machines and runs.
    pub fn follow(&mut self, typed: &Typed<'_>) {
        let (code, mut printed) = self.run(typed.command);
        if code != 0 {
            printed.push_str(&format!("[exit {code}]\n"));
        }
        let shown: Vec<_> = typed.shown.iter().copied().filter_map(essence).collect();
        let found: Vec<_> = printed.lines().filter_map(essence).collect();
        let shown_text = typed.shown.join("\n");
        assert!(shown == found, "$ {}\n--- shown:\n{shown_text}\n--- printed:\n{printed}", typed.command);
    }
}

/// The words of a line, without what differs between machines and runs; nothing for what cargo tells of its progress.
fn essence(line: &str) -> Option<Vec<String>> {
    const CARGO: [&str; 4] = ["Blocking", "Compiling", "Finished", "Locking"];
    const UNITS: [&str; 9] = ["ns", "µs", "ms", "s", "KiB", "MiB", "messages", "messages/s", "m"];
    let unit = |word: &str| UNITS.contains(&word.trim_end_matches([',', ':', ';', ')']));
    let mut words = Vec::new();
    let mut split = line.split([' ', '"', '(', ')']).filter(|word| !word.is_empty()).peekable();
    if line.starts_with("   ") && split.peek().is_some_and(|word| CARGO.contains(word)) {
        return None;
    }
    while let Some(word) = split.next() {
        let bare = word.trim_end_matches([',', ':', ';']);
        let end = bare.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.' || letter == ',');
        let is_number = bare.starts_with(|letter: char| letter.is_ascii_digit());
        let is_fraction = is_number && end.is_empty() && bare.matches('.').count() == 1;
        // Identifiers, digests, seeds, times; and keys.
        let is_one = |letter: char| letter.is_ascii_hexdigit() || "-:.TZ".contains(letter);
        let is_id =
            bare.len() >= 10 && bare.contains(|letter: char| letter.is_ascii_digit()) && bare.chars().all(is_one)
                || bare.len() == 56 && bare.starts_with("RW");
        let is_counted = is_number && end.is_empty() && split.peek().is_some_and(|next| unit(next));
        if is_counted {
            split.next();
        }
        let differs = is_counted || is_fraction || is_id || is_number && unit(end);
        words.push(if differs { "#".into() } else { word.into() });
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_differences_between_runs_are_left_out() {
        let same = |one, other| assert_eq!(essence(one), essence(other));
        same("copy 1.3ms, open 418.2µs", "copy 963µs, open 2s");
        same("built in 114 ms", "built in 15.3 s");
        same("the key 112555B0795E7FFF (Jane)", "the key 012555B0795E7FFF (Jane)");
        same("  a   1.12 MiB", "  a 2.00 KiB");
        same("{\"id\":\"01a20072-9a50\",\"body\":\"one\"}", "{\"id\":\"01a20072-9a51\",\"body\":\"one\"}");
        assert_eq!(essence("    Finished `release` profile"), None);
        for (one, other) in
            [("quiet 0.1.0, generation 2", "quiet 0.2.0, generation 2"), ("in 2   out 2", "in 2  out 1")]
        {
            assert_ne!(essence(one), essence(other));
        }
    }
}
