//! What is encoded is decoded, and nothing else is.

use std::ffi::c_void;
use std::ptr::{from_mut, from_ref};

use hookrail_abi::Message;
use hookrail_isolate::flat::{Codec, Scratch};
use hookrail_isolate::lane::Area;

fn payload(message: &Message) -> *const c_void {
    from_ref(message).cast()
}

#[test]
fn a_message_crosses_and_comes_back() {
    let mut message = Message::new("a.topic", "a body");
    message.add_header("k", "v");
    message.add_header("ä", "");
    let mut bytes = vec![0_u8; 1 << 12];
    // SAFETY: the bytes are used by this pointer alone.
    let area = unsafe { Area::new(bytes.as_mut_ptr(), bytes.len()) };
    let (mut kept, mut scratch) = (Message::empty(), Scratch::default());
    // SAFETY: they are messages.
    unsafe {
        let len = Codec::Message.encode_into(payload(&message), area).unwrap();
        let request = area.part(0, len).unwrap();
        Codec::Message.decode(request, from_mut(&mut kept).cast(), &mut scratch).unwrap();
        assert_eq!(kept, message);
        assert_eq!(Codec::Message.changes(payload(&kept), request, &mut scratch), None);
        kept.set_header("k", "w");
        let changes = Codec::Message.changes(payload(&kept), request, &mut scratch).unwrap();
        let len = Codec::Message.encode_changes(payload(&kept), changes, &scratch, area).unwrap();
        Codec::Message.decode(area.part(0, len).unwrap(), from_mut(&mut message).cast(), &mut scratch).unwrap();
        assert_eq!(kept, message);
    }
}
