//! Loading on threads that cannot: one that is ending, whose thread-locals are gone, and one with descriptors of its own.
//! Dispatching and unloading go on there.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread::spawn;

use hookrail::{Decision, End, Host, Message, MessagePublish, PluginHandle};
use hookrail_tests::alone;
use hookrail_tests::scene::patient;

/// A host with a plugin, which is used where a thread ends.
struct Used {
    host: Host,
    plugin: PluginHandle,
}

impl Used {
    /// Loads the plugin on this thread.
    fn new() -> Self {
        let host = Host::new(patient()).unwrap();
        // SAFETY: our own library.
        let plugin = unsafe { host.load(hookrail_tests::plugin("hello")) }.unwrap();
        Used { host, plugin }
    }

    /// What comes of another load and of a replacement, and how the plugin ends.
    fn act(&self) -> (Vec<&'static str>, End) {
        let other = hookrail_tests::plugin("stamp");
        // SAFETY: our own libraries.
        let refused = unsafe { [self.host.load(&other).err(), self.host.upgrade(&self.plugin, &other).err()] };
        let mut message = Message::new("a", "");
        assert_eq!(self.host.point(MessagePublish).unwrap().dispatch(&mut message).decision(), Decision::Passed);
        assert_eq!(message.header("greeting"), Some("hello"));
        let codes = refused.into_iter().map(|error| error.expect("it is refused").code()).collect();
        (codes, self.host.unload(&self.plugin).unwrap())
    }
}

/// What is told of it.
type Told = (Vec<&'static str>, End);

fn check((codes, end): Told, code: &str) {
    assert_eq!(codes, [code; 2]);
    assert!(end.is_unmapped(), "{end}");
}

#[test]
fn a_load_on_a_thread_with_descriptors_of_its_own_is_refused() {
    alone!();
    let used = Used::new();
    let act = move || {
        // SAFETY: a plain call.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0);
        used.act()
    };
    check(spawn(act).join().unwrap(), "HR0116");
}

/// Acts when it is dropped, and tells how that ended.
struct Late(Cell<Option<(Used, Sender<Told>)>>);

impl Drop for Late {
    fn drop(&mut self) {
        if let Some((used, tell)) = self.0.take() {
            tell.send(used.act()).unwrap();
        }
    }
}

/// Older than all thread-locals that the host has, so destroyed after them.
#[test]
fn a_load_in_the_destructor_of_a_thread_local_is_refused() {
    thread_local! {
        static LATE: Late = const { Late(Cell::new(None)) };
    }
    alone!();
    let (tell, told) = channel();
    let thread = spawn(move || LATE.with(|late| late.0.set(Some((Used::new(), tell)))));
    thread.join().unwrap();
    check(told.recv().unwrap(), "HR0115");
}

/// The destructors of keys run after those of all thread-locals.
#[test]
fn a_load_in_the_destructor_of_a_key_is_refused() {
    static USED: OnceLock<(Used, Sender<Told>)> = OnceLock::new();
    /// # Safety
    /// It runs as the destructor of a key.
    unsafe extern "C" fn late(_: *mut c_void) {
        let (used, tell) = USED.get().unwrap();
        tell.send(used.act()).unwrap();
    }
    alone!();
    let (tell, told) = channel();
    let mut key = 0;
    // SAFETY: there is room for a key.
    assert_eq!(unsafe { libc::pthread_key_create(&mut key, Some(late)) }, 0);
    let thread = spawn(move || {
        // SAFETY: the key was made above; its value is only looked at.
        assert_eq!(unsafe { libc::pthread_setspecific(key, std::ptr::without_provenance(1)) }, 0);
        USED.set((Used::new(), tell)).unwrap_or_else(|_| unreachable!("once"));
    });
    thread.join().unwrap();
    check(told.recv().unwrap(), "HR0115");
}
