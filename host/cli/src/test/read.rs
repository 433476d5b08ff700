//! Reading a file of tests: all its mistakes, each with its line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hookrail::Config;
use toml::Spanned;

use super::form::{Case, Expected, Form, Given};
use crate::error::Error;
use crate::nearest::nearest;

/// A file of tests without a mistake.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) cases: Vec<Ready>,
}

/// A case that can run.
pub(super) struct Ready {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) pipeline: Option<String>,
    pub(super) topic: String,
    /// Messages, and the line and what is expected of each.
    pub(super) steps: Vec<(Given, usize, Expected)>,
}

/// Reads files.
///
/// # Errors
/// If one cannot be read; then all mistakes of all of them.
pub(super) fn all(files: &[PathBuf], config: &Config) -> Result<Vec<File>, Error> {
    let (mut read, mut mistakes) = (Vec::new(), Vec::new());
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|cause| Error::reading(&file.display(), cause))?;
        let reading = Reading { text: &text, config, has_common: false, mistakes: Vec::new() };
        match reading.read(file) {
            Ok(whole) => read.push(whole),
            Err(found) => {
                mistakes.extend(found.into_iter().map(|(line, why)| format!("{}:{line}: {why}", file.display())));
            }
        }
    }
    if mistakes.is_empty() { Ok(read) } else { Err(Error::BadTests(mistakes)) }
}

type Mistakes = Vec<(usize, String)>;

struct Reading<'a> {
    text: &'a str,
    config: &'a Config,
    /// Whether the file names a pipeline for all cases.
    has_common: bool,
    mistakes: Mistakes,
}

impl Reading<'_> {
    fn read(mut self, path: &Path) -> Result<File, Mistakes> {
        let Form { pipeline, cases } = hookrail::parse_whole(self.text)?;
        if cases.is_empty() {
            self.wrong(1, "it has no [[cases]]");
        }
        self.has_common = pipeline.is_some();
        let common = pipeline.and_then(|pipeline| self.pipeline(&pipeline));
        let (mut ready, mut known) = (Vec::new(), BTreeMap::new());
        for case in cases {
            let (line, case) = (self.line(&case), case.into_inner());
            if let Some(first) = known.insert(case.name.get_ref().clone(), line) {
                let why = format!("another case is named {:?}: line {first}", case.name.get_ref());
                self.wrong(self.line(&case.name), why);
            }
            ready.push(self.case(line, case, common.as_deref()));
        }
        self.mistakes.sort_by_key(|(line, _)| *line);
        if self.mistakes.is_empty() { Ok(File { path: path.into(), cases: ready }) } else { Err(self.mistakes) }
    }

    fn case(&mut self, line: usize, case: Case, common: Option<&str>) -> Ready {
        let Case { name, pipeline, topic, mut messages, lines, expect } = case;
        let is_named = pipeline.is_some() || self.has_common;
        let pipeline = match pipeline {
            Some(named) => self.pipeline(&named),
            None => common.map(Into::into),
        };
        if let Some(lines) = lines {
            if !messages.is_empty() {
                self.wrong(self.line(&lines), "the case has both `messages` and `lines`");
            }
            messages.extend(lines.get_ref().lines().map(Given::line));
        }
        if messages.is_empty() {
            self.wrong(line, "the case has no message: `messages` or `lines` has them");
        } else if messages.len() != expect.len() {
            let (has, says) = (messages.len(), expect.len());
            self.wrong(line, format!("`expect` says what becomes of {says} messages, and the case has {has}"));
        }
        let expect: Vec<_> = expect.into_iter().map(|expected| (self.line(&expected), expected.into_inner())).collect();
        for sink in expect.iter().flat_map(|(_, expected)| expected.sinks.iter().flatten()) {
            match &pipeline {
                Some(pipeline) => self.sink(sink, pipeline),
                // What is wrong with its name is said already.
                None if is_named => {}
                None => self.wrong(self.line(sink), "`sinks` needs the `pipeline` whose sinks they are"),
            }
        }
        let steps = messages.into_iter().zip(expect).map(|(given, (line, expected))| (given, line, expected)).collect();
        Ready { name: name.into_inner(), line, pipeline, topic, steps }
    }

    /// The name of a pipeline that there is.
    fn pipeline(&mut self, named: &Spanned<String>) -> Option<String> {
        let name = named.get_ref();
        if self.config.pipelines.contains_key(name) {
            return Some(name.clone());
        }
        let known: Vec<_> = self.config.pipelines.keys().map(String::as_str).collect();
        self.wrong(self.line(named), unknown("the configuration has no pipeline", name, &known));
        None
    }

    fn sink(&mut self, named: &Spanned<String>, pipeline: &str) {
        let name = named.get_ref();
        let sinks = &self.config.pipelines[pipeline].sinks;
        if !sinks.contains_key(name) {
            let known: Vec<_> = sinks.keys().map(String::as_str).collect();
            self.wrong(self.line(named), unknown(&format!("the pipeline `{pipeline}` has no sink"), name, &known));
        }
    }

    fn wrong(&mut self, line: usize, why: impl Into<String>) {
        self.mistakes.push((line, why.into()));
    }

    fn line<T>(&self, of: &Spanned<T>) -> usize {
        1 + self.text.as_bytes()[..of.span().start].iter().filter(|byte| **byte == b'\n').count()
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("{what} `{name}`, but `{near}`"),
        None if known.is_empty() => format!("{what} `{name}`, and none else"),
        None => format!("{what} `{name}`, but {}", known.join(", ")),
    }
}
