//! Makes a package with so many megabytes in it that cannot be packed, verifies it, and says how much
//! memory each took, `large MEGABYTES`: for `tests/tests/packages/bounds.rs` and the example `store` of the
//! benchmarks.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use hookrail::inspect;
use hookrail::package::{Content, Metadata, Package, write};
use hookrail_tests::random::Random;
use hookrail_tests::{plugin, raw};

/// What streams through buffers takes no more, however much it is.
const MOST: u64 = 16 << 20;

fn main() {
    let megabytes = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("usage: large MEGABYTES");
    let library = plugin("hello");
    // It is looked at as a whole, mapped.
    let most = MOST + fs::metadata(&library).expect("the library").len();
    let directory = tempfile::tempdir().expect("a directory");
    let large = directory.path().join("large");
    noise(&large, megabytes).expect("there is room for it");
    let note = inspect(&library).expect("a plugin").note;
    let mut draft: Metadata = serde_json::from_value(raw::metadata(&raw::FILES, b"")).expect("metadata");
    draft.version = note.version.parse().expect("a version");
    draft.targets[0].libc = "2.99".parse().expect("one that is newer than any");
    (draft.isolation, draft.capabilities, draft.hooks) = (note.isolation, note.capabilities, note.hooks);
    let content = |path: &str, from: &Path| Content::new(path.parse().expect("a path"), from);
    let contents = vec![content(raw::LIBRARY, &library), content("large", &large)];
    let (path, _) = measured("packing", most, || write(draft, contents, directory.path(), None).expect("it is packed"));
    let length = fs::metadata(&path).expect("the package").len();
    assert!(length > megabytes << 20, "it cannot be packed: {length}");
    measured("verifying", most, || Package::open(&path).expect("it is one").verify().expect("it is whole"));
}

/// The same each time.
fn noise(path: &Path, megabytes: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    let mut random = Random::of(0x9e37_79b9_7f4a_7c15);
    for _ in 0..megabytes << 17 {
        file.write_all(&random.number().to_ne_bytes())?;
    }
    file.flush()
}

fn measured<T>(what: &str, most: u64, body: impl FnOnce() -> T) -> T {
    // Forgets the peak so far.
    fs::write("/proc/self/clear_refs", "5").expect("our own peak");
    let (before, began) = (peak(), Instant::now());
    let result = body();
    let (grown, took) = (peak() - before, began.elapsed());
    println!("{what}: {took:.1?}, and the peak of memory grew by {} KiB", grown >> 10);
    assert!(grown <= most, "{what}: {grown} bytes of memory, of {most}");
    result
}

/// The most memory that was there at once.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("our own status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it has its peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}
