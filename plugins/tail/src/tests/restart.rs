//! What happens to files while nobody looks.

use std::fs;
use std::path::Path;

use super::scene::{Scene, bodies};
use crate::identity::Identity;

#[test]
fn a_restart_goes_on_where_it_was() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    scene.write("b.log", "1\n");
    assert_eq!(bodies(&scene.run("", 2)), ["1", "1"], "equal files are two files");
    scene.append("a.log", "2\n");
    assert_eq!(bodies(&scene.run("", 1)), ["2"]);
    assert_eq!(scene.run("", 0).messages, []);
}

/// Whatever has been settled when the process is killed: what is before the marks was sent, what is behind comes.
#[test]
fn no_line_is_lost_and_none_comes_twice_wherever_the_marks_end() {
    let scene = Scene::new();
    let lines: Vec<_> = (0..1_000).map(|number| format!("{number}")).collect();
    scene.write("a.log", &(lines.join("\n") + "\nhalf"));
    let mut counts = vec![0];
    let sent = scene.until("", |sent| {
        while counts.len() <= sent.marks.len() {
            counts.push(sent.messages.len());
        }
        sent.messages.len() == lines.len()
    });
    assert!(sent.marks.len() >= 4);
    for (marks, count) in counts.into_iter().enumerate() {
        scene.marks.borrow_mut().clear();
        scene.keep(&sent.marks[..marks]);
        let again = bodies(&scene.run("", lines.len() - count));
        assert_eq!(again, lines[count..], "with {marks} marks");
    }
}

#[test]
fn a_line_that_was_half_written_at_a_kill_comes_once_and_whole() {
    let scene = Scene::new();
    scene.write("a.log", "one\ntw");
    assert_eq!(bodies(&scene.run("", 1)), ["one"]);
    scene.append("a.log", "o\nth");
    assert_eq!(bodies(&scene.run("", 1)), ["two"]);
    scene.append("a.log", "ree\n");
    assert_eq!(bodies(&scene.run("", 1)), ["three"]);
}

#[test]
fn a_file_that_was_truncated_meanwhile_is_read_from_its_beginning() {
    let long = "-".repeat(3_000);
    for (before, after) in [
        ("one\n", "two\n"),
        ("one\n", "2\n"),
        ("one\n", "two\nthree\n"),
        // The last bytes before the position are the same.
        (&*format!("1\n{long}\n"), &*format!("2\n{long}\nthree\n")),
        // The beginning is the same.
        (&*format!("{long}\none\n"), &*format!("{long}\ntwo\nthree\n")),
    ] {
        let scene = Scene::new();
        scene.write("a.log", before);
        scene.run("", before.lines().count());
        scene.write("a.log", after);
        let expected: Vec<_> = after.lines().collect();
        assert_eq!(bodies(&scene.run("", expected.len())), expected);
        assert_eq!(scene.run("", 0).messages, []);
    }
}

#[test]
fn the_rest_of_a_file_that_was_renamed_meanwhile_comes_before_the_new_one() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    scene.run("", 1);
    scene.append("a.log", "2\n");
    scene.rename("a.log", "a.log.1");
    scene.write("a.log", "3\n");
    let sent = scene.run(r#""start_at": "end""#, 2);
    assert_eq!(bodies(&sent), ["2", "3"]);
    assert!(sent.messages.iter().all(|message| message.source.ends_with("/a.log")));
    scene.append("a.log.1", "2 too\n");
    assert_eq!(bodies(&scene.run("", 1)), ["2 too"], "it is still followed for a while");
}

#[test]
fn files_that_had_the_same_name_come_in_their_order() {
    let scene = Scene::new();
    scene.write("a.log", "begun\n");
    let rotate = || {
        scene.rename("a.log", "a.log.1");
        scene.write("a.log", "begun\n");
    };
    scene.steps("", &[(1, &rotate)], 2);
    scene.append("a.log.1", &"0\n".repeat(200_000));
    std::thread::sleep(std::time::Duration::from_millis(20));
    scene.append("a.log", &"1\n".repeat(200_000));
    scene.rename("a.log", "a.log.0");
    scene.write("a.log", "new\n");
    let mut sent = bodies(&scene.run("", 400_001));
    sent.dedup();
    assert!(sent == ["0", "1", "new"], "{:?} ...", &sent[..3]);
}

#[test]
fn the_mark_of_a_file_that_is_gone_is_forgotten() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    scene.run("", 1);
    scene.remove("a.log");
    let key = scene.marks.borrow().iter().map(|(key, _)| key.clone()).find(|key| !key.starts_with("pattern:")).unwrap();
    let sent = scene.run("", 0);
    assert_eq!(sent.marks, [(key, String::new())]);
    scene.keep(&[("7:no".into(), "what".into())]);
    assert_eq!(scene.run("", 0).marks, [("7:no".into(), String::new())], "and so is what nobody understands");
}

#[test]
fn an_inode_that_another_file_has_now_is_not_read_on_from_the_old_position() {
    let scene = Scene::new();
    scene.write("old.log", "one\ntwo\n");
    scene.run("", 2);
    // What the file system does on its own, sometimes: the inode and its mark belong to another file.
    let mark = scene.mark("old.log").unwrap();
    scene.write("new.log", "other\nlines\nthat\nare\nmore\n");
    let key = Identity::of(&scene.path("new.log").metadata().unwrap()).to_string();
    scene.remove("old.log");
    *scene.marks.borrow_mut() = vec![(key.clone(), mark)];
    let sent = scene.run("", 5);
    assert_eq!(bodies(&sent)[..2], ["other", "lines"]);
    assert!(sent.messages.iter().all(|message| message.source.ends_with("/new.log") && message.topic == "log.new"));
    // Renamed to what no pattern matches, it is nobody's file.
    scene.marks.borrow_mut().retain(|(kept, _)| *kept == key);
    scene.rename("new.log", "new.txt");
    fs::write(scene.path("new.txt"), "nothing of it\n").unwrap();
    assert_eq!(scene.run("", 0).messages, []);
    assert!(scene.marks.borrow().iter().all(|(kept, _)| *kept != key));
}

#[test]
fn another_number_of_the_device_is_no_other_file() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    scene.run("", 1);
    let Identity { device, inode } = Identity::of(&scene.path("a.log").metadata().unwrap());
    let other = format!("{}:{inode}", device + 1);
    scene.marks.borrow_mut().iter_mut().for_each(|(key, _)| *key = key.replace(&format!("{device}:{inode}"), &other));
    scene.append("a.log", "2\n");
    assert_eq!(bodies(&scene.run("", 1)), ["2"]);
    assert!(scene.mark("a.log").is_some());
    assert!(scene.marks.borrow().iter().all(|(key, _)| *key != other));
}

#[test]
fn marks_of_a_directory_that_is_not_there_yet_wait_for_it() {
    let scene = Scene::new();
    let paths = format!(r#""paths": [{:?}]"#, scene.path("mounted/*.log"));
    fs::create_dir(scene.path("mounted")).unwrap();
    scene.write("mounted/a.log", "1\n");
    scene.run(&paths, 1);
    scene.append("mounted/a.log", "2\n");
    scene.rename("mounted", "elsewhere");
    let mount = || scene.rename("elsewhere", "mounted");
    assert_eq!(bodies(&scene.steps(&paths, &[(0, &mount)], 1)), ["2"]);
}

#[test]
fn marks_of_files_that_are_not_wanted_any_more_stay_while_the_files_do() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    scene.run("", 1);
    let other = format!(r#""paths": [{:?}]"#, scene.path("*.txt"));
    scene.run(&other, 0);
    scene.append("a.log", "2\n");
    assert_eq!(bodies(&scene.run("", 1)), ["2"]);
    scene.remove("a.log");
    scene.run(&other, 0);
    assert!(scene.marks.borrow().iter().all(|(key, _)| key.starts_with("pattern:")));
    assert!(!Path::new(&scene.path("a.log")).exists());
}
