//! What is read, and when it is not what it was.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use regex::bytes::Regex;
use tempfile::TempDir;

use super::*;
use crate::entries::Joined;

struct Scene {
    _directory: TempDir,
    path: PathBuf,
    reader: Reader,
    position: Position,
}

impl Scene {
    fn new(content: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        fs::write(&path, content).unwrap();
        let reader = Reader::new(Rules { max_line: 100, joined: None });
        Scene { _directory: directory, path, reader, position: Position::START }
    }

    fn file(&self) -> (File, u64) {
        let file = File::open(&self.path).unwrap();
        let size = file.metadata().unwrap().len();
        (file, size)
    }

    /// Reads what there is, with `Rest` behind it; `None` if the file was rewritten.
    fn read(&mut self, rest: Rest) -> Option<Vec<String>> {
        let (file, size) = self.file();
        let mut bodies = Vec::new();
        loop {
            match self.reader.read(&file, &mut self.position, size, false, rest).unwrap() {
                Read::Rewritten => return None,
                Read::Nothing(true) => {}
                Read::Nothing(false) => return Some(bodies),
                Read::Long(body, _, next) => {
                    bodies.push(String::from_utf8_lossy(self.reader.bytes(body)).into());
                    self.position = next;
                }
                Read::Window(mut window) => {
                    while let Some((body, _)) = self.reader.next(&mut window) {
                        bodies.push(String::from_utf8_lossy(body).into());
                    }
                    self.reader.advance(&window, &mut self.position);
                    if !self.reader.close(&window, &mut self.position, size) {
                        return Some(bodies);
                    }
                }
            }
        }
    }
}

#[test]
fn a_file_of_many_windows_is_read_whole() {
    let lines: Vec<_> = (0..100_000).map(|number| format!("{number:0width$}", width = number % 50)).collect();
    let mut scene = Scene::new(&(lines.join("\n") + "\n"));
    assert!(scene.read(Rest::Expected) == Some(lines));
    assert_eq!(scene.position.offset, scene.file().1);
}

#[test]
fn what_has_no_newline_is_not_searched_twice() {
    let mut scene = Scene::new("one\ntwo");
    assert_eq!(scene.read(Rest::Expected).unwrap(), ["one"]);
    assert_eq!((scene.position.offset, scene.position.searched), (4, 7));
    assert_eq!(scene.read(Rest::None).unwrap(), ["two"]);
    assert_eq!((scene.position.offset, scene.position.searched), (7, 7));
}

/// The second line is searched again and again, since it ends before what is searched.
#[test]
fn an_open_entry_with_newlines_in_it_is_not_taken_for_a_line_without() {
    let mut scene = Scene::new("1\n a\n");
    let start = Regex::new("^[0-9]").unwrap();
    let joined = Joined { start, max_bytes: 100, max_lines: 100, idle: Duration::ZERO };
    scene.reader = Reader::new(Rules { max_line: 100, joined: Some(joined) });
    assert!(scene.read(Rest::Expected).unwrap().is_empty());
    fs::write(&scene.path, "1\n a\n2\n").unwrap();
    assert_eq!(scene.read(Rest::Expected).unwrap(), ["1\n a"]);
}

#[test]
fn the_head_is_learnt_as_the_file_grows() {
    let mut scene = Scene::new("one\n");
    scene.read(Rest::Expected).unwrap();
    assert_eq!(scene.position.head, Fingerprint::of(b"one\n"));
    let more = format!("one\n{}\n", "x".repeat(5_000));
    fs::write(&scene.path, &more).unwrap();
    scene.read(Rest::Expected).unwrap();
    assert_eq!(scene.position.head, Fingerprint::of(&more.as_bytes()[..1024]));
}

#[test]
fn what_is_not_what_it_was_is_noticed() {
    let long = "x".repeat(3_000);
    for (before, after, is_other) in [
        ("one\n", "one\ntwo\n", false),
        ("one\n", "two\ntwo\n", true),
        ("one\n", "on", true),
        ("one\n", "", true),
        ("", "one\n", false),
        // The last bytes before the position are the same.
        (&*format!("a\n{}\n", &long[..200]), &*format!("b\n{}\nnew\n", &long[..200]), true),
        // Neither the head nor the last bytes before the position: this is not noticed.
        (&*format!("{long}{long}\n"), &*format!("{long}y{}\n", &long[1..]), false),
        (&*format!("{long}\none\n"), &*format!("{long}\ntwo\n"), true),
    ] {
        let mut scene = Scene::new(before);
        scene.read(Rest::Expected).unwrap();
        fs::write(&scene.path, after).unwrap();
        assert_eq!(scene.read(Rest::Expected).is_none(), is_other, "{after:.20}");
    }
}

#[test]
fn a_line_that_is_longer_than_the_window_is_found_to_its_end() {
    let long = "x".repeat(700_000);
    for (content, expected) in [
        (format!("a\n{long}\nb\n"), vec!["a", &long[..100], "b"]),
        (format!("{long}\r\n\nb"), vec![&long[..100], "", "b"]),
        (long.clone(), vec![&long[..100]]),
    ] {
        let mut scene = Scene::new(&content);
        assert_eq!(scene.read(Rest::None).unwrap(), expected);
        assert_eq!(scene.position.offset, content.len() as u64);
        assert_eq!(scene.read(Rest::None).unwrap(), [""; 0], "and what lies behind it fits");
    }
}

#[test]
fn the_end_is_behind_the_last_whole_line_unless_all_is_old() {
    let long = "x".repeat(700_000);
    for (content, end, settled) in [
        ("", 0, 0),
        ("on", 0, 2),
        ("one\ntw", 4, 6),
        ("one\n", 4, 4),
        (&*format!("one\n{long}"), 700_004, 700_004),
        (&*format!("{long}\ntwo"), 700_001, 700_004),
    ] {
        for (is_settled, offset) in [(false, end), (true, settled)] {
            let mut scene = Scene::new(content);
            let (file, size) = scene.file();
            scene.position = scene.reader.end(&file, size, is_settled).unwrap();
            assert_eq!(scene.position.offset, offset, "{content:.20}");
            fs::write(&scene.path, format!("{content}\nnew\n")).unwrap();
            let read = scene.read(Rest::Expected).expect("it is the same file");
            assert_eq!(read.last().unwrap(), "new");
        }
    }
}
