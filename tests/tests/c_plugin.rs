//! A plugin written in C, `abi/examples/c/screen.c`, keeps the boundary: proof that the boundary is
//! C's and not Rust's.
//!
//! Until there is `Host::load`, `Screen` stands in for the host.

#[path = "fixtures/cc.rs"]
mod cc;

use std::cell::RefCell;
use std::ffi::c_void;
use std::path::Path;
use std::ptr::{from_mut, null, null_mut};

use hookrail_abi::boundary::{
    ABI_VERSION, Context, ENTRY_SYMBOL, Entry, Heap, HostTable, NOTE_SECTION, Registration, Str, registration,
};
use hookrail_abi::catalogue::MessagePublish;
use hookrail_abi::host::Saying;
use hookrail_abi::verdict::raw;
use hookrail_abi::{Message, Point, note};
use libloading::Library;
use object::{Object, ObjectSection};
use serde_json::{Value, json};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../abi/examples/c/screen.c");

#[test]
fn a_c_plugin_edits_what_passes() {
    let screen = Screen::load("edits");
    let mut message = Message::new("news.local", "rain tomorrow   ");
    assert_eq!(screen.publish(&mut message), (raw::CONTINUE, None));
    assert_eq!(message.body.as_slice(), b"rain tomorrow");
    assert_eq!(message.header("screened"), Some("yes"));
}

/// Whoever allocated first, the other side may grow it and either may free it.
#[test]
fn memory_goes_back_and_forth() {
    let screen = Screen::load("memory");
    let mut message = Message::new("news.local", "");
    for round in 0..100 {
        message.add_header(&format!("round-{round}"), "made by Rust");
        assert_eq!(screen.publish(&mut message).0, raw::CONTINUE);
        message.set_header("screened", "what C made, Rust may grow");
        assert_eq!(screen.publish(&mut message).0, raw::CONTINUE);
        assert_eq!(message.header("screened"), Some("yes"));
        message.headers.truncate(round + 1);
    }
    assert_eq!(message.clone().headers.len(), 100);
}

#[test]
fn a_c_plugin_denies_and_says_why() {
    let screen = Screen::load("denies");
    let mut message = Message::new("news.local", "this is confidential: rain");
    let reason = "the body says that it is confidential".to_owned();
    assert_eq!(screen.publish(&mut message), (raw::DENY | 403 << 8, Some((Saying::Denied as u32, reason))));
    assert_eq!(message.header("screened"), None);
}

#[test]
fn its_note_says_what_it_registers() {
    let screen = Screen::load("note");
    let registered = screen.registered;
    // SAFETY: its texts are constants of the library, which is still loaded.
    let (point, callback) = unsafe { (registered.point.to_text(), registered.callback.to_text()) };
    assert_eq!(
        read_note(&build("note"))["hooks"],
        json!([{
            "point": point, "revision": registered.revision, "callback": callback, "priority": registered.priority,
            "effects": "pure",
        }])
    );
    assert_eq!(registered.effects, hookrail_abi::Effects::Pure as u32);
    assert_eq!(registered.flags, registration::HAS_PRIORITY);
    assert_eq!(registered.fingerprint, MessagePublish::shape().fingerprint);
}

/// Each test builds a file of its own: tests run at once.
fn build(test: &str) -> std::path::PathBuf {
    cc::compile(cc::STRICT_C, SOURCE, &["-shared", "-fPIC"], &format!("libhookrail_screen_{test}.so"))
}

/// Reads an ELF note as `note.rs` writes it: three sizes, the owner padded to 12 bytes, the content.
fn read_note(library: &Path) -> Value {
    let file = std::fs::read(library).unwrap();
    let file = object::File::parse(&*file).unwrap();
    let section = file.section_by_name(NOTE_SECTION).unwrap();
    assert_eq!(section.kind(), object::SectionKind::Note);
    let note = section.data().unwrap();
    let word = |at: usize| u32::from_ne_bytes(note[at..at + 4].try_into().unwrap());
    assert_eq!((word(0) as usize, word(8)), (note::OWNER.len(), note::KIND));
    assert_eq!(note[12..24], *b"Hookrail\0\0\0\0");
    let end = 24 + word(4) as usize;
    assert_eq!(note.len(), end.next_multiple_of(4), "nothing follows");
    serde_json::from_slice(&note[24..end]).unwrap()
}

/// The plugin, loaded and started.
struct Screen {
    entry: &'static Entry,
    instance: *mut c_void,
    registered: Registration,
    /// Closed after the rest.
    _library: Library,
}

impl Screen {
    fn load(test: &str) -> Self {
        // SAFETY: this is our own file: its constructors do nothing, its entry is what C made of
        // `hookrail_entry`, and each function is called as its documentation says.
        unsafe {
            let library = Library::new(build(test)).unwrap();
            let entry: &'static Entry = &**library.get::<*const Entry>(ENTRY_SYMBOL).unwrap();
            assert_eq!((entry.size as usize, entry.abi_min), (size_of::<Entry>(), ABI_VERSION));
            assert_eq!(entry.heap, Heap::seen_here());
            assert_eq!((entry.attach)(&HOST), 0);
            let mut instance = null_mut();
            assert_eq!((entry.create)(null(), Str::new("screen"), Str::new("{}"), &mut instance), 0);
            let mut registered = None;
            assert_eq!((entry.start)(instance, from_mut(&mut registered).cast()), 0);
            Screen { entry, instance, registered: registered.unwrap(), _library: library }
        }
    }

    /// The answer to a message, and what was said with it.
    fn publish(&self, message: &mut Message) -> (u32, Option<(u32, String)>) {
        // SAFETY: the callback was registered for messages, and its library is loaded.
        let answer = unsafe { self.registered.run.unwrap()(self.registered.ctx, from_mut(message).cast()) };
        (answer, SAID.take())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // SAFETY: `create` made the instance, and no callback runs.
        unsafe {
            assert_eq!((self.entry.stop)(self.instance), 0);
            assert_eq!((self.entry.destroy)(self.instance), 0);
        }
    }
}

static HOST: HostTable =
    HostTable { size: size_of::<HostTable>() as u32, abi: ABI_VERSION, say, register, current, query };

thread_local! {
    static SAID: RefCell<Option<(u32, String)>> = const { RefCell::new(None) };
}

unsafe extern "C" fn say(kind: u32, text: Str) {
    // SAFETY: the plugin passes text that is readable for the call.
    SAID.set(Some((kind, unsafe { text.to_text() }.into_owned())));
}

unsafe extern "C" fn register(registrar: *mut c_void, record: *const Registration) -> u32 {
    // SAFETY: the registrar is the one that `load` passed; the record is readable for the call.
    unsafe { *registrar.cast() = Some(*record) };
    0
}

unsafe extern "C" fn current() -> *const Context {
    null()
}

unsafe extern "C" fn query(_: Str) -> *const c_void {
    null()
}
