//! Asking before something is destroyed.

use std::io::{self, IsTerminal, Write};

use crate::args::Consent;
use crate::error::Error;
use crate::harmless;
use crate::stderr::{self, Stderr};

/// Whether the user wants `what`, a clause about what will be gone. Asks on the terminal, unless `--yes` was given.
pub(crate) fn confirm(consent: Consent, what: &str) -> Result<bool, Error> {
    if consent.yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err(Error::NotConfirmed(what.into()));
    }
    let _ = write!(Stderr, "{}; continue? [y/N] ", harmless::part(what.to_string()));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|cause| Error::system("read the answer", cause))?;
    let is_wanted = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if !is_wanted {
        stderr::line("nothing was changed");
    }
    Ok(is_wanted)
}
