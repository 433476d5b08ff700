//! The guide for operators works as it is printed.

use std::fs;
use std::process::Command;

use hookrail_tests::cli::console::{Console, typed};
use hookrail_tests::cli::directory;
use hookrail_tests::cli::live::Live;
use hookrail_tests::guide::files;
use hookrail_tests::root;

use crate::scenes::Place;

#[test]
fn the_guide_works_as_it_is_printed() {
    let page = fs::read_to_string(root().join("docs/guide/operators.md")).unwrap();
    let place = Place { directory: directory("operators-guide") };
    let files = files(&page);
    assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["shout.py", "hookrail.toml"]);
    for (name, text) in files {
        fs::write(place.path(name), text).unwrap();
    }
    let mut console = Console::new(&place.directory, || Command::new("bash"));
    let [by_hand, served, ..] = &typed(&page)[..] else { panic!("it has consoles") };
    console.follow(by_hand);
    let mut serve = place.command(&["serve", "--quiet"]);
    // The operator may be slow to answer that it has another configuration.
    let mut live = Live::start(serve.env("HOOKRAIL_PLUGINS__EXEC__CONFIG__OPERATORS__SHOUT__ORDER", "2m"));
    for (line, shown) in ["hello", "bye"].into_iter().zip(&served.shown) {
        assert_eq!(live.through(line), *shown);
    }
    // The same process has another mark.
    place.configure(&fs::read_to_string(place.path("hookrail.toml")).unwrap().replace("\"!\"", "\"?\""));
    let done = place.ask(&["config", "reload"]);
    assert!(done.contains("exec has another configuration"), "{done}");
    assert_eq!(live.through("how"), "HOW?");
    live.interrupt();
    let (code, _, said) = live.end();
    assert_eq!(code, Some(0), "{said:?}");
}
