//! The note in a plugin's file: what the plugin is and what it hooks, readable without running it.
//!
//! An ELF note of owner `Hookrail` and type 1 in the section `.note.hookrail`; its content is JSON, written here at
//! compile time.

use crate::boundary::ABI_VERSION;
use crate::{Instances, Isolation, Plugin};

/// The owner of the ELF note, with its final NUL.
pub const OWNER: &[u8; 9] = b"Hookrail\0";

/// The type of the ELF note: JSON, version 1.
pub const KIND: u32 = 1;

/// A plugin's name and version, as its package states them.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// The plugin's id, without the prefix `hookrail-plugin-` of its package.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl Identity {
    /// The identity from the name and the version of a package.
    pub const fn of_package(package: &'static str, version: &'static str) -> Self {
        const PREFIX: &[u8] = b"hookrail-plugin-";
        let bytes = package.as_bytes();
        let mut shared = 0;
        while shared < PREFIX.len() && shared < bytes.len() && PREFIX[shared] == bytes[shared] {
            shared += 1;
        }
        let name = if shared == PREFIX.len() && bytes.len() > shared { package.split_at(shared).1 } else { package };
        Identity { name, version }
    }
}

/// An ELF note with `N` bytes of content.
#[repr(C, align(4))]
#[derive(Debug)]
pub struct Note<const N: usize> {
    name_size: u32,
    content_size: u32,
    kind: u32,
    name: [u8; 12],
    content: [u8; N],
}

impl<const N: usize> Note<N> {
    /// The note of `P`; `N` is the result of [`size`] for the same arguments.
    pub const fn of<P: Plugin>(identity: Identity) -> Self {
        let mut name = [0; 12];
        let mut index = 0;
        while index < OWNER.len() {
            name[index] = OWNER[index];
            index += 1;
        }
        Note {
            name_size: OWNER.len() as u32,
            content_size: N as u32,
            kind: KIND,
            name,
            content: write::<P, N>(identity).bytes,
        }
    }
}

/// The size in bytes of the content of the note of `P`, a multiple of four: JSON may end in spaces.
pub const fn size<P: Plugin>(identity: Identity) -> usize {
    write::<P, 0>(identity).len.next_multiple_of(4)
}

const fn write<P: Plugin, const N: usize>(identity: Identity) -> Writer<N> {
    let mut out = Writer { bytes: [b' '; N], len: 0 };
    out.raw("{\"format\":1,\"name\":");
    out.string(identity.name);
    out.raw(",\"version\":");
    out.string(identity.version);
    out.raw(",\"abi\":\"");
    out.number((ABI_VERSION >> 16) as i64);
    out.raw(".");
    out.number((ABI_VERSION & 0xffff) as i64);
    out.raw("\",\"instances\":");
    out.string(match P::INSTANCES {
        Instances::Many => "many",
        Instances::One => "one",
    });
    match P::ISOLATION {
        None => {}
        Some(Isolation::InProcess) => out.raw(",\"isolation\":\"in-process\""),
        Some(Isolation::Worker) => out.raw(",\"isolation\":\"worker\""),
    }
    out.raw(if cfg!(panic = "unwind") { ",\"panic\":\"unwind\"" } else { ",\"panic\":\"abort\"" });
    out.raw(",\"toolchain\":");
    out.string(env!("HOOKRAIL_TOOLCHAIN"));
    out.raw(",\"capabilities\":[");
    let mut index = 0;
    while index < P::CAPABILITIES.len() {
        if index > 0 {
            out.raw(",");
        }
        out.string(P::CAPABILITIES[index]);
        index += 1;
    }
    out.raw("],\"hooks\":[");
    let mut index = 0;
    while index < P::HOOKS.len() {
        let hook = &P::HOOKS[index];
        out.raw(if index > 0 { ",{\"point\":" } else { "{\"point\":" });
        out.string(hook.point);
        out.raw(",\"revision\":");
        out.number(hook.revision as i64);
        out.raw(",\"name\":");
        out.string(hook.callback);
        out.raw(",\"priority\":");
        out.number(hook.priority.number() as i64);
        out.raw(",\"effects\":");
        out.string(hook.effects.name());
        out.raw("}");
        index += 1;
    }
    out.raw("]");
    index = 0;
    while index < P::FIRES.len() {
        out.raw(if index > 0 { ",{\"point\":" } else { ",\"fires\":[{\"point\":" });
        out.string(P::FIRES[index].point);
        out.raw(",\"revision\":");
        out.number(P::FIRES[index].revision as i64);
        out.raw("}");
        index += 1;
    }
    if index > 0 {
        out.raw("]");
    }
    index = 0;
    while index < P::ENDPOINTS.len() {
        let endpoint = &P::ENDPOINTS[index];
        out.raw(if index > 0 { ",{\"kind\":" } else { ",\"endpoints\":[{\"kind\":" });
        out.string(endpoint.kind.name());
        out.raw(",\"name\":");
        out.string(endpoint.name);
        out.raw(",\"guarantee\":");
        out.string(endpoint.guarantee.name());
        out.raw("}");
        index += 1;
    }
    out.raw(if index > 0 { "]}" } else { "}" });
    out
}

/// Writes JSON in constants. Beyond `N` it only counts, so that a first pass with `N` = 0 yields the size.
struct Writer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Writer<N> {
    const fn byte(&mut self, byte: u8) {
        if self.len < N {
            self.bytes[self.len] = byte;
        }
        self.len += 1;
    }

    const fn raw(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut index = 0;
        while index < bytes.len() {
            self.byte(bytes[index]);
            index += 1;
        }
    }

    const fn string(&mut self, text: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.byte(b'"');
        let bytes = text.as_bytes();
        let mut index = 0;
        while index < bytes.len() {
            match bytes[index] {
                byte @ (b'"' | b'\\') => {
                    self.byte(b'\\');
                    self.byte(byte);
                }
                byte @ 0..0x20 => {
                    self.raw("\\u00");
                    self.byte(HEX[(byte >> 4) as usize]);
                    self.byte(HEX[(byte & 15) as usize]);
                }
                byte => self.byte(byte),
            }
            index += 1;
        }
        self.byte(b'"');
    }

    const fn number(&mut self, number: i64) {
        if number < 0 {
            self.byte(b'-');
        }
        let mut rest = number.unsigned_abs();
        let mut digits = [0; 20];
        let mut count = 0;
        while count == 0 || rest > 0 {
            digits[count] = b'0' + (rest % 10) as u8;
            rest /= 10;
            count += 1;
        }
        while count > 0 {
            count -= 1;
            self.byte(digits[count]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    struct Sample;
    impl Sample {
        fn look(&self, _: &mut Message) {}
    }
    impl Plugin for Sample {
        type Config = NoConfig;
        const CAPABILITIES: &'static [&'static str] = &["exec:/a", "exec:/\"\n"];
        const HOOKS: Hooks<Self> = hooks![
            MessagePublish, "look" => Self::look, priority = -20, effects = pure;
            MessagePublish, "again" => Self::look, priority = 2000;
        ];
        const ENDPOINTS: Endpoints<Self> = endpoints![
            source "a" => |_: &Self, _: NoConfig| Ok(|_: &mut SourceIo<'_>| Ok(())), guarantee = at_least_once;
            sink "a" => |_: &Self, _: NoConfig| Ok(|_: &mut SinkIo<'_>| Ok(()));
        ];
        const FIRES: Fires = fires![MessageDropped, MessagePublish];
        fn start(_: &Startup, _: NoConfig) -> Result<Self> {
            Ok(Sample)
        }
    }

    #[test]
    fn the_note_is_json_of_what_was_declared() {
        const ID: Identity = Identity::of_package("hookrail-plugin-sample", "0.1.0");
        const SIZE: usize = size::<Sample>(ID);
        let note = Note::<SIZE>::of::<Sample>(ID);
        let json: serde_json::Value = serde_json::from_slice(&note.content).unwrap();
        assert_eq!(json["name"], "sample");
        assert_eq!(json["format"], 1);
        assert_eq!(json.get("isolation"), None, "its author said nothing");
        assert_eq!(json["capabilities"][1], "exec:/\"\n");
        assert_eq!(
            json["hooks"][0],
            serde_json::json!({ "point": "message.publish", "revision": 1, "name": "look", "priority": -20, "effects": "pure" })
        );
        assert_eq!(json["hooks"][1]["effects"], "external");
        assert_eq!(
            json["fires"],
            serde_json::json!([
                { "point": "message.dropped", "revision": 1 }, { "point": "message.publish", "revision": 1 }
            ])
        );
        assert_eq!(
            json["endpoints"],
            serde_json::json!([
                { "kind": "source", "name": "a", "guarantee": "at-least-once" },
                { "kind": "sink", "name": "a", "guarantee": "at-most-once" }
            ])
        );
    }

    #[test]
    fn a_package_without_the_prefix_keeps_its_name() {
        for (package, name) in
            [("hookrail-plugin-mask", "mask"), ("mine", "mine"), ("hookrail-plugin-", "hookrail-plugin-")]
        {
            assert_eq!(Identity::of_package(package, "1").name, name);
        }
    }
}
