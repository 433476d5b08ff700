//! Output to stdout: data. Unlike `println!`, it returns an error on a closed stdout instead of panicking.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

use crate::error::Error;
use crate::harmless::{self, BOLD, END};
use crate::{stderr, stdout};

/// Prints a line for people, without what commands a terminal or begins another line.
pub(crate) fn line(text: impl Display) -> Result<(), Error> {
    write(&harmless::line(&text.to_string()))
}

/// Prints several lines for people, without what commands a terminal. In it, what others have written is part of a line.
pub(crate) fn lines(text: impl Display) -> Result<(), Error> {
    write(&harmless::lines(&text.to_string()))
}

/// Prints lines for people in the place of all that the terminal shows.
pub(crate) fn screen(text: &str) -> Result<(), Error> {
    write(&format!("\x1b[H\x1b[2J{}", harmless::lines(text)))
}

/// As [`screen`], without a flicker, and no longer than the terminal: what does not fit is left out.
pub(crate) fn in_place(text: &str) -> Result<(), Error> {
    let text = harmless::lines(text);
    let rows = stdout::rows().map_or(usize::MAX, |rows| rows.saturating_sub(1).max(1));
    let lines: String = text.lines().take(rows).map(|line| format!("{line}\x1b[K\n")).collect();
    write(&format!("\x1b[H{}\x1b[J", lines.trim_end_matches('\n')))
}

fn write(text: &str) -> Result<(), Error> {
    // In one write, so that readers see whole paragraphs.
    let text = format!("{text}\n");
    stdout::ours().write_all(text.as_bytes()).map_err(Error::Stdout)
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Error> {
    write(&harmless::json(serde_json::to_string_pretty(value).map_err(|error| Error::Stdout(error.into()))?))
}

/// Prints a value as JSON on one line.
pub(crate) fn compact(value: &impl Serialize) -> Result<(), Error> {
    write(&harmless::json(serde_json::to_string(value).map_err(|error| Error::Stdout(error.into()))?))
}

/// Bold text as part of a line, if the terminal can show it.
pub(crate) fn bold(text: &str) -> String {
    let text = harmless::part(text.into());
    if stderr::has_colour(stdout::ours()) { format!("{BOLD}{text}{END}") } else { text }
}
