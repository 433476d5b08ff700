//! The main job: load, dispatch, unload.

use hookrail::{Callbacks, Decision, End, Host, Message, MessagePublish, Priority, Verdict};
use hookrail_tests::scene::patient;

#[test]
fn a_loaded_plugin_runs_and_an_unloaded_one_is_gone() {
    let host = Host::new(patient()).unwrap();
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

#[test]
fn a_name_that_cannot_be_part_of_an_id_is_refused() {
    let host = Host::new(patient()).unwrap();
    host.point(MessagePublish).unwrap();
    let register = |instance: &str, callback: &str| {
        let pass = |_: &mut Message| {};
        host.register(Callbacks::new(instance).on(MessagePublish, callback, Priority::new(5), pass)).map(drop)
    };
    for (instance, callback) in
        [("a", "b/c"), ("a", ""), ("a", "b c"), ("a/b", "c"), ("", "c"), ("a:", "c"), ("a", "b\n")]
    {
        assert_eq!(register(instance, callback).unwrap_err().code(), "HR0114", "{instance:?}, {callback:?}");
    }
    assert!(register("a:b", "c_d.e-f").is_ok());
}

/// An outcome is a value, and may end up anywhere.
#[test]
fn an_outcome_names_its_callback_whichever_host_is_asked() {
    let (one, other) = (Host::new(patient()).unwrap(), Host::new(patient()).unwrap());
    let publish = one.point(MessagePublish).unwrap();
    let deny = |_: &mut Message| Verdict::deny(7, "no");
    one.register(Callbacks::new("guard").on(MessagePublish, "deny", Priority::new(5), deny)).unwrap();
    let outcome = publish.dispatch(&mut Message::new("a.b", "text"));
    for host in [&one, &other] {
        assert_eq!(host.decided_by(&outcome).as_deref(), Some("guard/deny"));
        assert_eq!(host.denial(&outcome).unwrap().by.as_deref(), Some("guard/deny"));
    }
}
