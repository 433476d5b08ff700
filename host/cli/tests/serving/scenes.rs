//! A host that serves pipelines of a file.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{PATIENT, directory, hookrail};
use hookrail_tests::probe::{LONG, eventually};

/// A directory with a configuration, and the files that it names.
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
}

impl Place {
    /// With a configuration in which `DIR` stands for the directory.
    pub(crate) fn new(test: &str, config: &str) -> Self {
        let place = Place { directory: directory(test) };
        place.configure(config);
        place
    }

    pub(crate) fn configure(&self, config: &str) {
        let config = config.replace("DIR", self.directory.to_str().unwrap());
        fs::write(self.path("hookrail.toml"), config).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Appends to a file.
    pub(crate) fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name)).unwrap_or_default().lines().map(Into::into).collect()
    }

    /// The program there, with these arguments; its prebuilt plugins are found.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = hookrail(arguments);
        let plugins = hookrail_tests::plugin("tail");
        command.current_dir(&self.directory).env("HOOKRAIL_PLUGINS", plugins.parent().unwrap()).envs(PATIENT);
        command
    }

    /// A host that serves. When it ends it waits for its sinks as long as they take: what one of them has not answered
    /// for by then would come twice.
    pub(crate) fn serve(&self) -> Live {
        Live::start(&mut self.command(&["serve", "--drain", "2m"]))
    }

    /// A host that serves, and can be asked.
    pub(crate) fn serve_and_answer(&self) -> Live {
        let serving = self.serve();
        eventually("it answers", || self.ask(&["status"]).contains("pipelines"));
        serving
    }

    /// What a verb prints.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    pub(crate) fn wait_for_lines(&self, name: &str, count: usize) {
        eventually("the lines are there", || self.lines(name).len() >= count);
    }

    /// Waits until a pipeline has so many messages delivered, and holds none: then its source has their marks, too. A line
    /// that is written is not yet answered for.
    pub(crate) fn wait_until_delivered(&self, pipeline: &str, count: usize) {
        let count = format!("\"delivered\": {count},");
        eventually("all is delivered", || {
            let shown = self.ask(&["pipeline", "show", pipeline, "--json"]);
            shown.contains(&count) && shown.contains("\"held\": 0")
        });
    }
}

/// Sends a signal.
pub(crate) fn signal(process: u32, signal: i32) {
    // SAFETY: the call touches no memory.
    unsafe { libc::kill(process.cast_signed(), signal) };
}

/// Ends whoever works until that is set, whatever becomes of the test.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Hears what a host tells its supervisor.
pub(crate) struct Supervisor {
    /// Its path.
    pub(crate) socket: PathBuf,
    heard: UnixDatagram,
}

impl Supervisor {
    pub(crate) fn new(test: &str) -> Self {
        // A socket's path is short.
        let socket = std::env::temp_dir().join(format!("hookrail-{test}-{}", std::process::id()));
        let _ = fs::remove_file(&socket);
        let heard = UnixDatagram::bind(&socket).unwrap();
        heard.set_read_timeout(Some(LONG)).unwrap();
        Supervisor { socket, heard }
    }

    /// What is told next.
    pub(crate) fn told(&self) -> String {
        let mut text = [0; 64];
        let length = self.heard.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    }

    /// Sends the host a signal to end, and waits until it tells that it does. A socket has room for a few signs of life that
    /// nobody has heard, and a host does not wait to tell more: so there is room for what follows when it gets the signal.
    pub(crate) fn hears_it_end(&self, host: &Live, by: i32) {
        host.stop();
        self.heard.set_nonblocking(true).unwrap();
        while self.heard.recv(&mut [0; 64]).is_ok() {}
        self.heard.set_nonblocking(false).unwrap();
        signal(host.id(), by);
        signal(host.id(), libc::SIGCONT);
        while self.told() != "STOPPING=1" {}
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Nobody else has it.
        let _ = fs::remove_file(&self.socket);
    }
}

/// Follows the files of `logs`, masks them, and writes them to `out/all.txt`. The rest of a line may come minutes after its
/// beginning.
pub(crate) const FOLLOW: &str = r#"
[plugins.mask.config]
patterns = ["secret[0-9]+"]
[pipelines.logs.sources.files]
use = "tail"
config = { paths = ["DIR/logs/*.log"], start_at = "beginning", poll_every = "20ms", idle_flush = "10m" }
[pipelines.logs.sinks.all]
use = "file-log"
config = { path = "DIR/out/all.txt" }
"#;

pub(crate) fn following(test: &str) -> Place {
    let place = Place::new(test, FOLLOW);
    for name in ["logs", "out"] {
        fs::create_dir_all(place.path(name)).unwrap();
    }
    place
}

/// Checks that no number below that one is missing; returns how many came twice.
pub(crate) fn complete(lines: &[String], until: usize) -> usize {
    let numbers: BTreeSet<usize> = lines.iter().map(|line| line.parse().expect("a whole line")).collect();
    let missing: Vec<_> = (0..until).filter(|number| !numbers.contains(number)).collect();
    let ends = missing.first().zip(missing.last());
    assert!(ends.is_none(), "{} of {until} are missing, between these: {ends:?}", missing.len());
    lines.len() - until
}
