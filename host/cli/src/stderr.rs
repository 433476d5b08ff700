//! Output to stderr: messages for people. Nothing here fails: if stderr is closed, messages are dropped.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use indicatif::ProgressBar;
use serde::Serialize;

use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::{self, BOLD, END, RED};

/// The progress bar on the terminal, if there is one: other lines must not run into it.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// From now on keeps other lines apart from this bar.
pub(crate) fn beside(bar: &ProgressBar) {
    let _ = BAR.set(bar.clone());
}

/// Prints a line for people, without what commands a terminal or begins another line.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(Stderr, "{}", harmless::line(&text.to_string()));
}

/// Prints several lines for people, without what commands a terminal. In it, what others have written is part of a line.
pub(crate) fn lines(text: impl Display) {
    let _ = writeln!(Stderr, "{}", harmless::lines(&text.to_string()));
}

/// Prints a value as JSON on one line.
pub(crate) fn json(value: &impl Serialize) {
    let text = serde_json::to_string(value).expect("numbers and texts are JSON");
    let _ = writeln!(Stderr, "{}", harmless::json(text));
}

/// Prints an error and how to fix it. A closed stdout is not reported: its reader closed it.
pub(crate) fn error(error: &Error) {
    if error.exit_code() != ExitCode::StdoutClosed {
        let (red, bold, end) = if has_colour(&io::stderr()) { (RED, BOLD, END) } else { ("", "", "") };
        let more = page(error.code()).map(|page| format!("\n  {bold}more:{end} {}", page.display()));
        let (code, more) = (harmless::part(error.code().into()), more.unwrap_or_default());
        let (error, fix) = (harmless::indented(&error.to_string()), harmless::indented(&error.fix()));
        lines(format_args!("{red}error[{code}]{end}: {error}\n  {bold}fix:{end} {fix}{more}"));
    }
}

/// As [`error`]; for programs, an object on one line.
pub(crate) fn report(error: &Error, is_for_programs: bool) {
    if !is_for_programs {
        self::error(error);
    } else if error.exit_code() != ExitCode::StdoutClosed {
        json(&serde_json::json!({ "error": error.problem() }));
    }
}

/// The error's page, if the documents are beside the program, as in a release. Users of a checkout know where they are.
fn page(code: &str) -> Option<PathBuf> {
    // The code may come from another process, over a socket.
    let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let program = std::env::current_exe().ok()?;
    let page = program.parent()?.join("docs/errors").join(format!("{code}.md"));
    (is_code && page.is_file()).then_some(page)
}

/// Whether to write escape sequences there.
pub(crate) fn has_colour(to: &impl IsTerminal) -> bool {
    to.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Stderr, coordinated with the progress bar.
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let write = || io::stderr().write_all(bytes);
        BAR.get().map_or_else(write, |bar| bar.suspend(write))
    }

    fn write_fmt(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        // In one write: lines of several threads must not mix.
        self.write_all(text.to_string().as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
