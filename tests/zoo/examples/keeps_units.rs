//! Starts units where a message says so, speaks with their processes in lines, and answers with what it knows of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use hookrail_abi::host::Instance;
use hookrail_abi::prelude::*;
use hookrail_abi::unit::{Event, OrderKind, Spec, Unit};

#[config]
#[derive(Clone, Default)]
struct Config {
    /// The script of a unit that it has as soon as it starts.
    #[serde(default)]
    script: Option<String>,
}

struct Specimen {
    instance: Instance,
    units: Mutex<BTreeMap<String, Kept>>,
}

struct Kept {
    unit: Arc<Unit>,
    events: Arc<Mutex<Vec<String>>>,
    speaker: JoinHandle<()>,
}

impl Specimen {
    fn begin(&self, spec: &Spec, name: &str) -> String {
        let unit = match self.instance.start_unit(spec) {
            Ok(unit) => Arc::new(unit),
            Err(why) => return why.to_string(),
        };
        let events = Arc::new(Mutex::default());
        let speaker = {
            let (unit, events) = (unit.clone(), events.clone());
            std::thread::spawn(move || speak(&unit, &events))
        };
        self.units.lock().unwrap().insert(name.into(), Kept { unit, events, speaker });
        "began".into()
    }

    fn answer(&self, message: &mut Message) {
        let text = String::from_utf8_lossy(&message.body).into_owned();
        let words: Vec<_> = text.splitn(3, ' ').collect();
        let known =
            |name: &str| self.units.lock().unwrap().get(name).map(|kept| (kept.unit.clone(), kept.events.clone()));
        let answer = match words[..] {
            ["start", name, script] => self.begin(&shell(name, script), name),
            ["start-pinged", name, script] => {
                let (often, soon) = (Duration::from_millis(20), Duration::from_secs(60));
                self.begin(&shell(name, script).pings(Some(often)).pong(soon), name)
            }
            ["start-once", name, script] => self.begin(&shell(name, script).restarts(1), name),
            ["start-program", name, program] => self.begin(&Spec::new(name, program), name),
            // Nobody takes what happens to it.
            ["start-unheard", name, script] => {
                match self.instance.start_unit(&shell(name, script).shutdown(Duration::from_millis(50))) {
                    Ok(unit) => {
                        let kept =
                            Kept { unit: Arc::new(unit), events: Arc::default(), speaker: std::thread::spawn(|| {}) };
                        self.units.lock().unwrap().insert(name.into(), kept);
                        "began".into()
                    }
                    Err(why) => why.to_string(),
                }
            }
            ["status", name] => known(name).map_or("unknown".into(), |(unit, _)| {
                unit.status().map_or("over".into(), |status| {
                    format!("{:?} {} {}: {}", status.state, status.pid.unwrap_or(0), status.restarts, status.reason)
                })
            }),
            ["events", name] => known(name).map_or("unknown".into(), |(_, events)| events.lock().unwrap().join(", ")),
            ["signal", name, signal] => {
                known(name).map_or("unknown".into(), |(unit, _)| unit.signal(signal.parse().unwrap_or(-1)).to_string())
            }
            ["is-readable", name] => known(name).map_or("unknown".into(), |(unit, _)| is_readable(&unit).to_string()),
            ["end", name] => {
                if let Some((unit, _)) = known(name) {
                    unit.end();
                }
                "told".into()
            }
            ["abort"] => std::process::abort(),
            _ => return,
        };
        message.body = answer.into();
    }
}

/// Whether there is something to take, as a runtime would find out.
fn is_readable(unit: &Unit) -> bool {
    let Some(descriptor) = unit.watch() else { return false };
    let mut polled = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: it is one structure, and ours.
    unsafe { libc::poll(&mut polled, 1, 0) == 1 }
}

/// A script that has as much time as a busy machine needs.
fn shell(name: &str, script: &str) -> Spec {
    let long = Duration::from_secs(120);
    let spec = Spec::new(name, "/bin/sh").arg("-c").arg(script).env("UNIT", name).pings(None);
    spec.ready(long).order(long).shutdown(long)
}

/// Passes on to the process what is ordered, and what it says of that, until the unit is over.
fn speak(unit: &Arc<Unit>, events: &Arc<Mutex<Vec<String>>>) {
    let note = |what: String| events.lock().unwrap().push(what);
    let mut process: Option<(File, Arc<Mutex<BufReader<File>>>)> = None;
    while let Some(event) = unit.next(None) {
        match event {
            Event::Started(started) => {
                note(format!("started {}", started.run));
                let mut lines = BufReader::new(started.stdout);
                let mut line = String::new();
                if lines.read_line(&mut line).is_ok() && line.trim() == "ready" {
                    unit.ready(started.run);
                }
                process = Some((started.stdin, Arc::new(Mutex::new(lines))));
            }
            Event::Ordered(order) => {
                note(format!("{:?}", order.kind));
                let Some((stdin, lines)) = &mut process else { continue };
                let mut line = String::new();
                let _ = writeln!(stdin, "{:?}", order.kind);
                let _ = lines.lock().unwrap().read_line(&mut line);
                let ends = order.kind == OrderKind::Shutdown;
                match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
                    ("done", _) => order.done(),
                    ("refused", why) => order.refuse(why),
                    ("not-ready", _) => order.not_ready(),
                    ("unwell", why) => order.unwell(why),
                    _ => drop(order),
                }
                if ends {
                    process = None;
                }
            }
            Event::Ended { run, exit, .. } => {
                process = None;
                note(format!("ended {run} {exit:?}"));
            }
            Event::Failed => note("failed".into()),
            _ => {}
        }
    }
    note("over".into());
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "answer" => Self::answer, priority = 10, effects = external];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        let specimen = Specimen { instance: host.instance(), units: Mutex::default() };
        if let Some(script) = config.script {
            let began = specimen.begin(&shell("own", &script), "own");
            if began != "began" {
                return Err(began.into());
            }
        }
        Ok(specimen)
    }

    fn stop(&self) {
        for (_, Kept { unit, speaker, .. }) in std::mem::take(&mut *self.units.lock().unwrap()) {
            assert!(unit.is_over(), "units end before their instance is stopped");
            let _ = speaker.join();
        }
    }
}

export!(Specimen, name = "keeps-units");
