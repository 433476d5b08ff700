//! What a dispatch is about, as its callbacks see it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hookrail::{Callbacks, Config, DispatchContext, Host, Message, MessagePublish, Priority};
use hookrail_abi::host::with_context;

#[test]
fn callbacks_see_the_context_of_their_dispatch_and_its_deadline_as_an_instant() {
    let host = Host::new(Config::default()).unwrap();
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    let sees = seen.clone();
    let callbacks = Callbacks::new("looks").on(MessagePublish, "look", Priority::new(1), move |_| {
        let look = with_context(|context| (context.deadline(), context.trace(), context.principal().into_owned()));
        sees.lock().unwrap().push(look);
    });
    host.register(callbacks).unwrap();
    let publish = host.point(MessagePublish).unwrap();
    let dispatch = || assert!(!publish.dispatch(&mut Message::new("a", "b")).is_denied());
    let now = Instant::now();
    let deadlines = [None, Some(now + Duration::from_secs(3600)), now.checked_sub(Duration::from_millis(1))];
    let outer = DispatchContext::default().with_trace([7; 16]).with_principal("ada").with_node("here");
    for deadline in deadlines {
        let mut context = outer;
        context.deadline = deadline;
        context.scope(dispatch);
        let (seen, trace, principal) = seen.lock().unwrap().pop().unwrap().unwrap();
        assert_eq!((seen.is_some(), trace, &*principal), (deadline.is_some(), Some([7; 16]), "ada"));
        // Only what passed between the readings of the clocks is missing.
        assert!(seen <= deadline && seen.map(|seen| seen + Duration::from_secs(60)) >= deadline);
    }
    outer.scope(|| {
        outer.with_principal("grace").scope(dispatch);
        dispatch();
    });
    dispatch();
    let principals = std::mem::take(&mut *seen.lock().unwrap()).into_iter().map(|seen| seen.map(|seen| seen.2));
    assert_eq!(principals.collect::<Vec<_>>(), [Some("grace".to_owned()), Some("ada".to_owned()), None]);
}
