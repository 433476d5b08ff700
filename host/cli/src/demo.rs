//! `hookrail demo`: everything in a few seconds, on real input.

mod sample;
mod traffic;

use std::time::Instant;

use hookrail::{CallbackView, Config, Host, Message, MessagePublish, PluginConfig, PluginHandle};
use indicatif::{BinaryBytes, HumanCount};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::Demo;
use crate::bench;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::measure::Cost;
use crate::plugins::Finder;
use crate::table::{Column, Target, table};
use crate::{hooks, print};

use sample::Sample;
use traffic::Traffic;

/// Enough to resolve a nanosecond, and over in a moment.
const ROUNDS: u32 = 200;

pub(crate) fn run(options: &Demo) -> Result<ExitCode, Error> {
    let finder = Finder::new(&[]);
    let show = Show { enabled: !options.json };
    show.title("hookrail: native plugins on named hooks, in the order of their priority")?;

    show.step("1  Load plugins: shared libraries, checked before any of their code runs")?;
    let host = Host::new(config())?;
    let loaded = ["throttle", "mask", "stamp"].map(|name| load(&host, &finder, name));
    let loaded = loaded.into_iter().collect::<Result<Vec<_>, _>>()?;
    show.text(loads(&loaded))?;

    show.step("2  The chain of message.publish, in the order in which it runs")?;
    let chain = chain(&host);
    show.text(hooks::chain(&chain))?;

    let sample = Sample::find();
    show.step(&format!("3  Filter a real log: {}, {} lines", sample.name, HumanCount(sample.lines.len() as u64)))?;
    let filtered = filter(&host, &sample)?;
    show.text(filtered.to_text())?;

    show.step("4  Plugins come and go while another thread keeps publishing")?;
    let hello = finder.find("hello")?;
    let traffic = traffic::run(&host, &sample, &hello, loaded.into_iter().next().map(|loaded| loaded.plugin))?;
    show.text(traffic.to_text())?;

    show.step("5  What a dispatch costs here, beside a raw loop over the same function pointers")?;
    let library = bench::library(&[])?;
    let costs = [1, 4, 16].map(|callbacks| bench::best(&library, callbacks, 1, ROUNDS));
    let costs = costs.into_iter().collect::<Result<Vec<_>, _>>()?;
    show.text(format!("{}\n  callbacks from {}", bench::text(&costs), library.display()))?;

    // As it was started: it need not be found by its name.
    let program = std::env::args().next().unwrap_or_else(|| "hookrail".into());
    show.text(NEXT.replace("hookrail ", &format!("{program} ")))?;
    if options.json {
        print::json(&Facts { chain, filtered, traffic, costs })?;
    }
    Ok(ExitCode::Ok)
}

const NEXT: &str = "
Next:
  every hook point, and its callbacks             hookrail hooks list --plugin hello
  your own stream                                 tail -f LOG | hookrail run --plugin hello
  what a library or a package says of itself      hookrail inspect FILE
  the costs in full                               hookrail bench";

/// The results of the demo.
#[derive(Serialize)]
struct Facts {
    chain: Vec<CallbackView>,
    filtered: Filtered,
    traffic: Traffic,
    costs: Vec<Cost>,
}

/// The configuration, as `hookrail.toml` would have it.
fn config() -> Config {
    let plugin = |config: Value| PluginConfig::default().with_config(config);
    Config::default()
        // Version numbers stand for anything confidential: every log has some.
        .with_plugin("mask", plugin(json!({ "patterns": ["\\b[0-9]+(\\.[0-9]+)+[^ ]*"] })))
        .with_plugin("stamp", plugin(json!({ "headers": { "env": "demo" }, "counter": true })))
        .with_plugin("throttle", plugin(json!({ "rate": 1000, "burst": 3000, "key": "topic" })))
}

struct Loaded {
    plugin: PluginHandle,
    version: String,
    size: u64,
    hooks: String,
    seconds: f64,
}

fn load(host: &Host, finder: &Finder, name: &str) -> Result<Loaded, Error> {
    let file = finder.find(name)?;
    let inspection = hookrail::inspect(&file)?;
    let start = Instant::now();
    // SAFETY: a prebuilt plugin, or one the operator put where plugins are looked for.
    let plugin = unsafe { host.load(&file)? };
    let seconds = start.elapsed().as_secs_f64();
    let hooks = inspection.note.hooks.iter().map(|hook| format!("{} at {}", hook.point, hook.priority));
    let hooks = hooks.collect::<Vec<_>>().join(", ");
    Ok(Loaded { plugin, version: inspection.note.version.clone(), size: inspection.size, hooks, seconds })
}

fn loads(loaded: &[Loaded]) -> String {
    let columns = [
        Column::Text("plugin"),
        Column::Text("version"),
        Column::Number("size"),
        Column::Number("loaded in"),
        Column::Text("hooks"),
    ];
    let rows = loaded.iter().map(|loaded| {
        vec![
            loaded.plugin.name().into(),
            loaded.version.clone(),
            BinaryBytes(loaded.size).to_string(),
            format!("{:.1} ms", loaded.seconds * 1e3),
            loaded.hooks.clone(),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

fn chain(host: &Host) -> Vec<CallbackView> {
    host.point_views()
        .into_iter()
        .find(|view| view.point == "message.publish")
        .map(|view| view.chain)
        .unwrap_or_default()
}

/// The results for the sample.
#[derive(Serialize)]
struct Filtered {
    source: String,
    messages: u64,
    passed: u64,
    masked: u64,
    denied: u64,
    denied_by: Option<String>,
    seconds: f64,
    /// The shortest line that was masked.
    example: Option<Example>,
}

#[derive(Serialize)]
struct Example {
    before: String,
    after: String,
    headers: Vec<(String, String)>,
}

fn filter(host: &Host, sample: &Sample) -> Result<Filtered, Error> {
    let publish = host.point(MessagePublish)?;
    let mut filtered = Filtered {
        source: sample.name.clone(),
        messages: 0,
        passed: 0,
        masked: 0,
        denied: 0,
        denied_by: None,
        seconds: 0.0,
        example: None,
    };
    let start = Instant::now();
    for line in &sample.lines {
        let mut message = Message::new("log.sample", line.as_bytes());
        let outcome = publish.dispatch(&mut message);
        filtered.messages += 1;
        if outcome.is_denied() {
            filtered.denied += 1;
            if filtered.denied_by.is_none() {
                filtered.denied_by = host.denial(&outcome).map(|denial| denial.to_string());
            }
            continue;
        }
        filtered.passed += 1;
        if **message.body != *line.as_bytes() {
            filtered.masked += 1;
            if filtered.example.as_ref().is_none_or(|example| line.len() < example.before.len()) {
                let headers = message.headers.iter().map(|header| (header.key.to_string(), header.value.to_string()));
                let after = message.body.to_display().into_owned();
                filtered.example = Some(Example { before: line.clone(), after, headers: headers.collect() });
            }
        }
    }
    filtered.seconds = start.elapsed().as_secs_f64();
    Ok(filtered)
}

impl Filtered {
    fn to_text(&self) -> String {
        let mut text = String::new();
        if let Some(Example { before, after, headers }) = &self.example {
            let headers: Vec<_> = headers.iter().map(|(key, value)| format!("{key}={value}")).collect();
            text = format!("  in      {before}\n  out     {after}\n  with    {}\n", headers.join("  "));
        }
        let count = |number| HumanCount(number).to_string();
        text.push_str(&format!(
            "  {} passed ({} of them masked), {} denied, in {:.0} ms: {} messages/s",
            count(self.passed),
            count(self.masked),
            count(self.denied),
            self.seconds * 1e3,
            count((self.messages as f64 / self.seconds) as u64)
        ));
        if let Some(first) = &self.denied_by {
            text.push_str(&format!("\n  the first: {first}"));
        }
        text
    }
}

/// The output of the demo; silent if the results are printed as JSON.
struct Show {
    enabled: bool,
}

impl Show {
    fn title(&self, text: &str) -> Result<(), Error> {
        self.text(print::bold(text))
    }

    fn step(&self, text: &str) -> Result<(), Error> {
        self.text(format!("\n{}", print::bold(text)))
    }

    fn text(&self, text: String) -> Result<(), Error> {
        if self.enabled { print::lines(text) } else { Ok(()) }
    }
}
