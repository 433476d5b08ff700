//! Consent to what cannot be undone.

/// The option of every verb that destroys something.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Consent {
    /// Destroy or overwrite without asking; required where there is no terminal to ask on
    #[arg(short, long)]
    pub(crate) yes: bool,
}
