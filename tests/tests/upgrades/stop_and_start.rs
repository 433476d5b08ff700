//! A plugin is stopped and started while its library stays loaded.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::scope;

use hookrail::{End, EventKind, Status};
use hookrail_tests::alone;
use hookrail_tests::counter::{At, Do, Once, Scene, counted, standstill};
use hookrail_tests::probe::eventually;
use serde_json::json;

fn status(scene: &Scene) -> Status {
    scene.host.plugin_views()[0].status
}

#[test]
fn a_stopped_plugin_is_called_by_nobody_and_starts_anew() {
    alone!();
    let scene = Scene::plain();
    let events = scene.host.events();
    assert_eq!([scene.count(), scene.count()], [(1, 1), (1, 2)]);
    assert_eq!(scene.host.stop(&scene.counter).unwrap(), Status::Stopped);
    assert_eq!((counted(&scene.publish), status(&scene)), (None, Status::Stopped));
    assert!(scene.host.plugin_views()[0].instances.is_empty());
    let error = scene.host.stop(&scene.counter).unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("HR0107", "`counter` is stopped"));
    let error = scene.host.reload("counter", &json!({})).unwrap_err();
    assert_eq!(error.code(), "HR0107");

    scene.host.start(&scene.counter).unwrap();
    assert_eq!((scene.count(), status(&scene), scene.generation()), ((1, 1), Status::Running, 1));
    assert_eq!(scene.host.plugin_views()[0].instances, ["counter"]);
    let error = scene.host.start(&scene.counter).unwrap_err();
    assert_eq!((error.code(), &*error.to_string()), ("HR0107", "`counter` is running"));
    let told: Vec<_> = events.try_iter().map(|event| event.what).collect();
    assert_eq!(told, [EventKind::Stopped, EventKind::Started]);
}

#[test]
fn a_stopped_plugin_may_be_unloaded() {
    alone!();
    let scene = Scene::plain();
    assert_eq!(scene.host.stop(&scene.counter).unwrap(), Status::Stopped);
    assert_eq!(scene.host.unload(&scene.counter).unwrap(), End::Unmapped);
    assert_eq!(scene.host.stop(&scene.counter).unwrap_err().code(), "HR0103");
}

#[test]
fn a_start_that_fails_leaves_it_stopped() {
    alone!();
    let scene = Scene::plain();
    assert_eq!(scene.host.stop(&scene.counter).unwrap(), Status::Stopped);
    for answer in [Do::Fail, Do::Panic] {
        scene.script(move |at, _| if at == At::Start { answer } else { Do::GoOn });
        let error = scene.host.start(&scene.counter).unwrap_err();
        assert_eq!(error.code(), "HR0402", "{error}");
        assert_eq!((counted(&scene.publish), status(&scene)), (None, Status::Stopped));
    }
    scene.script(|_, _| Do::GoOn);
    scene.host.start(&scene.counter).unwrap();
    assert_eq!(scene.count(), (1, 1));
}

#[test]
fn stopping_waits_for_who_is_inside_and_nothing_else_is_done_meanwhile() {
    alone!();
    let scene = Scene::plain();
    let (stay, inside) = standstill();
    let (sent, stopped) = channel();
    scene.script(move |at, _| {
        match at {
            At::Count => stay.act(),
            At::Stop => sent.send(()).unwrap(),
            _ => {}
        }
        Do::GoOn
    });
    scope(|scope| {
        let reader = scope.spawn(|| counted(&scene.publish));
        inside.is_there();
        let stopper = scope.spawn(|| scene.host.stop(&scene.counter));
        eventually("it is stopping", || status(&scene) == Status::Stopping);
        assert_eq!(counted(&scene.publish), None, "nobody enters it any more");
        let error = scene.upgrade("counter_two").unwrap_err();
        assert_eq!((error.code(), &*error.to_string()), ("HR0106", "`counter` is being stopped"));
        assert_eq!(scene.host.begin_unload(&scene.counter).unwrap_err().code(), "HR0106");
        stopped.try_recv().expect_err("it is not stopped while somebody is inside");
        inside.goes_on();
        assert_eq!(reader.join().unwrap(), Some((1, 1)));
        assert_eq!(stopper.join().unwrap().unwrap(), Status::Stopped);
        stopped.try_recv().unwrap();
    });
}

#[test]
fn stopping_from_within_its_own_callback_goes_on_in_the_background() {
    alone!();
    let scene = Scene::plain();
    let (host, counter) = (Arc::downgrade(&scene.host), scene.counter.clone());
    let (sent, answer) = channel();
    let stop = Once::new(move || sent.send(host.upgrade().unwrap().stop(&counter)).unwrap());
    scene.script(move |at, _| {
        if at == At::Count {
            stop.act();
        }
        Do::GoOn
    });
    assert_eq!(scene.count(), (1, 1));
    assert_eq!(answer.recv().unwrap().unwrap(), Status::Stopping);
    eventually("it is stopped", || status(&scene) == Status::Stopped);
    // That can be seen a moment before something else may be done to it.
    eventually("it starts", || scene.host.start(&scene.counter).is_ok());
    assert_eq!(scene.count(), (1, 1));
}

#[test]
fn a_reloaded_configuration_stays_over_a_restart() {
    alone!();
    let scene = Scene::plain();
    let mut config = serde_json::to_value(&scene.host.config().plugins["counter"].config).unwrap();
    config["first"] = json!(70);
    scene.host.reload("counter", &config).unwrap();
    assert_eq!(scene.host.stop(&scene.counter).unwrap(), Status::Stopped);
    scene.host.start(&scene.counter).unwrap();
    assert_eq!(scene.count(), (1, 71));
}
