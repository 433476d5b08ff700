//! The ephemeral directory of an instance ends with it, and with its worker.

use std::path::{Path, PathBuf};

use hookrail::{Config, End, Message, Quarantine};
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;

use crate::scenes::{isolated, restarted, unasked};

const PLUGIN: &str = "uses-its-ephemeral-directory";

/// Has the plugin keep that text, and returns where it did.
fn kept(scene: &Scene, text: &str) -> PathBuf {
    let mut message = Message::new("a.b", text);
    let _ = scene.publish.dispatch(&mut message);
    let last =
        scene.host.point_views().into_iter().flat_map(|point| point.chain).find_map(|callback| callback.last_fault);
    let path = PathBuf::from(std::str::from_utf8(&message.body).unwrap());
    assert!(path.is_absolute(), "{last:?}");
    path
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn scene(config: Config) -> (Scene, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    (Scene::new(config.with_home(home.path()).with_quarantine(Quarantine::default().with_faults(0))), home)
}

#[test]
fn an_ephemeral_directory_ends_with_its_instance_wherever_that_runs() {
    for config in [unasked(), isolated(PLUGIN)] {
        let (scene, _home) = scene(config);
        let plugin = scene.load(zoo("uses_its_ephemeral_directory"));
        let first = kept(&scene, "first");
        assert_eq!((kept(&scene, "second"), read(&first).as_deref()), (first.clone(), Some("second")));
        // The next generation has its own; that of the one before ends with it, and may have done so before that.
        // SAFETY: our own library.
        let upgraded = unsafe { scene.host.upgrade(&plugin, zoo("uses_its_ephemeral_directory")) }.unwrap();
        let second = kept(&scene, "third");
        upgraded.old.wait();
        assert_eq!(read(&second).as_deref(), Some("third"));
        assert!(first == second || !first.exists(), "{first:?}, {second:?}");
        scene.host.stop(&plugin).unwrap();
        assert!(!second.exists());
        scene.host.start(&plugin).unwrap();
        let third = kept(&scene, "fourth");
        assert!(third.exists());
        assert_eq!(scene.unload(plugin), End::Unmapped);
        assert!(!third.exists());
    }
}

#[test]
fn what_a_worker_left_behind_is_removed_when_it_has_ended() {
    let (scene, _home) = scene(isolated(PLUGIN));
    let plugin = scene.load(zoo("uses_its_ephemeral_directory"));
    let left = kept(&scene, "left");
    let _ = scene.publish.dispatch(&mut Message::new("a.b", "abort"));
    // Nobody asks for it again.
    eventually("it is removed", || !left.exists());
    let again = kept(&scene, "again");
    assert_eq!(read(&again).as_deref(), Some("again"));
    restarted(&scene, 1);
    assert_eq!(scene.unload(plugin), End::Unmapped);
    assert!(!again.exists());
}
