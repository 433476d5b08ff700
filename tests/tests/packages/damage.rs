//! A package that was damaged anywhere is refused, or it is what it was: nothing in between, and never a
//! panic. Who made it is not asked here; a signature is of all its bytes.

use std::fs;

use hookrail_tests::raw::{Contents, FILES, FULL_NAME, Member, entries, members, metadata, read, tar, zip};
use tempfile::NamedTempFile;

/// Packed in both ways.
fn packages() -> [Vec<u8>; 2] {
    let tar = tar(&entries());
    let metadata = metadata(&FILES, &tar);
    let json = Member::stored(format!("{FULL_NAME}.json"), metadata.to_string().as_bytes());
    [zip(&members(&metadata, &tar)), zip(&[json, Member::stored(format!("{FULL_NAME}.tar"), &tar)])]
}

fn contents(file: &NamedTempFile, bytes: &[u8]) -> Option<Contents> {
    fs::write(file, bytes).unwrap();
    match read(file.path()) {
        Ok(contents) => Some(contents),
        Err(error) => {
            assert!(error.code().starts_with("HR08") && error.to_string().len() < 2000, "{error}");
            None
        }
    }
}

#[test]
fn a_package_that_is_cut_off_anywhere_is_refused() {
    let file = NamedTempFile::new().unwrap();
    for package in packages() {
        assert!(contents(&file, &package).is_some());
        for len in 0..package.len() {
            assert!(contents(&file, &package[..len]).is_none(), "{len} of {} bytes", package.len());
        }
    }
}

/// Of each member, nobody reads: the time in both headers (64 bits), the versions of what packed it and
/// what it takes (48), and the attributes (16 and 32) but for five: three of Unix and two of DOS
/// that would make something else of a file.
const UNREAD: usize = 2 * (64 + 48 + 16 + 32 - 5);

#[test]
fn a_package_with_one_bit_flipped_is_refused_or_the_same() {
    std::thread::scope(|threads| {
        for (package, is_packed) in packages().into_iter().zip([true, false]) {
            threads.spawn(move || flip_each_bit(package, is_packed));
        }
    });
}

fn flip_each_bit(mut package: Vec<u8>, is_packed: bool) {
    let file = NamedTempFile::new().unwrap();
    let good = contents(&file, &package).unwrap();
    let mut same = 0;
    for at in 0..package.len() {
        for bit in 0..8 {
            package[at] ^= 1 << bit;
            if let Some(other) = contents(&file, &package) {
                assert!(other == good, "bit {bit} of byte {at}");
                same += 1;
            }
            package[at] ^= 1 << bit;
        }
    }
    // Deflate has more than one way to say the same.
    let most = if is_packed { UNREAD + 100 } else { UNREAD };
    assert!((UNREAD..=most).contains(&same), "{same} bits are not read, of {UNREAD}");
}

/// A byte more, or a byte less, at each place.
#[test]
fn a_package_with_a_byte_more_or_less_is_refused() {
    let file = NamedTempFile::new().unwrap();
    for package in packages() {
        for at in 0..package.len() {
            let (before, after) = package.split_at(at);
            assert!(contents(&file, &[before, &after[1..]].concat()).is_none(), "without byte {at}");
            assert!(contents(&file, &[before, b"\0", after].concat()).is_none(), "with one before byte {at}");
        }
    }
}
