//! What a package costs is bounded, whatever it says of itself: time, and memory.

use std::fs;
use std::process::Command;

use hookrail::package::{Package, Trust};
use hookrail_tests::raw::{
    FILES, FULL_NAME, Member, TEXT, entries, file, metadata, of_tar, package, read, tar, zip, zipped,
};
use hookrail_tests::refused::check;

#[test]
fn bombs_are_refused_before_they_go_off() {
    let zeros = vec![0; 80 << 20];
    let bomb = |len: u32| {
        let tar = Member { size: len, ..Member::deflated(format!("{FULL_NAME}.tar"), &zeros) };
        let mut metadata = metadata(&FILES, b"");
        metadata["tar"]["size"] = len.into();
        zip(&[Member::stored(format!("{FULL_NAME}.json"), metadata.to_string().as_bytes()), tar])
    };
    let said = |size: u32| {
        let member = |ending: &str| Member { size, ..Member::deflated(format!("{FULL_NAME}.{ending}"), b"") };
        zip(&["json", "tar"].map(member))
    };
    let many: Vec<_> = (0..20_001).map(|number| format!("f/{number}")).collect();
    let named: Vec<(&str, &[u8])> = many.iter().map(|name| (&**name, TEXT)).collect();
    let empty = tar(&many.iter().map(|name| file(name, b"")).collect::<Vec<_>>());
    let mut long = metadata(&FILES, &tar(&entries()));
    long["description"] = "x".repeat(1 << 20).into();
    check([
        ("eighty megabytes of zeros", bomb(80 << 20), "HR0808", "hello-1.0.0.tar is larger than 67108864 bytes"),
        ("the same, with a lie", bomb(1 << 20), "HR0801", "its tar is damaged"),
        ("a length that nobody has memory for", said(u32::MAX), "HR0808", "is larger than"),
        ("many files", package(&metadata(&named, &empty), &empty), "HR0808", "hello-1.0.0.json ... 1048576 bytes"),
        ("many files that nobody said", of_tar(empty), "HR0805", "hello/f/0: its metadata does not name it"),
        ("long metadata", package(&long, &tar(&entries())), "HR0808", "hello-1.0.0.json is larger than 1048576 bytes"),
        (
            "metadata of zeros",
            zipped(|[json, _]| *json = Member::deflated(format!("{FULL_NAME}.json"), &vec![0; 4 << 20])),
            "HR0808",
            "hello-1.0.0.json is larger than 1048576 bytes",
        ),
    ]);
}

/// A package in a package is a file as any other.
#[test]
fn an_archive_in_a_package_is_just_a_file() {
    let inner = of_tar(tar(&entries()));
    let outer_files = [("inner.hrp", &*inner), FILES[1]];
    let outer = tar(&outer_files.map(|(path, data)| file(path, data)));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hello-1.0.0.hrp");
    fs::write(&path, package(&metadata(&outer_files, &outer), &outer)).unwrap();
    assert!(read(&path).unwrap().1[0].2 == inner);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn directories_fifos_and_devices_are_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo.hrp");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (path, code, said) in [
        (directory.path(), "HR0801", "it is a directory"),
        (&fifo, "HR0801", "it is a special file"),
        ("/dev/zero".as_ref(), "HR0801", "it is a special file"),
        (&directory.path().join("none.hrp"), "HR0501", "No such file"),
    ] {
        let error = Package::open(path).err().unwrap();
        assert_eq!(error.code(), code, "{error}");
        let text = error.to_string();
        assert!(text.contains(said) && text.contains(&path.display().to_string()), "{text}");
    }
}

/// It has no block on the disk, and six gigabytes to read.
#[test]
fn a_huge_file_is_refused_before_a_byte_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let huge = directory.path().join("huge.hrp");
    fs::File::create(&huge).unwrap().set_len(6 << 30).unwrap();
    for error in [Package::open(&huge).err().unwrap(), Trust::default().open(&huge).err().unwrap()] {
        assert_eq!(error.code(), "HR0808", "{error}");
        assert!(error.to_string().contains("the file is larger than 1073741824 bytes"), "{error}");
    }
}

/// `.ci/long` does the same with a gigabyte.
#[test]
fn a_large_package_goes_through_little_memory() {
    let output = Command::new(hookrail_tests::large()).arg("64").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().matches("the peak of memory grew by").count(), 2);
}
