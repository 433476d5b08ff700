//! Files that are renamed, deleted, truncated and replaced while they are followed.

use std::fs;
use std::os::unix::fs::symlink;

use super::scene::{Scene, bodies};

#[test]
fn a_renamed_file_is_read_to_its_end_and_then_the_new_one() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    let rotate = || {
        scene.append("a.log", "2\n");
        scene.rename("a.log", "a.log.1");
        scene.append("a.log", "4\n");
        scene.append("a.log.1", "3\n");
    };
    let late = || scene.append("a.log.1", "5\n");
    let sent = scene.steps("", &[(1, &rotate), (4, &late)], 5);
    assert_eq!(bodies(&sent), ["1", "2", "3", "4", "5"]);
    let path = scene.path("a.log");
    assert!(sent.messages.iter().all(|message| message.source == *path.to_str().unwrap()));
    assert!(scene.mark("a.log").is_some() && scene.mark("a.log.1").is_some());
}

#[test]
fn a_much_larger_old_file_is_read_before_the_new_one_too() {
    let scene = Scene::new();
    scene.write("a.log", "");
    let old: Vec<_> = (0..100_000).map(|number| format!("old {number}")).collect();
    let rotate = || {
        scene.append("a.log", &(old.join("\n") + "\n"));
        scene.rename("a.log", "a.log.1");
        scene.append("a.log", "new\n");
    };
    let sent = bodies(&scene.steps("", &[(0, &rotate)], old.len() + 1));
    assert!(sent[..old.len()] == old && sent[old.len()] == "new");
}

#[test]
fn of_files_that_follow_fast_on_each_other_each_is_read_before_the_next() {
    let scene = Scene::new();
    scene.write("a.log", "0\n");
    let first = || {
        scene.remove("a.log");
        scene.write("a.log", "1\n");
    };
    let second = || {
        scene.append("a.log", &"1\n".repeat(200_000));
        scene.rename("a.log", "a.log.2");
        scene.write("a.log", "2\n");
    };
    let mut sent = bodies(&scene.steps("", &[(1, &first), (2, &second)], 200_003));
    sent.dedup();
    assert!(sent == ["0", "1", "2"], "{} runs", sent.len());
}

#[test]
fn a_renamed_file_that_a_pattern_matches_is_not_read_again() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    let rotate = || {
        scene.rename("a.log", "b.log");
        scene.append("a.log", "2\n");
    };
    let late = || scene.append("b.log", "3\n");
    let sent = scene.steps("", &[(1, &rotate), (2, &late)], 3);
    assert_eq!(bodies(&sent), ["1", "2", "3"]);
    assert_eq!(scene.run("", 0).messages, []);
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    let recreate = || {
        scene.append("a.log", "2\n3");
        scene.remove("a.log");
        scene.write("a.log", "4\n");
    };
    assert_eq!(bodies(&scene.steps("", &[(1, &recreate)], 3)), ["1", "2", "4"]);
}

#[test]
fn a_deleted_file_is_let_go_and_forgotten_with_its_last_half_line_sent() {
    let scene = Scene::new();
    scene.write("a.log", "1\n2");
    let remove = || {
        assert_eq!(scene.open_files(), 1);
        assert!(scene.marks.borrow().is_empty());
        scene.remove("a.log");
    };
    let sent = scene.steps(r#""forget_after": "200ms""#, &[(1, &remove)], 2);
    assert_eq!(bodies(&sent), ["1", "2"]);
    let ends: Vec<_> = sent.marks.iter().filter(|(_, value)| value.is_empty()).collect();
    assert_eq!(ends.len(), 1, "{:?}", sent.marks);
    assert!(scene.marks.borrow().iter().all(|(key, _)| key.starts_with("pattern:")), "{:?}", scene.marks);
    // The descriptor is let go while the source runs, not only at its end.
    scene.write("a.log", "1\n");
    let is_gone = || assert_eq!(scene.open_files(), 0);
    let remove = || scene.remove("a.log");
    let pause = || std::thread::sleep(std::time::Duration::from_millis(50));
    scene.steps(r#""forget_after": "0s""#, &[(1, &remove), (1, &pause), (1, &is_gone)], 1);
}

#[test]
fn a_truncated_file_is_read_from_its_beginning() {
    let scene = Scene::new();
    scene.write("a.log", "one\ntwo\n");
    let truncate = || scene.write("a.log", "3\n");
    let empty = || scene.write("a.log", "");
    let more = || scene.append("a.log", "four\n");
    let sent = scene.steps("", &[(2, &truncate), (3, &empty), (3, &more)], 4);
    assert_eq!(bodies(&sent), ["one", "two", "3", "four"]);
    let said = scene.plugin.log();
    assert!(said.iter().any(|line| line.contains("it was truncated or replaced")), "{said:?}");
}

#[test]
fn a_truncated_file_that_has_grown_past_the_position_is_read_from_its_beginning() {
    for (before, after) in [
        ("one\n", "two\nthree\n"),
        // As long as before.
        ("one\n", "two\n"),
        // Only what comes after the first 1024 bytes differs.
        (&*format!("{}\none\n", "-".repeat(2_000)), &*format!("{}\ntwo\nthree\n", "-".repeat(2_000))),
    ] {
        let scene = Scene::new();
        scene.write("a.log", before);
        let truncate = || scene.write("a.log", after);
        let count = before.lines().count();
        let sent = bodies(&scene.steps("", &[(count, &truncate)], count + after.lines().count()));
        let expected: Vec<_> = before.lines().chain(after.lines()).collect();
        assert_eq!(sent, expected);
    }
}

#[test]
fn the_position_after_a_truncation_is_kept_at_once() {
    let scene = Scene::new();
    scene.write("a.log", "one\ntwo\n");
    let truncate = || scene.write("a.log", "3");
    scene.steps("", &[(2, &truncate)], 2);
    assert!(scene.mark("a.log").unwrap().starts_with(r#"{"offset":0,"#), "{:?}", scene.mark("a.log"));
}

#[test]
fn a_link_is_followed_and_one_that_leads_elsewhere_is_a_new_file() {
    let scene = Scene::new();
    scene.write("one", "1\n");
    scene.write("two", "2\n");
    symlink(scene.path("one"), scene.path("a.log")).unwrap();
    let retarget = || {
        scene.append("one", "1 too\n");
        symlink(scene.path("two"), scene.path("new")).unwrap();
        scene.rename("new", "a.log");
    };
    let late = || scene.append("two", "2 too\n");
    let sent = scene.steps("", &[(1, &retarget), (3, &late)], 4);
    assert_eq!(bodies(&sent), ["1", "1 too", "2", "2 too"]);
    assert!(sent.messages.iter().all(|message| message.topic == "log.a"));
}

#[test]
fn a_file_with_several_names_is_read_once() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    fs::hard_link(scene.path("a.log"), scene.path("b.log")).unwrap();
    symlink(scene.path("a.log"), scene.path("c.log")).unwrap();
    let append = || scene.append("b.log", "2\n");
    let remove = || {
        scene.remove("a.log");
        scene.append("b.log", "3\n");
    };
    assert_eq!(bodies(&scene.steps("", &[(1, &append), (2, &remove)], 3)), ["1", "2", "3"]);
}
