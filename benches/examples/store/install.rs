//! Installing a package of ten megabytes, compared with `unzip` and `sha256sum` of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use hookrail_tests::random::Random;

use crate::made::Maker;
use crate::row::Row;
use crate::taking::{compare, hookrail, places, timed};

/// The same in every run.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

const ROUNDS: usize = 15;

/// The length of the package, in bytes.
const LENGTH: usize = 10 << 20;

pub(crate) fn measure(maker: &Maker) -> Vec<Row> {
    // So much text that it is as long as the noise when packed.
    let bytes = [("noise", noise(LENGTH)), ("text", text(LENGTH * 3))];
    let mut rows = Vec::new();
    for (what, bytes) in bytes {
        let package = maker
            .package("screen", &[("data/first", &bytes[..bytes.len() / 2]), ("data/rest", &bytes[bytes.len() / 2..])]);
        let length = fs::metadata(&package).expect("it is there").len() as f64 / f64::from(1 << 20);
        for (place, directory) in places() {
            let case = format!("installing a package of {length:.0} MB, {} MB of {what}, {place}", bytes.len() >> 20);
            rows.push(at(maker, &package, &directory, case));
        }
    }
    rows
}

fn at(maker: &Maker, package: &Path, directory: &Path, case: String) -> Row {
    let directory = tempfile::tempdir_in(directory).expect("a directory");
    let (home, unzipped) = (directory.path().join("home"), directory.path().join("unzipped"));
    let mut sum = Command::new("sha256sum");
    let mut unzip = Command::new("unzip");
    sum.arg(package);
    unzip.args(["-q", "-d"]).args([&unzipped, package]);
    let baseline = || {
        let _ = fs::remove_dir_all(&unzipped);
        timed(&mut unzip) + timed(&mut sum)
    };
    let install = || {
        let _ = fs::remove_dir_all(&home);
        maker.store(&home);
        timed(hookrail(&home).args(["plugin", "install"]).arg(package))
    };
    let [peers, ours] = compare(ROUNDS, baseline, install);
    let ratio = ours / peers;
    Row {
        case,
        must: "2 x (`unzip` + `sha256sum`) of the same",
        measured: format!("{ratio:.2} ({ours:.0} ms, {peers:.0} ms)"),
        is_met: ratio <= 2.0,
    }
}

/// Random bytes by xorshift, which cannot be compressed.
fn noise(length: usize) -> Vec<u8> {
    let mut random = Random::of(SEED);
    (0..length / 8).flat_map(|_| random.number().to_ne_bytes()).collect()
}

/// Lines of a log, with varying numbers.
fn text(length: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "connection",
        "from",
        "accepted",
        "refused",
        "user",
        "session",
        "opened",
        "closed",
        "for",
        "port",
        "after",
        "timeout",
        "in",
        "queue",
        "message",
        "delivered",
    ];
    let (mut random, mut text) = (Random::of(SEED), Vec::with_capacity(length));
    while text.len() < length {
        let number = random.number();
        text.extend_from_slice(format!("{:08x} ", number as u32).as_bytes());
        for shift in (32..56).step_by(4) {
            text.extend_from_slice(WORDS[(number >> shift) as usize & 15].as_bytes());
            text.push(b' ');
        }
        text.push(b'\n');
    }
    text.truncate(length);
    text
}
