//! Files that are rotated again and again while they are written to at full speed. A line is its own number.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hookrail_abi::Message;

use super::scene::Scene;

/// How often in a round.
const ROTATIONS: usize = 100;
/// So many lines are written between two rotations, and then more until a line of the file has come: one that is gone
/// before it was found is not known to have been there.
const LINES: usize = 500;
/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many rounds; more by `HOOKRAIL_ROTATIONS`, the number of all rotations.
fn rounds() -> usize {
    let rotations = std::env::var("HOOKRAIL_ROTATIONS").map_or(ROTATIONS, |rotations| rotations.parse().unwrap());
    rotations.div_ceil(ROTATIONS)
}

/// Writes numbers, line by line, and has the file rotated: `rotate` gets its path, the number of the rotation, and the open
/// file, and returns the one to go on with. Returns how many it has written.
fn write(path: &Path, come: &AtomicUsize, is_over: &AtomicBool, rotate: impl Fn(&Path, usize, File) -> File) -> usize {
    let (mut file, mut number) = (open(path), 0);
    for rotation in 0..ROTATIONS {
        let first = number;
        while number < first + LINES || come.load(Ordering::SeqCst) <= first {
            if is_over.load(Ordering::SeqCst) {
                return number;
            }
            writeln!(file, "{number}").unwrap();
            number += 1;
        }
        file = rotate(path, rotation, file);
    }
    writeln!(file, "{number}").unwrap();
    number + 1
}

fn open(path: &Path) -> File {
    File::options().append(true).create(true).open(path).unwrap()
}

fn number(message: &Message) -> usize {
    let body = message.body.to_display();
    body.parse().unwrap_or_else(|_| panic!("{body:?} was never a line"))
}

/// Runs the source beside the writer. Returns the numbers in the order in which they came, and how many were written.
fn stormed(rotate: impl Fn(&Path, usize, File) -> File + Send) -> (Vec<usize>, usize) {
    let scene = Scene::new();
    let path = scene.path("a.log");
    // One more than the greatest number that has come.
    let (come, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let writing = scope.spawn(|| write(&path, &come, &is_over, rotate));
        let over = Over(&is_over);
        // How often nothing has come since all was written.
        let (began, mut seen, mut last, mut looks) = (Instant::now(), 0, Instant::now(), 0);
        let sent = scene.until("", |sent| {
            looks = if writing.is_finished() { looks + 1 } else { 0 };
            if sent.messages.len() > seen {
                (seen, last, looks) = (sent.messages.len(), Instant::now(), 0);
                come.fetch_max(number(&sent.messages[seen - 1]) + 1, Ordering::SeqCst);
            }
            // On a busy machine a second may be over before the source has looked.
            let is_quiet = looks > 100 && last.elapsed() > Duration::from_secs(1);
            is_quiet || began.elapsed() > PATIENCE
        });
        drop(over);
        let written = writing.join().unwrap();
        assert!(began.elapsed() < PATIENCE, "{} of {written} lines have come", sent.messages.len());
        (sent.messages.iter().map(number).collect(), written)
    })
}

/// Ends the writer, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// All came, each once, and in order.
fn check(rotate: impl Fn(&Path, usize, File) -> File + Send + Copy) {
    for _ in 0..rounds() {
        let (come, written) = stormed(rotate);
        let first = come.iter().zip(0..).find(|(come, expected)| **come != *expected);
        assert_eq!((first, come.len()), (None, written));
    }
}

#[test]
fn no_line_is_lost_by_renaming() {
    check(|path, rotation, _| {
        fs::rename(path, path.with_extension(format!("log.{rotation}"))).unwrap();
        open(path)
    });
}

#[test]
fn no_line_is_lost_by_recreating() {
    check(|path, _, _| {
        fs::remove_file(path).unwrap();
        open(path)
    });
}

/// What is lost by `copytruncate` was written right before a truncation, and nothing comes twice, or in another order.
#[test]
fn copying_and_truncating_loses_only_what_is_written_last() {
    for _ in 0..rounds() {
        let (come, written) = stormed(|path, rotation, file| {
            fs::copy(path, path.with_extension(format!("log.{rotation}"))).unwrap();
            file.set_len(0).unwrap();
            file
        });
        assert!(come.is_sorted_by(|one, next| one < next), "nothing comes twice, and all in order");
        let losses = come.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
        assert!(come[0] == 0 && losses <= ROTATIONS, "{losses} losses in {ROTATIONS} truncations");
        println!("{written} lines, {} lost in {losses} of {ROTATIONS} truncations", written - come.len());
    }
}
