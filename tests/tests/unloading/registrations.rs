//! What a plugin registers with a service ends with the plugin: the service of this test calls a subscriber from many
//! threads as fast as it can, and the plugin aborts the process if it is called once it was stopped.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;

use hookrail::{End, Host, Revocable, Services};
use hookrail_abi::boundary::Handle;
use hookrail_tests::alone;
use hookrail_tests::scene::patient;
use hookrail_tests::specimens::c;

/// The table `test-bus/1`.
#[repr(C)]
struct TestBus {
    size: u32,
    subscribe: unsafe extern "C" fn(*const Handle, Call, *mut c_void, Call) -> u64,
    unsubscribe: unsafe extern "C" fn(*const Handle, u64) -> u32,
    tell: unsafe extern "C" fn(*const c_char),
}

type Call = unsafe extern "C" fn(*mut c_void);

static BUS: TestBus = TestBus { size: size_of::<TestBus>() as u32, subscribe, unsubscribe, tell };
static SUBSCRIBERS: RwLock<BTreeMap<u64, Arc<Subscriber>>> = RwLock::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(0);
static CALLS: AtomicU64 = AtomicU64::new(0);
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A subscriber, until it is revoked.
struct Subscriber {
    /// Held while it is called.
    target: RwLock<Option<(Call, usize)>>,
    drop: Call,
}

/// The key of a subscriber.
struct Subscription(u64);

// SAFETY: once the target was taken no call begins, and taking it waits for those that hold it.
unsafe impl Revocable for Subscription {
    fn revoke(self: Box<Self>) {
        let subscriber = SUBSCRIBERS.write().unwrap().remove(&self.0).unwrap();
        let (_, ctx) = subscriber.target.write().unwrap().take().unwrap();
        // SAFETY: the plugin gave this function for what it gave, and it is called once.
        unsafe { (subscriber.drop)(ctx as *mut c_void) };
    }
}

unsafe extern "C" fn subscribe(handle: *const Handle, call: Call, ctx: *mut c_void, drop: Call) -> u64 {
    let begin = || {
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        let target = RwLock::new(Some((call, ctx as usize)));
        SUBSCRIBERS.write().unwrap().insert(key, Arc::new(Subscriber { target, drop }));
        Subscription(key)
    };
    // SAFETY: the plugin passes its handle.
    unsafe { Services::caller(handle) }.register(begin).unwrap_or(0)
}

unsafe extern "C" fn unsubscribe(handle: *const Handle, id: u64) -> u32 {
    // SAFETY: the plugin passes its handle.
    unsafe { Services::caller(handle) }.unregister(id).into()
}

unsafe extern "C" fn tell(what: *const c_char) {
    // SAFETY: the plugin passes a string.
    TOLD.lock().unwrap().push(unsafe { CStr::from_ptr(what) }.to_str().unwrap().into());
}

fn publish() {
    let subscribers: Vec<_> = SUBSCRIBERS.read().unwrap().values().cloned().collect();
    for subscriber in subscribers {
        if let Some((call, ctx)) = *subscriber.target.read().unwrap() {
            // SAFETY: it is not revoked while the target is held.
            unsafe { call(ctx as *mut c_void) };
            CALLS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn registrations_with_a_service_end_before_the_instance_stops() {
    alone!();
    // SAFETY: the plugin of this test knows this table by this id.
    unsafe { Services::register("test-bus/1", &BUS) };
    let host = Host::new(patient()).unwrap();
    let (running, rounds) = (Arc::new(()), 100);
    let publishers: Vec<_> = (0..3)
        .map(|_| {
            let running = Arc::downgrade(&running);
            thread::spawn(move || {
                while running.strong_count() > 0 {
                    publish();
                }
            })
        })
        .collect();
    for _ in 0..rounds {
        // SAFETY: a plugin of our tests.
        let plugin = unsafe { host.load(c("subscribes")) }.unwrap();
        let before = CALLS.load(Ordering::Relaxed);
        while CALLS.load(Ordering::Relaxed) == before {
            thread::yield_now();
        }
        assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
        let told = std::mem::take(&mut *TOLD.lock().unwrap());
        let expected = ["dropped start", "dropped kept", "dropped create", "stopped, refused"];
        assert_eq!(told, [&expected[..], &["destroyed"]].concat());
        assert!(SUBSCRIBERS.read().unwrap().is_empty());
    }
    drop(running);
    publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
}
