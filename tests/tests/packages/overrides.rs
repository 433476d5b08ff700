//! What is said of callbacks, in the store and in the host that loads from it.

use std::fs;
use std::path::Path;
use std::thread::scope;

use hookrail::control::Manager;
use hookrail::control::command::SetCallback;
use hookrail::store::{Install, agree};
use hookrail::{CallbackOverride, Config, Host, Message, MessagePublish};
use hookrail_abi::Point;
use hookrail_tests::counter::{self, At, Do, standstill};
use hookrail_tests::recorder::{listen, messages};
use hookrail_tests::stocked::Scene;
use hookrail_tests::{alone, zoo};
use serde_json::json;

const CALLBACK: &str = "screen/screen";
/// The code of what is refused while something else is done to the plugin.
const BUSY: &str = "HR0106";

fn hooks(of: &[(&str, i32)]) -> Vec<CallbackOverride> {
    let hook = |(callback, priority): &(&str, i32)| json!({ "point": MessagePublish::NAME, "callback": callback, "priority": priority });
    serde_json::from_value(of.iter().map(hook).collect()).unwrap()
}

fn with_screen() -> Scene {
    let scene = Scene::new();
    scene.install(&scene.package("1.0.0"), Install::new()).unwrap();
    scene
}

/// Said of a callback that an upgrade has taken away: a rollback may bring it back, and the operator may take it back.
#[test]
fn what_is_said_of_a_callback_that_is_gone_blocks_nothing() {
    let scene = with_screen();
    let gone = ("screen/gone", 3);
    let stored = || scene.store.state().unwrap().settings("screen").overrides;
    let error = scene.change().override_callbacks("screen", hooks(&[gone]), agree).unwrap_err();
    assert_eq!(error.code(), "HR0835", "{error}");
    scene.change().override_callbacks("screen", hooks(&[(CALLBACK, 3)]), agree).unwrap();
    let file = scene.path("state.json");
    let state = fs::read_to_string(&file).unwrap();
    fs::write(&file, state.replace(CALLBACK, gone.0)).unwrap();
    assert_eq!(stored(), hooks(&[gone]));

    let host = Host::new(Config::default().with_home(scene.path(""))).unwrap();
    // SAFETY: nobody but this test executes commands, and nothing is enabled.
    let manager = unsafe { Manager::new(&host) };
    // SAFETY: as above.
    assert!(unsafe { manager.open_store(scene.store.clone()) }.unwrap().is_empty());
    let set = |callback: &str, change: &dyn Fn(&mut SetCallback)| {
        let mut command = SetCallback::new(MessagePublish::NAME, callback);
        change(&mut command);
        manager.ask(command).map(drop)
    };
    set(CALLBACK, &|command| command.priority = Some(7)).unwrap();
    assert_eq!(stored(), hooks(&[gone, (CALLBACK, 7)]));
    let error = set(gone.0, &|command| command.priority = Some(4)).unwrap_err();
    assert_eq!(error.code(), "HR0835", "{error}");
    set(gone.0, &|command| command.default = true).unwrap();
    assert_eq!(stored(), hooks(&[(CALLBACK, 7)]));
    let error = set(gone.0, &|command| command.default = true).unwrap_err();
    assert_eq!(error.code(), "HR0109", "{error}");
}

/// It may be under other ones: a command that is repeated repairs that.
#[test]
fn whoever_runs_a_plugin_hears_also_what_is_said_again() {
    let scene = with_screen();
    for is_new in [true, false] {
        let mut heard = 0;
        let hear = |_: &[CallbackOverride]| -> Result<(), hookrail::store::Error> {
            heard += 1;
            Ok(())
        };
        let changed = scene.change().override_callbacks("screen", hooks(&[(CALLBACK, 1)]), hear).unwrap();
        assert_eq!((changed, heard), (is_new, 1));
    }
}

/// Nothing was changed, so there is nothing to go back to, and to complain of.
#[test]
fn a_busy_plugin_of_the_program_holds_up_no_other_and_raises_no_alarm() {
    alone!();
    listen();
    let scene = with_screen();
    scene.change().enable("screen", agree).unwrap();
    // SAFETY: our own library.
    let exported = |file: &Path| unsafe { hookrail::schema(file) };
    let store = scene.store.clone().with_prebuilt([("counter".into(), zoo("counter_one"))], exported);
    store.change().unwrap().override_callbacks("counter", hooks(&[("counter/count", 7)]), agree).unwrap();

    let counter = counter::Scene::configured(json!({ "unload": { "deadline": "20ms" } }), json!({}));
    let (stay, inside) = standstill();
    counter.script(move |at, build| match (at, build) {
        (At::Restore, 2) => {
            stay.act();
            Do::Fail
        }
        _ => Do::GoOn,
    });
    assert_eq!(counter.count(), (1, 1));
    // SAFETY: nobody but this test executes commands.
    let manager = unsafe { Manager::new(&counter.host) };
    let mut said_again = SetCallback::new(MessagePublish::NAME, "counter/count");
    said_again.priority = Some(7);
    scope(|scope| {
        let upgrade = scope.spawn(|| counter.upgrade("counter_two").map(drop));
        inside.is_there();
        // SAFETY: what is installed is our own.
        let failed = unsafe { manager.open_store(store) }.unwrap();
        let failed: Vec<_> = failed.iter().map(|failed| (&*failed.plugin, failed.error.code())).collect();
        assert_eq!(failed, [("counter", BUSY)]);
        assert!(counter.host.plugin("screen").is_some());
        assert_eq!(manager.ask(said_again.clone()).unwrap_err().code(), BUSY);
        inside.goes_on();
        assert!(upgrade.join().unwrap().is_err());
    });
    assert!(!messages().iter().any(|message| message.contains("as the store says")), "{:?}", messages());
    let view = manager.ask(said_again).unwrap();
    let priority = |view: &hookrail::PointView| {
        view.chain.iter().find(|callback| callback.callback == "counter/count").unwrap().priority
    };
    assert_eq!(priority(&view), 7);
    let _ = counter.publish.dispatch(&mut Message::new("a.b", "text"));
}
