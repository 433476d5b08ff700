//! The main job: load, dispatch, unload.

use hookrail::{Config, Decision, End, Host, Message, MessagePublish};

#[test]
fn a_loaded_plugin_runs_and_an_unloaded_one_is_gone() {
    let host = Host::new(Config::default()).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    // SAFETY: our own plugin.
    let hello = unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
    let mut message = Message::new("a.b", "text");
    assert_eq!(publish.dispatch(&mut message).decision(), Decision::Passed);
    assert_eq!(message.header("greeting"), Some("hello"));
    assert_eq!(host.unload(&hello).unwrap(), End::Unmapped);
    // The message outlives the library that wrote into it.
    assert_eq!(message.clone().header("greeting"), Some("hello"));
    let mut message = Message::new("a.b", "text");
    let _ = publish.dispatch(&mut message);
    assert_eq!(message.header("greeting"), None);
}
