//! `hookrail run`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::setup::Setup;
use crate::size::Size;

/// One line per paragraph: the terminal's width decides where they break.
const AFTER_RUN: &str = "\
A line of text is a message; what no plugin changes comes out byte for byte.
With `--input-format json`, a line is a message such as {\"topic\":\"a.b\",\"headers\":[[\"key\",\"value\"]],\"body\":\"text\"}; only `body`, or `body_base64`, is required.
With `--input-format ndjson`, a line is a JSON object of any kind, such as {\"time\":\"12:00\",\"user\":{\"id\":7}}: the message's body is the line as it is, and single fields of it become headers or the topic.
A line that is not a valid message is reported, counted and skipped, and the exit code is 4.
The first Ctrl-C stops reading and shows the summary; the second ends the program. SIGHUP has the configuration read again, unless the program has a terminal.

Examples:
  hookrail run --plugin hello --output-format json < log
  hookrail run --input-format ndjson --header-field level --topic-field logger < log
  hookrail run --config edge.toml --watch access.log error.log > out
  hookrail run --follow /var/log/app/*.log >> masked";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_RUN)]
pub(crate) struct Run {
    /// The files to read, one after the other; `-`, or no file, is stdin
    #[arg(value_name = "FILES")]
    pub(crate) files: Vec<PathBuf>,

    /// Follow the files, which need not be there yet, through rotation, from where the last run with the same files has come
    /// to: lines of text, until it is told to end
    #[arg(long, requires = "files", conflicts_with_all = ["input_format", "threads", "watch"])]
    pub(crate) follow: bool,

    /// The format of a line of input
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) input_format: InputFormat,

    /// The format of a line of output [default: json for the input format json, else text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_format: Option<OutputFormat>,

    /// The topic of messages that have none in their line
    #[arg(long, value_name = "TOPIC", default_value = "log")]
    pub(crate) topic: String,

    /// Use this field of the line's object as the topic, if it is there; for the input format ndjson
    #[arg(long, value_name = "FIELD")]
    pub(crate) topic_field: Option<String>,

    /// Add this field of the line's object as a header, if it is there; for the input format ndjson; may be repeated
    #[arg(long = "header-field", value_name = "FIELD")]
    pub(crate) header_fields: Vec<String>,

    /// Skip lines with a longer body; `max_body` under [message] in the configuration limits bodies too
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub(crate) max_line: Size,

    /// Run the callbacks of `message.publish` on this many threads; the output keeps the order of the input
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,

    /// Watch the plugins' libraries: a file that has changed and is complete replaces the old build while messages flow
    #[arg(long)]
    pub(crate) watch: bool,

    /// Show no progress and no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Print the summary as JSON, on stderr: stdout is for messages
    #[arg(long)]
    pub(crate) json: bool,

    /// The socket by which this run is managed [default: run/PID.sock in the home]
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,

    /// Open no control socket: this run cannot be managed
    #[arg(long, conflicts_with = "control")]
    pub(crate) no_control: bool,

    #[command(flatten)]
    pub(crate) setup: Setup,
}

impl Run {
    /// Why the arguments make no sense together.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let names_fields = self.topic_field.is_some() || !self.header_fields.is_empty();
        if names_fields && self.input_format != InputFormat::Ndjson {
            return Err("--topic-field and --header-field are for --input-format ndjson");
        }
        Ok(())
    }

    /// The format of the output.
    pub(crate) fn output_format(&self) -> OutputFormat {
        self.output_format.unwrap_or(match self.input_format {
            InputFormat::Json => OutputFormat::Json,
            InputFormat::Ndjson | InputFormat::Text => OutputFormat::Text,
        })
    }
}

/// The format of a line of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// The body of a message
    Text,
    /// A message as a JSON object
    Json,
    /// Any JSON object, which is the body of a message
    Ndjson,
}

/// The format of a line of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// The body of a message
    Text,
    /// A message as a JSON object
    Json,
}
