//! The configuration of installed plugins: held against the schema, written as a whole, with those before it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use hookrail::package::Content;
use hookrail::store::{Configured, Error, Install, MAX_CONFIG, Origin, agree};
use hookrail_tests::stocked::{Scene, sign, version};
use serde_json::{Value, json};

const NAME: &str = "screen";
const FILE: &str = "config/screen/config.json";
const DRY: Install = Install::new().dry_run();

/// A package with these files beside the usual ones, which Jane has signed.
fn package(scene: &Scene, version: &str, files: &[(&str, &Value)]) -> PathBuf {
    let package = scene.unsigned(version, |_, contents| {
        for (number, (path, json)) in files.iter().enumerate() {
            let from = scene.directory.path().join(format!("{version}-{number}.json"));
            fs::write(&from, json.to_string()).unwrap();
            contents.push(Content::new(path.parse().unwrap(), from));
        }
    });
    sign(&scene.jane, &package);
    package
}

/// A home with one whose configuration may have the key `limit`, at most that.
fn installed(most: u32) -> Scene {
    let scene = Scene::new();
    let package = with_limit(&scene, "1.0.0", most);
    scene.install(&package, Install::new()).unwrap();
    scene
}

fn with_limit(scene: &Scene, version: &str, most: u32) -> PathBuf {
    package(scene, version, &[("etc/screen.schema.json", &schema(most))])
}

fn schema(most: u32) -> Value {
    json!({
        "type": "object",
        "properties": { "limit": { "type": "integer", "maximum": most } },
        "additionalProperties": false,
    })
}

fn set(scene: &Scene, value: Value) -> Result<(Configured, bool), Error> {
    scene.change().configure(NAME, value, agree)
}

fn value(scene: &Scene) -> (Value, Origin, u64) {
    let Configured { value, origin, revision, .. } = scene.store.configuration(NAME).unwrap();
    (value, origin, revision)
}

#[test]
fn the_configuration_is_the_operators_or_the_packages_or_none() {
    let scene = Scene::new();
    assert_eq!(scene.store.configuration(NAME).unwrap_err().code(), "HR0103");
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    let nothing = Configured::new(Value::Null, Origin::Nothing, 0, None);
    assert_eq!(scene.store.configuration(NAME).unwrap(), nothing);
    assert_eq!(scene.store.schema(NAME).unwrap(), None);

    let files = [("etc/screen.json", &json!({ "limit": 1 })), ("etc/screen.schema.json", &schema(9))];
    scene.install(&package(&scene, "1.1.0", &files), Install::new()).unwrap();
    let since = Some(scene.store.state().unwrap().plugins()[NAME].versions[&version("1.1.0")].installed_at.clone());
    let default = Configured::new(json!({ "limit": 1 }), Origin::Package, 0, since);
    assert_eq!(scene.store.configuration(NAME).unwrap(), default);
    assert_eq!(scene.store.schema(NAME).unwrap(), Some(schema(9)));

    let (set, is_new) = set(&scene, json!({ "limit": 1 })).unwrap();
    assert!(is_new, "it stays, should another package bring another default");
    assert_eq!((&set.value, set.origin, set.revision), (&json!({ "limit": 1 }), Origin::Operator, 1));
    assert_eq!(scene.store.configuration(NAME).unwrap(), set);
    let mode = |name: &str| scene.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("config"), mode("config/screen"), mode(FILE)), (0o700, 0o700, 0o600), "it may have passwords");
}

#[test]
fn a_refused_configuration_leaves_nothing() {
    let scene = installed(9);
    let before = scene.all();
    for (value, code, said) in [
        (json!({ "limit": 10 }), "HR0203", "/limit: 10 is greater than"),
        (json!({ "limit": "x", "more": 1 }), "HR0203", "'more' was unexpected"),
        (json!({ "limit": "x", "more": 1 }), "HR0203", "/limit: \"x\" is not of type"),
        (json!(null), "HR0203", "/: null is not of type"),
    ] {
        let error = scene.change().configure::<Error>(NAME, value.clone(), |_| panic!("nobody is asked")).unwrap_err();
        assert_eq!(error.code(), code, "{value}");
        assert!(error.to_string().contains(said) && error.to_string().contains(NAME), "{error}");
        assert!(scene.all() == before, "{value}");
    }
    for name in ["none", "../home"] {
        let error = scene.change().configure::<Error>(name, json!({}), |_| panic!("nobody is asked")).unwrap_err();
        assert_eq!(error.code(), "HR0103", "{name}");
    }
    let large = Value::String("a".repeat(MAX_CONFIG));
    let error = scene.change().configure::<Error>(NAME, large, |_| panic!("nobody is asked")).unwrap_err();
    assert_eq!(error.code(), "HR0836");
    let veto = |_: &Value| scene.store.load_spec("none").map(|_| ());
    let vetoed = |value| scene.change().configure(NAME, value, veto).unwrap_err().code();
    assert_eq!(vetoed(json!({ "limit": 1 })), "HR0103");
    assert!(scene.all() == before);
    set(&scene, json!({ "limit": 1 })).unwrap();
    let before = scene.all();
    assert_eq!(vetoed(json!({ "limit": 2 })), "HR0103");
    assert!(scene.all() == before);
}

#[test]
fn ten_former_configurations_are_kept() {
    let scene = installed(99);
    assert!(scene.store.history(NAME).unwrap().is_empty());
    for limit in 1..=12 {
        let (set, is_new) = set(&scene, json!({ "limit": limit })).unwrap();
        assert!(is_new);
        assert_eq!(set.revision, limit);
        assert_eq!(scene.store.history(NAME).unwrap().len(), (limit as usize - 1).min(10));
    }
    let history = scene.store.history(NAME).unwrap();
    let kept: Vec<_> = history.iter().map(|former| (former.revision, former.value["limit"].clone())).collect();
    assert_eq!(kept, (2..12).rev().map(|limit| (limit, json!(limit))).collect::<Vec<_>>());
    assert!(history.iter().all(|former| humantime(&former.since)));

    let before = scene.all();
    let again = scene.change().configure::<Error>(NAME, json!({ "limit": 12 }), |_| panic!("nobody is asked"));
    let (same, is_new) = again.unwrap();
    assert!(!is_new && same == scene.store.configuration(NAME).unwrap());
    assert!(scene.all() == before, "the same again changes nothing");
}

#[test]
fn what_a_plugin_writes_itself_never_displaces_all_that_the_operator_has_set() {
    let scene = installed(99);
    for limit in 1..=8 {
        set(&scene, json!({ "limit": limit })).unwrap();
    }
    let refused = scene.change().keep_own(NAME, json!({ "limit": 100 })).unwrap_err();
    assert_eq!((refused.code(), value(&scene).2), ("HR0203", 8));
    for limit in 9..=50 {
        assert_eq!(scene.change().keep_own(NAME, json!({ "limit": limit })).unwrap(), limit);
    }
    assert_eq!(value(&scene), (json!({ "limit": 50 }), Origin::Plugin, 50));
    let history = |scene: &Scene| -> Vec<_> {
        scene.store.history(NAME).unwrap().iter().map(|former| (former.revision, former.origin)).collect()
    };
    let own = (45..50).rev().map(|revision| (revision, Origin::Plugin));
    let expected: Vec<_> = own.chain((4..9).rev().map(|revision| (revision, Origin::Operator))).collect();
    assert_eq!(history(&scene), expected);
    set(&scene, json!({ "limit": 51 })).unwrap();
    assert_eq!(history(&scene)[0], (50, Origin::Plugin));
    assert_eq!(value(&scene), (json!({ "limit": 51 }), Origin::Operator, 51));
}

/// Whether it looks like RFC 3339.
fn humantime(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T'
}

#[test]
fn a_configuration_outlives_its_plugin_but_no_purge() {
    let scene = installed(9);
    set(&scene, json!({ "limit": 1 })).unwrap();
    set(&scene, json!({ "limit": 2 })).unwrap();
    scene.change().uninstall(NAME, false).unwrap();
    assert_eq!(scene.store.configuration(NAME).unwrap_err().code(), "HR0103");
    assert_eq!(scene.store.history(NAME).unwrap_err().code(), "HR0103");
    scene.install(&with_limit(&scene, "1.1.0", 9), Install::new()).unwrap();
    assert_eq!(value(&scene), (json!({ "limit": 2 }), Origin::Operator, 2));
    assert_eq!(scene.store.history(NAME).unwrap().len(), 1);
    scene.change().uninstall(NAME, true).unwrap();
    assert!(!scene.path("config").exists());
    scene.install(&with_limit(&scene, "1.0.0", 9), Install::new()).unwrap();
    assert_eq!(value(&scene), (Value::Null, Origin::Nothing, 0));
}

#[test]
fn an_enabled_version_fits_the_configuration_that_is_set() {
    let scene = installed(9);
    set(&scene, json!({ "limit": 9 })).unwrap();
    scene.change().enable(NAME, agree).unwrap();
    let stricter = with_limit(&scene, "2.0.0", 5);
    let before = scene.all();
    for how in [DRY, Install::new()] {
        let error = scene.install(&stricter, how).unwrap_err();
        assert_eq!(error.code(), "HR0829");
        assert!(error.to_string().contains("version 2.0.0") && error.to_string().contains("/limit: 9 is"), "{error}");
        assert!(scene.all() == before);
    }
    // The ways out: both take it, or nobody loads it meanwhile.
    set(&scene, json!({ "limit": 5 })).unwrap();
    scene.install(&stricter, DRY).unwrap();
    set(&scene, json!({ "limit": 9 })).unwrap();
    scene.change().disable(NAME).unwrap();
    scene.install(&stricter, Install::new()).unwrap();
    assert_eq!(scene.change().fits(NAME, &version("2.0.0")).unwrap_err().code(), "HR0829");
    scene.change().fits(NAME, &version("1.0.0")).unwrap();
    assert_eq!(scene.change().fits(NAME, &version("3.0.0")).unwrap_err().code(), "HR0103");
    assert_eq!(scene.change().enable(NAME, agree).unwrap_err().code(), "HR0829");
    set(&scene, json!({ "limit": 4 })).unwrap();
    scene.change().enable(NAME, agree).unwrap();
    // A way back is a version as well.
    scene.install(&with_limit(&scene, "3.0.0", 9), Install::new()).unwrap();
    set(&scene, json!({ "limit": 9 })).unwrap();
    assert_eq!(scene.change().rollback(NAME, agree).unwrap_err().code(), "HR0829");
    set(&scene, json!({ "limit": 5 })).unwrap();
    scene.change().rollback(NAME, agree).unwrap();
}

#[test]
fn a_default_or_schema_changed_after_packing_is_refused() {
    let scene = Scene::new();
    let files = [("etc/screen.json", &json!({})), ("etc/screen.schema.json", &schema(9))];
    scene.install(&package(&scene, "1.0.0", &files), Install::new()).unwrap();
    let place = scene.path("store/screen/1.0.0/etc");
    for name in ["screen.json", "screen.schema.json"] {
        let good = fs::read(place.join(name)).unwrap();
        fs::write(place.join(name), "{ }").unwrap();
        let (configuration, schema) = (scene.store.configuration(NAME), scene.store.schema(NAME));
        let error = if name == "screen.json" { configuration.unwrap_err() } else { schema.unwrap_err() };
        assert_eq!(error.code(), "HR0802");
        assert!(error.to_string().contains(name), "{error}");
        fs::write(place.join(name), good).unwrap();
    }
    fs::remove_file(place.join("screen.schema.json")).unwrap();
    assert!(set(&scene, json!({})).is_err(), "a schema that is gone is not as good as none");
}

#[test]
fn a_senseless_configuration_file_is_left_untouched() {
    let scene = installed(9);
    set(&scene, json!({ "limit": 1 })).unwrap();
    set(&scene, json!({ "limit": 2 })).unwrap();
    let file = scene.path(FILE);
    let good = fs::read_to_string(&file).unwrap();
    for (from, to) in [
        ("\"format\": 1", "\"format\": 2"),
        ("\"format\"", "\"more\": 1, \"format\""),
        ("\"since\"", "\"more\": 1, \"since\""),
        ("\"origin\": \"operator\"", "\"origin\": \"package\""),
        ("\"revision\": 1", "\"revision\": 2"),
        ("\"revision\": 2", "\"revision\": 1"),
        ("\"revision\": 2", "\"revision\": 18446744073709551615"),
        ("\"value\"", "\"worth\""),
        ("{", ""),
        (&good, "{ \"format\": 1, \"settings\": [] }"),
    ] {
        assert!(good.contains(from));
        fs::write(&file, good.replacen(from, to, 1)).unwrap();
        let before = scene.all();
        let found = scene.store.configuration(NAME).unwrap_err();
        assert!(found.to_string().contains(FILE) && found.fix().contains("move it away"), "{found}");
        for error in [found, scene.store.history(NAME).unwrap_err(), set(&scene, json!({})).unwrap_err()] {
            assert_eq!(error.code(), "HR0828", "{to}");
        }
        assert_eq!(scene.change().enable(NAME, agree).unwrap_err().code(), "HR0828", "{to}");
        assert!(scene.all() == before, "{to}");
    }
    // The way out that the error names.
    fs::remove_file(&file).unwrap();
    assert_eq!(value(&scene), (Value::Null, Origin::Nothing, 0));
    set(&scene, json!({ "limit": 3 })).unwrap();

    for name in ["config", "config/screen", FILE] {
        let path = scene.path(name);
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let before = fs::metadata(&path).unwrap().permissions().mode();
        mode(before | 0o020);
        assert_eq!(scene.store.configuration(NAME).unwrap_err().code(), "HR0813", "{name}");
        mode(before);
    }
    scene.store.configuration(NAME).unwrap();
}

#[test]
fn leftovers_of_a_crash_in_configurations_are_collected_by_the_next_change() {
    let scene = installed(9);
    let before = scene.all();
    // The directories were made, and the file was not.
    fs::create_dir_all(scene.path("config/screen")).unwrap();
    assert_eq!(value(&scene).1, Origin::Nothing);
    drop(scene.change());
    assert!(scene.all() == before);

    // A purge that did not happen, and one that did: the state is replaced in between.
    set(&scene, json!({ "limit": 1 })).unwrap();
    let before = scene.all();
    let mark = scene.path("config/screen/purged");
    fs::write(&mark, "").unwrap();
    assert_eq!(value(&scene).2, 1);
    drop(scene.change());
    assert!(scene.all() == before);
    fs::write(&mark, "").unwrap();
    fs::remove_file(scene.path("state.json")).unwrap();
    drop(scene.change());
    assert!(!scene.path("config").exists() && !scene.path("store").exists());
}

#[test]
fn a_state_that_was_moved_away_takes_no_configuration_along() {
    let scene = installed(9);
    set(&scene, json!({ "limit": 1 })).unwrap();
    fs::remove_file(scene.path("state.json")).unwrap();
    drop(scene.change());
    scene.install(&with_limit(&scene, "1.0.0", 9), Install::new()).unwrap();
    assert_eq!(value(&scene).2, 1);
}
