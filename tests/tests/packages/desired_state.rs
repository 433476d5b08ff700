//! What shall be installed, configured and enabled, in one list: what is wrong with it is said before anything is
//! done where that can be, and a dry run refuses what the real one would.

use std::fs;
use std::path::{Path, PathBuf};

use hookrail::Config;
use hookrail::control::command::{Action, Applied, Apply, Step};
use hookrail::control::{Manage, Offline};
use hookrail::package::Content;
use hookrail::store::{Install, Store, agree};
use hookrail_tests::stocked;
use hookrail_tests::stocked::{Scene, sign};
use serde_json::{Value, json};

const CALLBACK: &str = "screen/screen";

fn apply(scene: &Scene, plugins: &Value, dry_run: bool) -> Applied {
    let config = Config::default().with_home(scene.path(""));
    let mut offline = Offline::new(config, scene.store.clone()).unwrap();
    let mut command = Apply::new(serde_json::from_value(plugins.clone()).unwrap());
    command.dry_run = dry_run;
    offline.ask(command).unwrap()
}

/// A home with a version of `screen`, one after it, and plugins that need each other.
struct Packages {
    scene: Scene,
    old: PathBuf,
    new: PathBuf,
    needs_b: PathBuf,
    needs_a: PathBuf,
    below: PathBuf,
    above: PathBuf,
}

impl Packages {
    fn new() -> Self {
        let scene = Scene::new();
        let named = |name: &str, requires| scene.named(name, "1.0.0", requires);
        let (needs_b, needs_a) = (named("a", &[("b", "~> 1.0")]), named("b", &[("a", "~> 1.0")]));
        let (below, above) = (named("below", &[]), named("above", &[("below", "~> 1.0")]));
        let (old, new) = (with_schema(&scene, "1.0.0"), with_schema(&scene, "1.1.0"));
        for package in [&old, &below, &above] {
            scene.install(package, Install::new()).unwrap();
        }
        for name in ["below", "above"] {
            scene.change().enable(name, agree).unwrap();
        }
        Packages { scene, old, new, needs_b, needs_a, below, above }
    }

    /// The same once more, for another run.
    fn again(&self) -> Scene {
        let scene = Scene::new();
        scene.trust(|trust| trust.add(stocked::public(&self.scene.jane), "the same Jane".into()).unwrap());
        for package in [&self.old, &self.below, &self.above] {
            scene.install(package, Install::new()).unwrap();
        }
        for name in ["below", "above"] {
            scene.change().enable(name, agree).unwrap();
        }
        scene
    }
}

/// A package of `screen` whose configuration has the key `limit` or none.
fn with_schema(scene: &Scene, version: &str) -> PathBuf {
    let schema = scene.directory.path().join("schema.json");
    let limit = json!({ "properties": { "limit": { "type": "integer" } }, "additionalProperties": false });
    fs::write(&schema, limit.to_string()).unwrap();
    let package = scene.unsigned(version, |_, contents| {
        let path = "etc/screen.schema.json".parse().unwrap();
        contents.push(Content::new(path, schema));
    });
    sign(&scene.jane, &package);
    package
}

fn hook(callback: &str, priority: i32) -> Value {
    json!({ "point": "message.publish", "callback": callback, "priority": priority })
}

/// The steps, and the code that it ended with.
fn outcome(applied: &Applied) -> (&[Step], &str) {
    (&applied.steps, applied.error.as_ref().map_or("", |problem| &problem.code))
}

#[test]
fn a_dry_run_refuses_what_the_real_one_would() {
    let packages = Packages::new();
    let Packages { scene, new, needs_b, needs_a, .. } = &packages;
    // Whether it can be known from the list alone.
    for (plugins, code, alone) in [
        (json!({ "screen": { "package": new, "overrides": [hook(CALLBACK, 1000)] } }), "HR0202", true),
        (json!({ "screen": { "package": new, "overrides": [hook(CALLBACK, 1), hook(CALLBACK, 2)] } }), "HR0205", true),
        (json!({ "screen": { "package": new, "overrides": [hook("screen", 1)] } }), "HR0205", true),
        (json!({ "screen": { "package": new, "overrides": [hook("below/screen", 1)] } }), "HR0835", true),
        // It is the last of them that is wrong.
        (
            json!({ "below": { "overrides": [hook("below/screen", 1)] }, "screen": { "overrides": [hook(CALLBACK, 1000)] } }),
            "HR0202",
            true,
        ),
        (json!({ "screen": { "package": new, "overrides": [hook("screen/nope", 1)] } }), "HR0835", false),
        (json!({ "screen": { "overrides": [hook("screen/nope", 1)] } }), "HR0835", false),
        (json!({ "screen": { "config": { "limit": "much" } } }), "HR0203", false),
        (json!({ "screen": { "package": new, "config": { "limit": "much" } } }), "HR0203", false),
        (json!({ "a": { "package": needs_b }, "b": { "package": needs_a } }), "HR0833", false),
        (json!({ "above": {}, "below": { "enabled": false } }), "HR0834", false),
        (json!({ "above": { "enabled": false }, "a": { "package": needs_b } }), "HR0833", false),
        (json!({ "below": {}, "nope": {} }), "HR0103", false),
        (json!({ "screen": { "package": needs_a } }), "HR0105", false),
    ] {
        let before = scene.all();
        let dry = apply(scene, &plugins, true);
        assert_eq!(scene.all(), before, "{plugins}");
        assert_eq!(outcome(&dry).1, code, "{plugins}: {dry:?}");
        let other = packages.again();
        let before = other.all();
        let real = apply(&other, &plugins, false);
        assert_eq!(outcome(&real), outcome(&dry), "{plugins}: {real:?}");
        assert_eq!(real.failed, dry.failed, "{plugins}");
        assert_eq!(real.error.map(|problem| problem.message), dry.error.map(|problem| problem.message), "{plugins}");
        if alone {
            assert_eq!(real.steps, [], "{plugins}");
            assert_eq!(other.all(), before, "{plugins}");
        }
    }
}

#[test]
fn a_dry_run_says_the_steps_of_the_real_one_and_does_none() {
    let packages = Packages::new();
    let Packages { scene, new, .. } = &packages;
    let plugins = json!({
        "above": { "enabled": false },
        "below": { "enabled": false },
        "screen": { "package": new, "config": { "limit": 1 }, "overrides": [hook(CALLBACK, 7)] },
    });
    let before = scene.all();
    let dry = apply(scene, &plugins, true);
    assert!(dry.dry_run && dry.error.is_none(), "{dry:?}");
    assert_eq!(scene.all(), before);
    let real = apply(scene, &plugins, false);
    assert_eq!((real.steps.len(), real.dry_run), (6, false));
    assert_eq!(real.steps, dry.steps);
    assert_eq!(apply(scene, &plugins, true).steps, []);
}

/// A list that an operator keeps may name the version before: it has not to know that it is still there.
#[test]
fn a_package_of_the_version_before_leads_back_to_it() {
    let packages = Packages::new();
    let Packages { scene, old, new, .. } = &packages;
    scene.install(new, Install::new()).unwrap();
    let wanted = |package: &Path, downgrade| json!({ "screen": { "package": package, "downgrade": downgrade, "enabled": false } });
    assert_eq!(outcome(&apply(scene, &wanted(old, false), false)), (&[][..], "HR0827"));
    let back = Action::install(stocked::version("1.0.0"), Some(stocked::version("1.1.0")));
    for dry_run in [true, false] {
        let done = apply(scene, &wanted(old, true), dry_run);
        assert_eq!(outcome(&done), (&[Step::new("screen", back.clone())][..], ""), "{dry_run}");
    }
    assert_eq!(current(&scene.store), "1.0.0");
    assert_eq!(apply(scene, &wanted(old, true), false).steps, []);
    // Another file with that version is another thing.
    let other = scene.package("1.1.0");
    assert_eq!(outcome(&apply(scene, &wanted(&other, true), false)), (&[][..], "HR0827"));
}

fn current(store: &Store) -> String {
    store.state().unwrap().installed("screen").unwrap().1.to_string()
}

/// The files of a dry run are links to those that are installed, and go as links.
#[test]
fn a_dry_run_leaves_nothing_behind() {
    let packages = Packages::new();
    let scene = &packages.scene;
    scene.install(&packages.new, Install::new()).unwrap();
    scene.change().configure("screen", json!({ "limit": 1 }), agree).unwrap();
    let third = with_schema(scene, "1.2.0");
    let before = scene.all();
    // The oldest version would go, and the configuration would be another one.
    let dry = apply(scene, &json!({ "screen": { "package": third, "config": { "limit": 2 } } }), true);
    assert_eq!((dry.steps.len(), dry.error), (3, None));
    assert_eq!(scene.all(), before);
    assert!(scene.store.load_spec("screen").is_ok() && scene.change().rollback("screen", agree).is_ok());
}

#[test]
fn a_dry_run_names_the_files_that_are_there() {
    let packages = Packages::new();
    let scene = &packages.scene;
    let file = scene.path("config/screen/config.json");
    scene.change().configure("screen", json!({ "limit": 1 }), agree).unwrap();
    fs::write(&file, "{").unwrap();
    let failed = apply(scene, &json!({ "screen": { "config": { "limit": 2 } } }), true).error.unwrap();
    assert_eq!(failed.code, "HR0828");
    assert!(failed.message.starts_with(file.to_str().unwrap()), "{failed}");
}

#[test]
fn two_overrides_of_one_callback_are_never_written() {
    let packages = Packages::new();
    let scene = &packages.scene;
    let hooks = serde_json::from_value(json!([hook(CALLBACK, 1), hook(CALLBACK, 2)])).unwrap();
    let error = scene.change().override_callbacks("screen", hooks, agree).unwrap_err();
    assert_eq!(error.code(), "HR0205");
    assert!(
        error.to_string().contains("`overrides[1]` is about a callback that an entry before it is about"),
        "{error}"
    );
    assert_eq!(scene.store.state().unwrap().settings("screen").overrides, []);
}
