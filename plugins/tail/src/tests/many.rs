//! Many files: bounded descriptors, fair turns, and an end that comes soon.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Write;
use std::iter;
use std::ops::Range;
use std::process::Command;
use std::time::{Duration, Instant};

use super::scene::{Scene, Step, bodies};

#[test]
fn many_files_are_read_with_few_descriptors() {
    const FILES: usize = 300;
    let scene = Scene::new();
    let write = |round: usize| (0..FILES).for_each(|file| scene.append(&format!("{file}.log"), &format!("{round}\n")));
    write(0);
    let config = r#""max_open": 4"#;
    let next = || {
        assert!((1..=4).contains(&scene.open_files()), "{} are open", scene.open_files());
        write(1);
    };
    let sent = scene.steps(config, &[(FILES, &next)], 2 * FILES);
    let sent = bodies(&sent);
    assert!(sent[..FILES].iter().all(|body| body == "0") && sent[FILES..].iter().all(|body| body == "1"));
    write(2);
    assert!(bodies(&scene.run(config, FILES)).iter().all(|body| body == "2"));
}

#[test]
fn files_that_are_closed_and_then_renamed_are_found_again() {
    let scene = Scene::new();
    let names: Vec<_> = (0..8).map(|number| format!("{number}.log")).collect();
    names.iter().for_each(|name| scene.write(name, "1\n"));
    let rotate = || {
        for name in &names {
            scene.append(name, "2\n");
            scene.rename(name, &format!("{name}.1"));
            scene.write(name, "3\n");
        }
    };
    // Found out by the rescan, not by looking at one after the other.
    let sent = scene.steps(r#""max_open": 1, "poll_every": "1h""#, &[(8, &rotate)], 24);
    for name in &names {
        let of_file = sent.messages.iter().filter(|message| message.source.ends_with(name.as_str()));
        let bodies: Vec<_> = of_file.map(|message| message.body.to_display().into_owned()).collect();
        assert_eq!(bodies, ["1", "2", "3"], "{name}");
    }
}

#[test]
fn a_deleted_file_stays_open_while_others_can_be_opened_again() {
    let scene = Scene::new();
    ["a", "b", "c"].iter().for_each(|name| scene.write(&format!("{name}.log"), "1\n"));
    let writer = File::options().append(true).open(scene.path("a.log")).unwrap();
    let touch = || scene.append("a.log", "2\n");
    let remove = || scene.remove("a.log");
    let others = || ["b.log", "c.log"].iter().for_each(|name| scene.append(name, "2\n"));
    let late = || (&writer).write_all(b"3\n").unwrap();
    let steps: [Step<'_>; 5] = [(3, &touch), (4, &remove), (4, &others), (6, &others), (8, &late)];
    let sent = scene.steps(r#""max_open": 2"#, &steps, 9);
    assert_eq!(bodies(&sent).last().unwrap(), "3");
}

#[test]
fn files_of_a_directory_that_is_away_for_a_while_are_not_read_again() {
    let scene = Scene::new();
    fs::create_dir(scene.path("mounted")).unwrap();
    ["a", "b", "c"].iter().for_each(|name| scene.write(&format!("mounted/{name}.log"), "1\n"));
    let config = format!(r#""max_open": 1, "paths": [{:?}]"#, scene.path("mounted/*.log"));
    let unmount = || scene.rename("mounted", "elsewhere");
    let obstruct = || scene.write("mounted", "no directory");
    let mount = || {
        scene.remove("mounted");
        scene.rename("elsewhere", "mounted");
        scene.append("mounted/a.log", "2\n");
    };
    let sent = scene.steps(&config, &[(3, &unmount), (3, &obstruct), (3, &mount)], 4);
    assert_eq!(bodies(&sent), ["1", "1", "1", "2"]);
    assert!(sent.marks.iter().all(|(_, value)| !value.is_empty()), "{:?}", sent.marks);
}

/// The limit is that of a process, so the test runs itself in another one.
#[test]
fn files_are_read_where_the_system_has_few_descriptors() {
    const NAME: &str = "tests::many::files_are_read_where_the_system_has_few_descriptors";
    const FILES: usize = 100;
    if std::env::var_os("HOOKRAIL_TEST_FEW_DESCRIPTORS").is_none() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n 20; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
        let output = shell.args(["--exact", NAME]).env("HOOKRAIL_TEST_FEW_DESCRIPTORS", "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        return assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
    let scene = Scene::new();
    // What the process has open besides: two descriptors are spared for the scene, which writes files.
    let others: RefCell<Vec<_>> = RefCell::new((0..2).map(|_| File::open("/").unwrap()).collect());
    let write = |files: Range<usize>, content: &str| {
        let left = others.borrow().len() - 2;
        others.borrow_mut().truncate(left);
        files.for_each(|file| scene.append(&format!("{file}.log"), content));
        others.borrow_mut().extend((0..2).flat_map(|_| File::open("/")));
    };
    write(0..FILES, "1\n");
    let more = || write(0..FILES, "2\n");
    let take_all = || {
        others.borrow_mut().extend(iter::from_fn(|| File::open("/").ok()));
        write(FILES..FILES + 1, "3\n");
    };
    scene.steps("", &[(FILES, &more), (2 * FILES, &take_all)], 2 * FILES + 1);
    others.borrow_mut().clear();
    assert_eq!(scene.run("", 0).messages, [], "no mark is lost");
    let said = scene.plugin.log();
    assert!(said.iter().all(|line| line.starts_with("no descriptors are left")), "{said:?}");
    assert!((1..10).contains(&said.len()), "{said:?}");
}

#[test]
fn a_fast_file_does_not_starve_the_others() {
    let scene = Scene::new();
    let lines = 200_000;
    scene.write("a.log", &"a line of the fast one\n".repeat(lines));
    scene.write("b.log", "slow\n");
    let write = || scene.write("c.log", "new\n");
    let mut written = false;
    let sent = scene.until(r#""rescan_every": "1ms""#, |sent| {
        if !written && sent.messages.len() > 20_000 {
            written = true;
            write();
        }
        sent.messages.len() == lines + 2
    });
    let at = |body| bodies(&sent).iter().position(|sent| sent == body).unwrap();
    assert!(at("slow") < 30_000 && at("new") < lines, "{} and {}", at("slow"), at("new"));
}

#[test]
fn it_returns_soon_when_it_is_closed() {
    let scene = Scene::new();
    (0..1_000).for_each(|file| scene.write(&format!("{file}.log"), "line\n"));
    scene.write("large.log", &"line\n".repeat(1_000_000));
    for count in [0, 10, 5_000] {
        let took = || {
            let mut closed = None;
            scene.until(r#""poll_every": "1h", "rescan_every": "1h""#, |sent| {
                let is_enough = sent.messages.len() >= count;
                if is_enough {
                    closed.get_or_insert_with(Instant::now);
                }
                is_enough
            });
            closed.unwrap().elapsed()
        };
        // However busy this machine is, it is not so each time.
        assert!((0..50).any(|_| took() < Duration::from_millis(100)), "after {count}");
    }
}
