//! Consent to what cannot be undone.

/// The option of every verb that destroys something.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Consent {
    /// Do not ask before something is destroyed. Without a terminal to ask on, this is required
    #[arg(short, long)]
    pub(crate) yes: bool,
}
