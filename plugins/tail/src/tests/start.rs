//! Where files are begun that nobody has read yet, and what is no file.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::scene::{Scene, bodies};

const AT_END: &str = r#""start_at": "end""#;

#[test]
fn what_is_there_at_the_very_start_is_skipped_and_what_comes_is_not() {
    let scene = Scene::new();
    scene.write("a.log", "old\n");
    let come = || {
        scene.append("a.log", "1\n");
        scene.write("b.log", "2\n");
    };
    let mut sent = bodies(&scene.steps(AT_END, &[(0, &come)], 2));
    sent.sort();
    assert_eq!(sent, ["1", "2"]);
    scene.append("a.log", "3\n");
    scene.write("c.log", "4\n");
    let mut sent = bodies(&scene.run(AT_END, 2));
    sent.sort();
    assert_eq!(sent, ["3", "4"], "a file that has come between two runs is new");
}

#[test]
fn a_start_without_any_file_is_a_start() {
    let scene = Scene::new();
    scene.run(AT_END, 0);
    scene.write("a.log", "1\n");
    assert_eq!(bodies(&scene.run(AT_END, 1)), ["1"]);
}

#[test]
fn a_start_without_a_new_line_is_a_start() {
    let scene = Scene::new();
    scene.write("a.log", "old\n");
    scene.run(AT_END, 0);
    scene.append("a.log", "1\n");
    assert_eq!(bodies(&scene.run(AT_END, 1)), ["1"]);
}

#[test]
fn a_pattern_that_is_added_later_has_a_start_of_its_own() {
    let scene = Scene::new();
    scene.write("a.log", "old\n");
    scene.run(AT_END, 0);
    scene.write("b.log", "1\n");
    scene.write("a.txt", "old\n");
    let both = format!(r#"{AT_END}, "paths": [{:?}, {:?}]"#, scene.path("*.txt"), scene.path("*.log"));
    assert_eq!(bodies(&scene.run(&both, 1)), ["1"]);
    scene.run(AT_END, 0);
    assert_eq!(scene.marks.borrow().iter().filter(|(key, _)| key.starts_with("pattern:")).count(), 1);
}

#[test]
fn the_line_that_is_being_written_at_the_start_comes_whole() {
    let scene = Scene::new();
    scene.write("a.log", "old\nha");
    let finish = || scene.append("a.log", "lf\n");
    assert_eq!(bodies(&scene.steps(AT_END, &[(0, &finish)], 1)), ["half"]);
}

#[test]
fn an_old_last_line_without_a_newline_is_as_old_as_the_others() {
    let scene = Scene::new();
    scene.write("a.log", "old\nold too");
    std::thread::sleep(std::time::Duration::from_millis(50));
    let config = format!(r#"{AT_END}, "idle_flush": "20ms""#);
    let more = || scene.append("a.log", "\nnew\n");
    assert_eq!(bodies(&scene.steps(&config, &[(0, &more)], 1)), ["new"]);
}

#[test]
fn compressed_files_are_left_alone() {
    let scene = Scene::new();
    let config = format!(r#""paths": [{:?}]"#, scene.path("*"));
    for name in ["a.log", "a.log.1.gz", "a.zst", "a.bz2", "a.xz"] {
        scene.write(name, &format!("{name}\n"));
    }
    assert_eq!(bodies(&scene.run(&config, 1)), ["a.log"]);
    let config = format!(r#"{config}, "exclude": ["a.log*", "*.gz"]"#);
    assert_eq!(scene.run(&config, 3).messages.len(), 3);
}

#[test]
fn what_is_no_file_is_passed_over_with_one_line_in_the_log() {
    let scene = Scene::new();
    fs::create_dir(scene.path("directory.log")).unwrap();
    assert!(Command::new("mkfifo").arg(scene.path("fifo.log")).status().unwrap().success());
    symlink("nowhere", scene.path("broken.log")).unwrap();
    symlink("loop.log", scene.path("loop.log")).unwrap();
    scene.write("z.log", "1\n");
    assert_eq!(bodies(&scene.run("", 1)), ["1"]);
    let mut said = scene.plugin.log();
    said.sort();
    let expected =
        ["directory.log: it is a directory, which is not", "fifo.log: it is a FIFO", "loop.log: cannot look"];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    assert!(said.iter().zip(expected).all(|(said, expected)| said.contains(expected)), "{said:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_said_once_and_the_others_are_read() {
    let scene = Scene::new();
    // Root may read everything, but nobody this.
    symlink("/proc/self/mem", scene.path("a.log")).unwrap();
    scene.write("b.log", "1\n");
    let append = || scene.append("b.log", "2\n");
    assert_eq!(bodies(&scene.steps("", &[(1, &append)], 2)), ["1", "2"]);
    let said = scene.plugin.log();
    assert!(said.len() == 1 && said[0].contains("a.log: cannot read it: Input/output error"), "{said:?}");
}

#[test]
fn a_file_that_becomes_readable_is_read() {
    let scene = Scene::new();
    symlink("/proc/self/mem", scene.path("a.log")).unwrap();
    let replace = || {
        scene.remove("a.log");
        scene.write("a.log", "1\n");
    };
    assert_eq!(bodies(&scene.steps("", &[(0, &replace)], 1)), ["1"]);
}
