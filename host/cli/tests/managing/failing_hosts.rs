//! A host in the middle of a verb: its disk is full, or it is killed. It serves what its store says, and the
//! store is what it was or what it was to become.
//!
//! `HOOKRAIL_FAULTS=all` kills ten times as many hosts; `HOOKRAIL_SEED=N` has the moments of a run that printed
//! N, as far as a machine can.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked::Stocked;
use hookrail_tests::cli::text;
use hookrail_tests::cli::whole::{CONFIGURE, ENABLE, INSTALL_OVER, PURGE, ROLLBACK, UPGRADE, Verb, Whole};
use hookrail_tests::may_mount;
use hookrail_tests::probe::eventually;
use hookrail_tests::random::Random;

/// One version takes no state of others: it comes back with what it had itself.
#[test]
fn a_host_on_a_full_disk_goes_back_to_what_is_installed() {
    if !may_mount() {
        return;
    }
    for (from, to) in [("1.0.0", "1.1.0"), ("2.0.0", "4.0.0")] {
        full(from, to);
    }
}

/// Upgrades with room for ever more pages, until there is enough.
fn full(from: &str, to: &str) {
    let mut cramped = Cramped::new(from, "");
    let mut went_back = 0;
    for pages in 0.. {
        let before = screen(&cramped.home).2;
        let upgraded = cramped.upgrade(to, pages);
        let (version, health, generation) = screen(&cramped.home);
        assert_eq!(health, "good", "{pages} pages");
        if upgraded.status.success() {
            assert_eq!((version, generation), (to.into(), before + 1));
            break;
        }
        let said = text(&upgraded.stderr);
        assert!(said.contains("No space left on device") && said.contains("fix: free some space"), "{said}");
        assert_eq!(version, from, "{pages} pages");
        // There and back, or the new one was never loaded.
        assert!([before, before + 2].contains(&generation), "{before} and {generation}");
        went_back += usize::from(generation > before);
    }
    assert!(went_back > 0, "none was refused by the disk when the host had gone ahead");
    assert_eq!(cramped.run.end().0, Some(0));
}

/// Else its faults would bring back the version that was refused.
#[test]
fn a_version_that_a_host_went_back_to_is_on_no_probation() {
    if !may_mount() {
        return;
    }
    let mut cramped = Cramped::new(
        "4.0.0",
        "[upgrade]\nprobation = \"1h\"\nprobation_faults = 1\n[quarantine]\nfaults = 3\nwithin = \"1h\"\npause = \"0s\"\n",
    );
    let mut pages = 0;
    while screen(&cramped.home).2 == 1 {
        let upgraded = cramped.upgrade("5.0.0", pages);
        assert!(!upgraded.status.success(), "none was refused by the disk when the host had gone ahead");
        pages += 1;
    }
    for _ in 0..3 {
        assert_eq!(cramped.run.through("boom"), "boom");
    }
    let is_quarantined = || {
        let shown = cramped.home.json(&["plugin", "show", "screen"]);
        shown["callbacks"][0]["status"] == "quarantined"
    };
    eventually("it is quarantined", is_quarantined);
    // Nothing is being done to it.
    cramped.home.ok(&["plugin", "stop", "screen"]);
    let (version, _, generation) = screen(&cramped.home);
    assert_eq!((&*version, generation), ("4.0.0", 3));
}

/// A host whose home lies on a disk of its own, with a version of the plugin.
struct Cramped {
    home: Stocked,
    run: Live,
}

impl Cramped {
    fn new(version: &str, config: &str) -> Self {
        let template = Stocked::new(&format!("full_{version}"));
        template.ok(&["plugin", "install", &format!("screen-{version}.hrp")]);
        template.ok(&["plugin", "enable", "screen"]);
        let [disk, file] = ["disk", "hookrail.toml"].map(|name| template.home.with_file_name(name));
        fs::create_dir(&disk).unwrap();
        fs::write(&file, config).unwrap();
        let script = r#"
            mount -t tmpfs -o size=1m,mode=700 none "$1" && cp -a "$2/." "$1" || exit
            HOOKRAIL_HOME="$1" SCREEN_UNTIL=/ exec "$0" run --config "$3"
        "#;
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_hookrail")]);
        let mut run = Live::start(command.args([&disk, &template.home, &file]));
        assert_eq!(run.through("a line"), "a line");
        // The disk is there for this one process; by this name for others too.
        let home = Stocked { home: format!("/proc/{}/root{}", run.id(), disk.display()).into() };
        Cramped { home, run }
    }

    /// Upgrades with room for so many pages; messages go on.
    fn upgrade(&mut self, to: &str, pages: u64) -> Output {
        leave_room(&self.home, pages);
        let upgraded = self.home.run(&["plugin", "upgrade", "screen", &format!("screen-{to}.hrp")]);
        assert_eq!(self.run.through("a line"), "a line");
        upgraded
    }
}

/// The version that serves, how it is, and which generation it is.
fn screen(home: &Stocked) -> (String, String, u64) {
    let shown = home.json(&["plugin", "show", "screen"]);
    let of = |field: &str| shown[field].as_str().unwrap().to_owned();
    assert_eq!(shown["installed"]["version"], shown["version"]);
    (of("version"), of("health"), shown["generation"].as_u64().unwrap())
}

/// Fills the disk up to so many pages.
fn leave_room(home: &Stocked, pages: u64) {
    const PAGE: u64 = 4096;
    let mut filler = File::create(home.home.join("filler")).unwrap();
    loop {
        match filler.write_all(&[0; PAGE as usize]) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => break,
            Err(error) => panic!("{error}"),
        }
    }
    let full = filler.metadata().unwrap().len() / PAGE;
    filler.set_len((full - pages) * PAGE).unwrap();
}

#[test]
fn behind_a_host_that_is_killed_in_a_verb_the_store_is_whole() {
    let kills = if std::env::var_os("HOOKRAIL_FAULTS").is_some() { 50 } else { 5 };
    let mut random = Random::of_run();
    let mut in_time = 0;
    for verb in [INSTALL_OVER, UPGRADE, ENABLE, ROLLBACK, CONFIGURE, PURGE] {
        in_time += killed(verb, kills, &mut random);
    }
    assert!(in_time > 0, "no host was killed before its verb was done");
}

/// Kills a host so many times; returns how many times the verb did not get its answer.
fn killed(verb: Verb, kills: usize, random: &mut Random) -> usize {
    let whole = Whole::of(verb, &format!("host_killed_{}", verb.name.replace(' ', "_")));
    let home = &whole.home;
    let (mut usual, mut in_time, mut new) = (None, 0, 0);
    for kill in 0..=kills {
        whole.reset();
        let mut run = Live::start(&mut home.command(&["run", "-q"]));
        assert_eq!(run.through("a line"), "a line");
        let began = Instant::now();
        let mut asking = home.command(verb.arguments);
        let mut asking = asking.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The first is not killed before its time.
        let moment = usual.map(|usual: Duration| usual.mul_f64(random.part()));
        moment.map_or_else(|| assert!(asking.wait().unwrap().success()), sleep);
        usual.get_or_insert_with(|| began.elapsed());
        drop(run);
        let is_done = asking.wait().unwrap().success();
        // Its socket.
        fs::remove_dir_all(home.home.join("run")).unwrap();
        let at = format!("{}, kill {kill}, after {moment:?} of {usual:?}", verb.name);
        let left = whole.settle(&at);
        assert!(left.is_new || !is_done, "{at}");
        home.ok(&["run", "-q"]);
        in_time += usize::from(!is_done);
        new += usize::from(left.is_new);
    }
    println!("{}: {in_time} of {kills} hosts were killed before it was done; {new} left the new state", verb.name);
    in_time
}
