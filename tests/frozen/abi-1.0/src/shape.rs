//! The layout of a payload in memory, as text and as a fingerprint of that text.

use std::fmt::Write;

use abi_stable::type_layout::{TLData, TLFields, TypeLayout};

use crate::Payload;

/// A payload's layout: type names, sizes, alignments and field names, all the way down.
///
/// The text is derived from abi_stable's layout, so that there is one source of truth. It is owned, so that it outlives
/// the library that created it; the fingerprint lets two sides compare 16 bytes instead of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The canonical text, for example `Header[48,8]{key:Text..,value:Text..}`.
    pub text: String,
    /// 128-bit FNV-1a of the text, low word first.
    pub fingerprint: [u64; 2],
}

impl Shape {
    /// The shape of `T`.
    pub fn of<T: Payload>() -> Self {
        Shape::of_layout(T::LAYOUT)
    }

    pub(crate) fn of_layout(layout: &'static TypeLayout) -> Self {
        let mut text = String::new();
        describe(layout, &mut Vec::new(), &mut text);
        let fingerprint = fingerprint(text.as_bytes());
        Shape { text, fingerprint }
    }
}

/// Avoids `TypeLayout`'s own formatting: it uses thread-locals with destructors, which would keep a plugin's library
/// mapped.
fn describe(layout: &'static TypeLayout, within: &mut Vec<*const TypeLayout>, out: &mut String) {
    write!(out, "{}[{},{}]", layout.name(), layout.size(), layout.alignment()).expect("a String takes all");
    if within.contains(&std::ptr::from_ref(layout)) {
        return;
    }
    within.push(layout);
    match layout.data() {
        TLData::Primitive(primitive) => {
            write!(out, "{primitive:?}").expect("a String takes all");
            layout.generics().type_params().iter().for_each(|inner| describe(inner(), within, out));
        }
        TLData::Enum(variants) => {
            write!(out, "({})", variants.variant_names.as_str()).expect("a String takes all");
        }
        _ => {}
    }
    if let Some(fields) = layout.get_fields() {
        list(fields, '{', '}', within, out);
    }
    // The types that it points to without containing them, such as the table behind a `PrefixRef`. A primitive has
    // already been named.
    let behind = layout.phantom_fields();
    if !behind.is_empty() && !matches!(layout.data(), TLData::Primitive(_)) {
        list(behind, '<', '>', within, out);
    }
    within.pop();
}

fn list(fields: TLFields, open: char, close: char, within: &mut Vec<*const TypeLayout>, out: &mut String) {
    out.push(open);
    for field in fields.iter() {
        write!(out, "{}:", field.name()).expect("a String takes all");
        describe(field.layout(), within, out);
        for function in field.function_range().iter() {
            out.push('(');
            for layout in function.param_type_layouts.iter() {
                describe(layout(), within, out);
                out.push(';');
            }
            out.push(')');
        }
        out.push(',');
    }
    out.push(close);
}

/// FNV-1a, 128 bits, low word first.
fn fingerprint(bytes: &[u8]) -> [u64; 2] {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    [hash as u64, (hash >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use abi_stable::StableAbi;

    use super::*;
    use crate::Message;

    fn shape<T: StableAbi>() -> Shape {
        Shape::of_layout(T::LAYOUT)
    }

    #[test]
    fn fnv_agrees_with_its_published_vectors() {
        assert_eq!(fingerprint(b""), [0x62b8_2175_6295_c58d, 0x6c62_272e_07bb_0142]);
        assert_eq!(fingerprint(b"foobar"), [0x6f0d_3597_ba44_6f18, 0x343e_1662_793c_64bf]);
    }

    /// Versions of the same types that differ only in what lies behind a pointer.
    #[expect(dead_code, unreachable_pub)] // abi_stable's derive writes more of the kind.
    mod versions {
        macro_rules! version {
            ($name:ident: $behind:ty, $argument:ty, $variant:ident) => {
                pub(super) mod $name {
                    #[repr(C)]
                    #[derive(abi_stable::StableAbi)]
                    #[sabi(kind(Prefix))]
                    pub struct Table {
                        #[sabi(last_prefix_field)]
                        pub number: $behind,
                    }

                    #[repr(C)]
                    #[derive(abi_stable::StableAbi)]
                    pub struct Calls {
                        pub call: extern "C" fn($argument),
                    }

                    #[repr(u8)]
                    #[derive(abi_stable::StableAbi)]
                    pub enum Kind {
                        $variant,
                    }

                    #[repr(C)]
                    #[derive(abi_stable::StableAbi)]
                    pub struct Points {
                        pub to: *const Kind,
                    }
                }
            };
        }
        version!(one: u32, u32, Slow);
        version!(two: i32, u32, Slow);
        version!(three: u32, i32, Slow);
        version!(four: u32, u32, Quick);
    }

    #[test]
    fn a_shape_tells_apart_what_is_behind_a_pointer() {
        use versions::{four, one, three, two};
        assert_eq!(shape::<one::Table_Ref>(), shape::<three::Table_Ref>());
        assert_ne!(shape::<one::Table_Ref>(), shape::<two::Table_Ref>());
        assert_eq!(shape::<one::Calls>(), shape::<two::Calls>());
        assert_ne!(shape::<one::Calls>(), shape::<three::Calls>());
        assert_eq!(shape::<one::Points>(), shape::<two::Points>());
        assert_ne!(shape::<one::Points>(), shape::<four::Points>());
    }

    #[test]
    fn a_shape_names_every_field_down_to_the_primitives() {
        let text = Shape::of::<Message>().text;
        for part in ["id:MessageId[16,1]", "headers:List[24,8]", "key:Text[24,8]", "body:Bytes[24,8]"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
