//! Plugins that need others: none is enabled without them, none goes while it is needed, and hosts load
//! what is needed first.

use hookrail::control::Manager;
use hookrail::store::{Error, Install, agree};
use hookrail::{Config, EventKind, Host};
use hookrail_tests::stocked::Scene;

fn install(scene: &Scene, name: &str, version: &str, requires: &[(&str, &str)]) -> Result<(), Error> {
    scene.install(&scene.named(name, version, requires), Install::new()).map(|_| ())
}

fn enable(scene: &Scene, name: &str) -> Result<bool, Error> {
    scene.change().enable(name, agree)
}

fn refused<T>(result: Result<T, Error>, code: &str, part: &str) {
    let error = result.map(|_| ()).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn a_required_plugin_is_enabled_first_and_stays() {
    let scene = Scene::new();
    install(&scene, "above", "1.0.0", &[("below", "~> 0.2")]).unwrap();
    refused(enable(&scene, "above"), "HR0833", "below ~> 0.2, which is not installed");
    install(&scene, "below", "0.1.0", &[]).unwrap();
    refused(enable(&scene, "above"), "HR0833", "which is 0.1.0");
    install(&scene, "below", "0.2.0", &[]).unwrap();
    refused(enable(&scene, "above"), "HR0833", "which is disabled");
    enable(&scene, "below").unwrap();
    enable(&scene, "above").unwrap();

    let needed = "above 1.0.0, which needs below ~> 0.2";
    refused(scene.change().disable("below"), "HR0834", needed);
    refused(scene.change().uninstall("below", false), "HR0834", needed);
    refused(scene.change().rollback("below", agree), "HR0834", needed);
    refused(install(&scene, "below", "1.0.0", &[]), "HR0834", needed);
    install(&scene, "below", "0.3.0", &[]).unwrap();

    // It is needed no more by what is disabled; but what is installed would have nothing to come back to.
    scene.change().disable("above").unwrap();
    refused(scene.change().uninstall("below", true), "HR0834", needed);
    scene.change().disable("below").unwrap();
    scene.change().uninstall("above", false).unwrap();
    scene.change().uninstall("below", false).unwrap();
}

#[test]
fn an_enabled_plugin_gets_no_version_that_lacks_something() {
    let scene = Scene::new();
    install(&scene, "above", "1.0.0", &[]).unwrap();
    enable(&scene, "above").unwrap();
    refused(install(&scene, "above", "1.1.0", &[("below", ">= 1.0.0")]), "HR0833", "below");
    assert_eq!(scene.store.load_spec("above").unwrap().library.version.to_string(), "1.0.0");
}

#[test]
fn a_host_loads_required_plugins_first() {
    let scene = Scene::new();
    for (name, requires) in [("c", &[][..]), ("b", &[("c", ">= 1.0.0")][..]), ("a", &[("b", ">= 1.0.0")][..])] {
        install(&scene, name, "1.0.0", requires).unwrap();
        enable(&scene, name).unwrap();
    }
    let host = Host::new(Config::default()).unwrap();
    let events = host.events();
    // SAFETY: our own libraries.
    assert!(unsafe { Manager::new(&host).open_store(scene.store.clone()) }.unwrap().is_empty());
    let is_load = |what: &EventKind| matches!(what, EventKind::Loaded { .. });
    let loaded = events.try_iter().filter(|event| is_load(&event.what));
    assert_eq!(loaded.map(|event| event.plugin.to_string()).collect::<Vec<_>>(), ["c", "b", "a"]);
}

#[test]
fn metadata_needs_nothing_twice_and_not_itself() {
    let scene = Scene::new();
    for requires in [&[("screen", ">= 1.0.0")][..], &[("a", ">= 1.0.0"), ("a", "~> 1.0")], &[("../a", "~> 1.0")]] {
        let packed =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scene.named("screen", "1.0.0", requires)));
        assert!(packed.is_err(), "{requires:?}");
    }
}
