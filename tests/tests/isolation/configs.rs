//! A plugin writes its own configuration, in the host's process and in a worker: by the rules of the operator, and
//! without waiting for anybody.

use std::fs;
use std::path::Path;

use hookrail::control::command::{Config as StoredConfig, ConfigHistory, Configure, Enable};
use hookrail::control::{Error, Manager};
use hookrail::package::Home;
use hookrail::store::{Origin, Store};
use hookrail::{Config, End, EventKind, HealthLimits, Isolation, Message, PluginConfig};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::scene::Scene;
use hookrail_tests::specimens;
use hookrail_tests::zoo;
use serde_json::{Value, json};

use crate::scenes::{limits, restarted};

const PLUGIN: &str = "writes-its-configuration";
const SPECIMEN: &str = "writes_its_configuration";

/// The configuration of a host with the plugin in its own process, and of one with it in a worker.
fn both() -> [Config; 2] {
    [Isolation::InProcess, Isolation::WORKER].map(|isolation| {
        let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
        within(Config::default().with_plugin(PLUGIN, plugin))
    })
}

/// With time for everything.
fn within(mut config: Config) -> Config {
    config.unload.deadline = LONG;
    config.health = HealthLimits::default().with_every(std::time::Duration::ZERO).with_ready(LONG);
    config
}

/// A host whose store keeps what the plugin writes.
struct Stored {
    scene: Scene,
    manager: Manager,
    store: Store,
    _home: tempfile::TempDir,
}

impl Stored {
    fn new(config: Config) -> Self {
        let home = tempfile::tempdir().unwrap();
        let scene = Scene::new(config.with_home(home.path()));
        let prebuilt = [(PLUGIN.to_owned(), zoo(SPECIMEN))];
        // SAFETY: our own library.
        let schema = |path: &Path| unsafe { hookrail::schema(path) };
        let store = Store::open(Home::open(home.path()).unwrap()).unwrap().with_prebuilt(prebuilt, schema);
        // SAFETY: as above.
        let manager = unsafe { Manager::new(&scene.host) };
        // SAFETY: as above.
        assert!(unsafe { manager.open_store(store.clone()) }.unwrap().is_empty());
        Stored { scene, manager, store, _home: home }
    }

    fn enable(&self) {
        self.manager.ask(Enable::new(PLUGIN)).unwrap();
    }

    fn set(&self, config: Value) -> Result<u64, Error> {
        self.manager.ask(Configure::new(PLUGIN, config)).map(|set| set.configured.revision)
    }

    fn kept(&self) -> (Value, Origin, u64) {
        let kept = self.manager.ask(StoredConfig::new(PLUGIN)).unwrap();
        (kept.value, kept.origin, kept.revision)
    }
}

/// What the plugin answers.
fn ask(scene: &Scene, what: &str) -> String {
    let mut message = Message::new("a.b", what);
    let _ = scene.publish.dispatch(&mut message);
    String::from_utf8(message.body.as_slice().into()).unwrap()
}

#[track_caller]
fn says(answer: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| answer.contains(part)), "{parts:?} in {answer}");
    assert!(!answer.contains("\\n"), "it is one line: {answer}");
}

#[test]
fn what_a_plugin_writes_is_in_force_and_it_is_not_asked_to_reload_it() {
    for config in both() {
        let scene = Scene::new(config);
        let plugin = scene.load(zoo(SPECIMEN));
        let events = scene.host.events();
        assert_eq!(ask(&scene, "stored"), "0 {}");
        assert_eq!(ask(&scene, r#"write {"number":7} 0"#), "revision 1");
        assert_eq!(
            (ask(&scene, "config"), ask(&scene, "stored")),
            (r#"{"number":7}"#.into(), r#"1 {"number":7}"#.into())
        );
        assert_eq!(
            (ask(&scene, "number"), ask(&scene, "said")),
            ("0".into(), String::new()),
            "it is not called for it"
        );
        let written = EventKind::config_written(PLUGIN, 1);
        assert_eq!(events.recv_timeout(LONG).unwrap().what, written);
        assert_eq!(scene.host.configuration(PLUGIN).unwrap(), json!({ "number": 7 }));

        says(&ask(&scene, r#"write {"number":8} 0"#), &["Changed(\"HR0837: ", "revision 1 by now, not 0"]);
        let mistakes = ask(&scene, r#"write {"number":101,"more":1} 1"#);
        says(&mistakes, &["Refused(\"HR0203: ", "/number: 101 is greater", "; ", "'more' was unexpected"]);
        says(&ask(&scene, "write {"), &["Refused(", "is not JSON"]);
        says(&ask(&scene, "write-large 600000"), &["Refused(\"HR0836: ", "600002 bytes"]);
        assert_eq!(ask(&scene, "stored"), r#"1 {"number":7}"#, "nothing of that has changed anything");

        assert_eq!(ask(&scene, r#"write-on-a-thread {"number":9}"#), "revision 2");
        scene.host.reload(PLUGIN, &json!({ "number": 10 })).unwrap();
        assert_eq!((ask(&scene, "number"), ask(&scene, "stored")), ("10".into(), r#"3 {"number":10}"#.into()));
        assert_eq!(ask(&scene, r#"write {"number":11} 3"#), "revision 4");

        // Whoever comes next begins with it.
        scene.host.stop(&plugin).unwrap();
        scene.host.start(&plugin).unwrap();
        assert_eq!((ask(&scene, "number"), ask(&scene, "stored")), ("11".into(), r#"4 {"number":11}"#.into()));
        // SAFETY: our own library.
        unsafe { scene.host.upgrade(&plugin, zoo(SPECIMEN)) }.unwrap().old.wait();
        assert_eq!((ask(&scene, "number"), ask(&scene, r#"write {"number":12}"#)), ("11".into(), "revision 5".into()));
        if scene.host.plugin_views()[0].worker.is_some() {
            assert_eq!(ask(&scene, "abort"), "abort");
            assert_eq!(ask(&scene, "number"), "12");
            restarted(&scene, 1);
        }
        assert_eq!(scene.unload(plugin), End::Unmapped);
        assert!(scene.host.configuration(PLUGIN).is_err());
        scene.load(zoo(SPECIMEN));
        assert_eq!(ask(&scene, "number"), "0", "nobody has kept it");
    }
}

#[test]
fn a_store_keeps_what_a_plugin_writes_beside_what_the_operator_sets() {
    for config in both() {
        let stored = Stored::new(config);
        stored.set(json!({ "number": 1 })).unwrap();
        stored.enable();
        let scene = &stored.scene;
        assert_eq!(ask(scene, "stored"), r#"1 {"number":1}"#);
        assert_eq!(ask(scene, r#"write {"number":2} 1"#), "revision 2");
        assert_eq!(stored.kept(), (json!({ "number": 2 }), Origin::Plugin, 2));
        assert_eq!(ask(scene, "said"), "", "it is not asked to reload it");
        says(&ask(scene, r#"write {"number":3} 1"#), &["Changed(\"HR0837: ", "revision 2 by now, not 1"]);
        says(&ask(scene, r#"write {"number":101}"#), &["Refused(\"HR0203: ", "/number: 101 is greater"]);

        let mut late = Configure::new(PLUGIN, json!({ "number": 4 }));
        late.if_revision = Some(1);
        assert_eq!(stored.manager.ask(late).unwrap_err().code(), "HR0837");
        assert_eq!(stored.set(json!({ "number": 5 })).unwrap(), 3);
        assert_eq!((ask(scene, "number"), ask(scene, "stored")), ("5".into(), r#"3 {"number":5}"#.into()));
        let history = stored.manager.ask(ConfigHistory::new(PLUGIN)).unwrap();
        let history: Vec<_> = history.iter().map(|former| (former.revision, former.origin)).collect();
        assert_eq!(history, [(2, Origin::Plugin), (1, Origin::Operator)]);

        // Somebody is changing something: it does not wait.
        let change = stored.store.change().unwrap();
        says(&ask(scene, r#"write {"number":6}"#), &["Busy(\"HR0812: "]);
        drop(change);
        assert_eq!(ask(scene, r#"write {"number":6} 3"#), "revision 4");
    }
}

#[test]
fn what_is_written_during_a_start_is_kept_once_the_plugin_serves() {
    for config in both() {
        let stored = Stored::new(config.clone());
        stored.set(json!({ "on_start": 7 })).unwrap();
        // The command that starts it holds the store meanwhile.
        stored.enable();
        assert_eq!(ask(&stored.scene, "said"), "revision 2");
        let kept = (json!({ "number": 7 }), Origin::Plugin, 2);
        eventually("it is kept", || stored.kept() == kept);
        assert_eq!(ask(&stored.scene, "config"), r#"{"number":7}"#);

        let scene = Scene::new(config);
        scene.load(zoo(SPECIMEN));
        scene.host.reload(PLUGIN, &json!({ "on_start": 8 })).unwrap();
        let plugin = scene.host.plugin(PLUGIN).unwrap();
        scene.host.stop(&plugin).unwrap();
        scene.host.start(&plugin).unwrap();
        assert_eq!((ask(&scene, "said"), ask(&scene, "stored")), ("revision 2".into(), r#"2 {"number":8}"#.into()));
    }
}

#[test]
fn what_a_start_that_fails_has_written_is_not_kept() {
    for config in both() {
        let stored = Stored::new(config);
        stored.enable();
        assert_eq!(stored.set(json!({ "number": 1 })).unwrap(), 1);
        let mut restart = Configure::new(PLUGIN, json!({ "on_start": 7, "fails": true }));
        restart.restart = true;
        assert_eq!(stored.manager.ask(restart).unwrap_err().code(), "HR0402");
        assert_eq!(stored.kept(), (json!({ "number": 1 }), Origin::Operator, 1));
        assert_eq!(ask(&stored.scene, r#"write {"number":2} 1"#), "revision 2", "the one before serves on");
    }
}

#[test]
fn a_plugin_that_is_given_a_configuration_writes_none_meanwhile() {
    for config in both() {
        let stored = Stored::new(config.clone());
        stored.enable();
        stored.set(json!({ "on_reload": 7 })).unwrap();
        says(&ask(&stored.scene, "said"), &["Busy(", "is being changed"]);
        assert_eq!(stored.kept(), (json!({ "on_reload": 7 }), Origin::Operator, 1));

        let scene = Scene::new(config);
        scene.load(zoo(SPECIMEN));
        scene.host.reload(PLUGIN, &json!({ "on_reload": 8 })).unwrap();
        says(&ask(&scene, "said"), &["Busy(", "is being changed"]);
        assert_eq!(ask(&scene, r#"write {"number":9} 1"#), "revision 2");
    }
}

#[test]
fn a_plugin_that_ends_writes_no_configuration() {
    for config in both() {
        let notes = tempfile::NamedTempFile::new().unwrap();
        let stored = Stored::new(config);
        stored.set(json!({ "notes": notes.path() })).unwrap();
        stored.enable();
        let plugin = stored.scene.host.plugin(PLUGIN).unwrap();
        assert_eq!(stored.scene.unload(plugin), End::Unmapped);
        let notes = fs::read_to_string(notes.path()).unwrap();
        let refused = "Refused(\"it is being stopped, replaced or unloaded, and writes its configuration no more\")";
        assert_eq!(notes, format!("drain: {refused}\nstop: {refused}\n"));
        assert_eq!(stored.kept().2, 1);
    }
}

#[test]
fn a_plugin_changes_nothing_that_a_file_declares() {
    for isolation in ["in-process", "worker"] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("hookrail.toml");
        let text = format!("[plugins.{PLUGIN}]\nisolation = '{isolation}'\n[plugins.{PLUGIN}.config]\nnumber = 3\n");
        fs::write(&file, text).unwrap();
        let config = || {
            let mut config = within(Config::read(&file).unwrap());
            config.plugins.get_mut(PLUGIN).unwrap().worker = limits();
            config
        };
        let place = format!("{}:3, ", file.display());
        let scene = Scene::new(config());
        scene.load(zoo(SPECIMEN));
        let stored = Stored::new(config());
        stored.scene.load(zoo(SPECIMEN));
        for scene in [&scene, &stored.scene] {
            says(&ask(scene, r#"write {"number":4}"#), &["Refused(\"HR0832: ", "it is configured in ", &place]);
            assert_eq!(ask(scene, "stored"), r#"0 {"number":3}"#);
        }
    }
}

#[test]
fn a_plugin_writes_ten_times_at_once_and_not_more() {
    for config in both() {
        let scene = Scene::new(config);
        scene.load(zoo(SPECIMEN));
        let write = || ask(&scene, r#"write {"number":1}"#);
        for revision in 1..=10 {
            assert_eq!(write(), format!("revision {revision}"));
        }
        // However slow this machine is, it writes more than once a second.
        let refused = (0..1000).map(|_| write()).find(|answer| !answer.starts_with("revision"));
        says(&refused.unwrap(), &["Busy(", "too often"]);
    }
}

/// Each is told of the other's changes in their order, or refused: both end with the same.
#[test]
fn an_operator_and_a_plugin_that_write_at_once_agree_in_the_end() {
    for config in both() {
        let stored = Stored::new(config);
        stored.enable();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..40 {
                    // Refused where the other one is faster.
                    let _ = stored.set(json!({ "number": number }));
                }
            });
            for number in 40..80 {
                says(&ask(&stored.scene, &format!("write {{\"number\":{number}}}")), &[]);
            }
        });
        let (value, _, revision) = stored.kept();
        assert_eq!(ask(&stored.scene, "stored"), format!("{revision} {value}"));
        assert_eq!(ask(&stored.scene, "config"), value.to_string());
    }
}

#[test]
fn a_plugin_in_c_writes_its_configuration() {
    for isolation in [Isolation::InProcess, Isolation::WORKER] {
        let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits());
        let scene = Scene::new(within(Config::default().with_plugin("writes-in-c", plugin)));
        scene.load(specimens::c("writes_its_configuration"));
        let said = |json: &str| {
            let mut message = Message::new("a.b", json);
            let _ = scene.publish.dispatch(&mut message);
            message.header("said").unwrap().to_owned()
        };
        assert_eq!(said(r#"{"any":1}"#), "0, revision 1: ");
        assert_eq!(
            said("{"),
            "1, revision 1: the configuration is not JSON: EOF while parsing an object at line 1 column 1"
        );
        assert_eq!(scene.host.configuration("writes-in-c").unwrap(), json!({ "any": 1 }));
    }
}
