//! `hookrail run --watch`: what becomes of the file of a plugin becomes of the plugin, and nothing of
//! the messages.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::tiny::Tiny;
use hookrail_tests::cli::{directory, hookrail};

/// A run that watches a copy of the first of two builds of a plugin.
struct Scene {
    /// The file that is watched.
    library: PathBuf,
    /// Builds that say `one` and `two`.
    one: PathBuf,
    two: PathBuf,
    /// The file of another plugin, which is watched too.
    other: PathBuf,
    live: Live,
}

impl Scene {
    fn new(test: &str) -> Self {
        Self::with(test, "1")
    }

    fn with(test: &str, threads: &str) -> Self {
        let directory = directory(test);
        let tiny = Tiny::new(&directory, test);
        let (one, two) = (tiny.says("one").build(), tiny.says("two").build());
        let library = directory.join("libtiny.so");
        fs::copy(&one, &library).unwrap();
        let other = directory.join("libother.so");
        fs::copy(hookrail_tests::plugin("hello"), &other).unwrap();
        let mut command = hookrail(&["run", "--threads", threads, "--watch", "--plugin"]);
        let mut live = Live::start(command.arg(&library).arg("--plugin").arg(&other).current_dir(&directory));
        assert_eq!(live.through("a"), "one a");
        Scene { library, one, two, other, live }
    }

    /// Waits until whoever watches has seen what the file is now, and that it stays so: what was
    /// changed later, another file, has taken its effect. Twice, since they may be seen in one look.
    fn seen(&self) {
        for _ in 0..2 {
            let mut bytes = fs::read(&self.other).unwrap();
            bytes.push(0);
            let before = self.live.said.with("hello 1.0.0: generation");
            fs::write(self.other.with_extension("new"), bytes).unwrap();
            fs::rename(self.other.with_extension("new"), &self.other).unwrap();
            self.live.said.wait_for(&format!("hello 1.0.0: generation {} is live", before + 2));
        }
    }

    /// As cargo and package managers do: another file by the same name.
    fn put(&self, build: &Path) {
        let beside = self.library.with_extension("new");
        fs::copy(build, &beside).unwrap();
        fs::rename(beside, &self.library).unwrap();
    }
}

/// Has builds put in place while lines flow; returns which one has answered for each line.
fn put_in_place(test: &str, threads: &str) -> Vec<String> {
    let Scene { library, one, two, mut live, .. } = Scene::with(test, threads);
    let flood = live.flood();
    // Once as a new file, once over the old one.
    fs::copy(&two, library.with_extension("new")).unwrap();
    fs::rename(library.with_extension("new"), &library).unwrap();
    let line = live.said.wait_for("generation 2 is live");
    live.out.wait_for("two ");
    fs::copy(&one, &library).unwrap();
    live.said.wait_for("generation 3 is live");
    let before = live.out.count();
    // More than what may be on its way from the one before: in pipes, and in threads that have not heard of this one.
    live.out.line(before + 100_000);
    let sent = flood.end();
    let (code, out, said) = live.end();
    assert_eq!(code, Some(0), "{said:#?}");
    let numbers: Vec<_> = out[1..].iter().map(|line| line.split_once(' ').unwrap()).collect();
    for (number, (_, body)) in numbers.iter().enumerate() {
        assert_eq!(*body, number.to_string());
    }
    assert_eq!(numbers.len() as u64, sent);
    assert!(line.starts_with(&format!("tiny-{test} 0.1.0: generation 2 is live, ")), "{line}");
    assert_eq!(said.iter().filter(|line| line.contains(&format!("tiny-{test}"))).count(), 2, "{said:#?}");
    numbers.iter().map(|(word, _)| (*word).to_owned()).collect()
}

#[test]
fn a_build_that_is_put_in_place_serves_and_no_message_is_lost_or_doubled() {
    let mut words = put_in_place("put_in_place", "1");
    words.dedup();
    assert_eq!(words, ["one", "two", "one"], "each generation serves once, without a gap");
}

#[test]
fn a_build_that_is_put_in_place_serves_on_several_threads_too() {
    let words = put_in_place("put_in_place_threads", "3");
    // Each thread changes over when it has done what it was given.
    assert!(
        words[0] == "one"
            && words.iter().any(|word| word == "two")
            && words[words.len() - 10_000..].iter().all(|word| word == "one")
    );
}

#[test]
fn a_file_that_is_being_written_is_waited_for() {
    let mut scene = Scene::new("being_written");
    let bytes = fs::read(&scene.two).unwrap();
    // All of it is there, and would do; but whoever writes it may not be done.
    let mut file = OpenOptions::new().write(true).truncate(true).open(&scene.library).unwrap();
    file.write_all(&bytes).unwrap();
    scene.seen();
    assert_eq!(scene.live.through("b"), "one b");
    assert_eq!(scene.live.said.with("being_written"), 0);
    drop(file);
    scene.live.said.wait_for("being_written 0.1.0: generation 2 is live");
    assert_eq!(scene.live.through("c"), "two c");
}

#[test]
fn half_a_file_is_refused_once_and_the_whole_one_serves() {
    let mut scene = Scene::new("half_a_file");
    let bytes = fs::read(&scene.two).unwrap();
    fs::write(&scene.library, &bytes[..bytes.len() / 2]).unwrap();
    scene.live.said.wait_for("half_a_file: generation 1 keeps running");
    assert_eq!(scene.live.through("b"), "one b");
    scene.seen();
    fs::write(&scene.library, &bytes).unwrap();
    scene.live.said.wait_for("half_a_file 0.1.0: generation 2 is live");
    assert_eq!(scene.live.through("c"), "two c");
    assert_eq!((scene.live.said.with("error[HR03"), scene.live.said.with("fix: ")), (1, 1));
}

#[test]
fn a_file_removed_and_made_again_is_loaded_again() {
    let scene = Scene::new("removed");
    fs::remove_file(&scene.library).unwrap();
    scene.live.said.wait_for("is gone; generation 1 keeps running");
    // The same bytes again are nothing new.
    scene.put(&scene.one);
    scene.live.said.wait_for("is the running build again");
    scene.put(&scene.two);
    scene.live.said.wait_for("generation 2 is live");
    let Scene { library, one, mut live, .. } = scene;
    // With its whole directory, as `cargo clean` does.
    let directory = library.parent().unwrap();
    let aside = directory.with_extension("aside");
    let _ = fs::remove_dir_all(&aside);
    fs::rename(directory, &aside).unwrap();
    assert_eq!(live.through("b"), "two b");
    fs::create_dir(directory).unwrap();
    fs::copy(aside.join(one.strip_prefix(directory).unwrap()), &library).unwrap();
    live.said.wait_for("generation 3 is live");
    assert_eq!(live.through("c"), "one c");
}

#[test]
fn a_directory_in_place_of_a_watched_file_is_refused() {
    let mut scene = Scene::new("a_directory");
    fs::remove_file(&scene.library).unwrap();
    fs::create_dir(&scene.library).unwrap();
    let error = scene.live.said.wait_for("error[");
    assert!(error.contains("directory"), "{error}");
    scene.live.said.wait_for("generation 1 keeps running");
    assert_eq!(scene.live.through("b"), "one b");
    fs::remove_dir(&scene.library).unwrap();
    scene.put(&scene.two);
    scene.live.said.wait_for("generation 2 is live");
    assert_eq!(scene.live.through("c"), "two c");
}

#[test]
fn another_plugin_in_place_of_a_watched_one_is_refused() {
    let mut scene = Scene::new("another_plugin");
    scene.put(&hookrail_tests::plugin("hello"));
    let error = scene.live.said.wait_for("error[HR01");
    assert!(error.contains("a build of `hello`, not of `tiny-another_plugin`"), "{error}");
    scene.live.said.wait_for("generation 1 keeps running");
    assert_eq!(scene.live.through("b"), "one b");
}

#[test]
fn a_link_that_points_elsewhere_is_a_change() {
    let Scene { library, one, two, .. } = Scene::new("a_link");
    let link = library.with_file_name("link.so");
    std::os::unix::fs::symlink(&one, &link).unwrap();
    let mut command = hookrail(&["run", "--watch", "--plugin"]);
    let mut live = Live::start(command.arg(&link).current_dir(library.parent().unwrap()));
    assert_eq!(live.through("a"), "one a");
    std::os::unix::fs::symlink(&two, link.with_extension("new")).unwrap();
    fs::rename(link.with_extension("new"), &link).unwrap();
    live.said.wait_for("generation 2 is live");
    assert_eq!(live.through("b"), "two b");
}
