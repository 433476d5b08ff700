//! Many files: bounded descriptors, fair turns, and an end that comes soon.

use std::time::{Duration, Instant};

use super::scene::{Scene, bodies};

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
fn a_file_that_is_closed_and_then_renamed_is_found_again() {
    let scene = Scene::new();
    scene.write("a.log", "1\n");
    scene.write("b.log", "1\n");
    let rotate = || {
        for name in ["a.log", "b.log"] {
            scene.append(name, "2\n");
            scene.rename(name, &format!("{name}.1"));
            scene.write(name, "3\n");
        }
    };
    let sent = scene.steps(r#""max_open": 1"#, &[(2, &rotate)], 6);
    for name in ["/a.log", "/b.log"] {
        let of_file = sent.messages.iter().filter(|message| message.source.ends_with(name));
        let bodies: Vec<_> = of_file.map(|message| message.body.to_display().into_owned()).collect();
        assert_eq!(bodies, ["1", "2", "3"], "{name}");
    }
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
        let mut closed = None;
        scene.until(r#""poll_every": "1h", "rescan_every": "1h""#, |sent| {
            let is_enough = sent.messages.len() >= count;
            if is_enough {
                closed.get_or_insert_with(Instant::now);
            }
            is_enough
        });
        assert!(closed.unwrap().elapsed() < Duration::from_millis(100), "after {count}");
    }
}
