//! The host is killed while it follows a file that is written and rotated.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hookrail_tests::cli::home;
use hookrail_tests::probe::eventually;
use hookrail_tests::random::Random;
use hookrail_tests::zoo;

use crate::scenes::{FOLLOW, Over, Place, complete, following, signal};

/// How often; more by `HOOKRAIL_KILLS`.
const KILLS: usize = 5;

/// Whether there is a mark of the file that is written.
fn is_noted(place: &Place, home: &Path) -> bool {
    let marks = fs::read_to_string(home.join("streams/marks/logs/files.json")).unwrap_or_default();
    fs::metadata(place.path("logs/app.log")).is_ok_and(|file| marks.contains(&format!(":{}\"", file.ino())))
}

#[test]
fn a_host_that_is_killed_again_and_again_misses_no_line() {
    misses_no_line(following("serve-kills"), FOLLOW);
}

#[test]
fn a_queue_on_disk_outlives_kill_after_kill() {
    let slow = |micros: u64| {
        let sink = format!(
            "use = \"sends-and-takes\"\nqueue = {{ policy = \"spill\", capacity = 64 }}\nconfig.takes_us = {micros}"
        );
        let library = zoo("sends_and_takes");
        FOLLOW
            .replace("use = \"file-log\"", &sink)
            .replace("config = { path = \"DIR/out/all.txt\" }", "config.file = \"DIR/out/all.txt\"")
            + &format!("[plugins.sends-and-takes]\nlibrary = {library:?}\n")
    };
    let place = following("serve-spill-kills");
    // Lines come faster than it takes them, so that most are on disk.
    place.configure(&slow(200));
    misses_no_line(place, &slow(0));
}

/// Kills the host again and again; the last one, with that configuration, is to have delivered all lines.
fn misses_no_line(place: Place, last_config: &str) {
    let kills = std::env::var("HOOKRAIL_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let is_over = AtomicBool::new(false);
    // Each thread has its own.
    let home = home();
    let mut random = Random::of(1);
    let written = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let (mut number, mut since) = (0, 0);
            while !is_over.load(Ordering::SeqCst) {
                let lines: String = (number..number + 20).map(|number| format!("{number}\n")).collect();
                // Half a line, and then the rest of it.
                let (first, rest) = lines.split_at(lines.len() / 2);
                place.append("logs/app.log", first);
                place.append("logs/app.log", rest);
                number += 20;
                // A file that is rotated before the host has noted it, and while the host is down, is not known to be one.
                if number - since >= 2000 && is_noted(&place, &home) {
                    since = number;
                    let rotated = format!("logs/app-{number}.old");
                    fs::rename(place.path("logs/app.log"), place.path(&rotated)).unwrap();
                }
                thread::sleep(Duration::from_millis(2));
            }
            number
        });
        let over = Over(&is_over);
        for _ in 0..kills {
            let before = place.lines("out/all.txt").len();
            let serving = place.serve();
            eventually("it delivers", || place.lines("out/all.txt").len() > before + 100);
            thread::sleep(Duration::from_millis(random.below(500) as u64));
            signal(serving.id(), libc::SIGKILL);
            serving.end();
        }
        drop(over);
        writing.join().unwrap()
    });
    place.configure(last_config);
    let serving = place.serve();
    let last = (written - 1).to_string();
    eventually("the last line is there", || place.lines("out/all.txt").contains(&last));
    serving.interrupt();
    assert_eq!(serving.end().0, Some(0));
    let twice = complete(&place.lines("out/all.txt"), written);
    println!("{written} lines, {kills} kills, {twice} came twice");
}
