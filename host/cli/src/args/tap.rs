//! The verb that shows messages as they pass.

use clap::Args;
use hookrail::stream::topic::Pattern;
use hookrail::tap::TapPlace;

use super::selection::Common;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER: &str = "\
Nothing waits for what is shown here: messages that come faster than they are read, or than --rate allows, are left out, counted, and the counts are printed at the end.
While nobody looks, nothing is there to slow the stream; while somebody does, `hookrail hooks show` lists the callback that does it.
Nothing is masked but by the callbacks before that place: `received` shows secrets as they came in.
Of a long body the first 16 KiB are shown. Ctrl-C ends it.";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Tap {
    /// The topics: tokens with dots between them, `*` for any one, `>` for the rest
    #[arg(value_name = "PATTERN", default_value = ">")]
    pub(crate) topics: Pattern,

    /// The place: `received` from a source, before any callback, with nothing masked yet; `published`, after all callbacks;
    /// `delivered` by a sink; `dropped`, with the reason
    #[arg(long, value_name = "PLACE", default_value = "published", value_parser = place)]
    pub(crate) at: TapPlace,

    /// Only in this pipeline
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,

    /// Only messages with this header; may be repeated, then with all of them
    #[arg(long = "header", value_name = "KEY=VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,

    /// End after so many messages
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,

    /// Show at most so many in a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,

    #[command(flatten)]
    pub(crate) common: Common,
}

fn place(text: &str) -> Result<TapPlace, String> {
    let found = TapPlace::ALL.into_iter().find(|place| place.name() == text);
    found.ok_or_else(|| format!("use {}", TapPlace::ALL.map(TapPlace::name).join(", ")))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("write KEY=VALUE")?;
    Ok((key.into(), value.into()))
}
