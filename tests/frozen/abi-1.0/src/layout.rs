//! By which [`derive(Payload)`](derive@crate::Payload) describes a type to abi_stable, and nobody else.
//!
//! abi_stable's own derive expands to paths that begin with `::abi_stable`: authors would have to depend on it, in the
//! very version that is pinned here. Its constructors are those that its derive uses too.

pub use abi_stable::make_item_info;
pub use abi_stable::pmr::{
    DiscriminantRepr, False, GenericTLData, GetStaticEquivalent_, MonoSharedVars, MonoTypeLayout, RSlice, ReprAttr,
    SharedVars, StableAbi, TLDiscriminants, TypeLayout,
};
pub use abi_stable::type_layout::CompTLField;

use abi_stable::pmr::{
    _private_MonoTypeLayoutDerive, _private_TypeLayoutDerive, CompTLFields, GenericTLEnum, ModReflMode, MonoTLData,
    MonoTLEnum, StartLen,
};
use abi_stable::std_types::RStr;
use abi_stable::type_layout::{CompFieldAccessor, ItemInfo, LifetimeRange, TypeLayoutIndex};
use abi_stable::{rslice, tl_genparams};

use crate::Payload;

/// The largest start and length of a name that abi_stable has bits for.
const LONGEST: u16 = (1 << 13) - 1;

/// The layout of a field's type, which must be a payload as well.
pub extern "C" fn of<T: Payload>() -> &'static TypeLayout {
    T::LAYOUT
}

/// All names of a type, each followed by `;`.
pub const fn names(names: &'static str) -> MonoSharedVars {
    MonoSharedVars::new(RStr::from_str(names), rslice![])
}

/// A field: where its name stands among the names, and its type among the types.
pub const fn field(start: u16, length: u16, of: u16) -> CompTLField {
    assert!(start <= LONGEST && length <= LONGEST && of < 1 << 10, "a payload has too many fields");
    let name = StartLen::new(start, length);
    CompTLField::new(name, LifetimeRange::EMPTY, CompFieldAccessor::DIRECT, TypeLayoutIndex::from_u10(of), false)
}

/// The fields of a struct.
pub const fn structure(fields: &'static [CompTLField]) -> MonoTLData {
    MonoTLData::struct_(RSlice::from_slice(fields))
}

/// The variants of an enum: the length of their names, which stand first, the number of fields of each, and the fields
/// of all.
pub const fn enumeration(names: u16, counts: &'static [u8], fields: &'static [CompTLField]) -> MonoTLData {
    assert!(names <= LONGEST, "a payload has too many variants");
    let fields = CompTLFields::from_fields(RSlice::from_slice(fields));
    MonoTLData::Enum(MonoTLEnum::new(StartLen::new(0, names), RSlice::from_slice(counts), fields))
}

/// An enum whose values are those of its variants.
pub const fn exhaustive(discriminants: TLDiscriminants) -> GenericTLData {
    GenericTLData::Enum(GenericTLEnum::exhaustive(discriminants))
}

/// What two types of the same source have in common.
pub const fn mono(
    names: &MonoSharedVars,
    name: &'static str,
    item: ItemInfo,
    data: MonoTLData,
    repr: ReprAttr,
) -> MonoTypeLayout {
    MonoTypeLayout::from_derive(_private_MonoTypeLayoutDerive {
        name: RStr::from_str(name),
        item_info: item,
        data,
        generics: tl_genparams!(;;),
        repr_attr: repr,
        mod_refl_mode: ModReflMode::Module,
        phantom_fields: rslice![],
        shared_vars: *names,
    })
}

/// What the fields refer to: the names, and the layouts of their types.
pub const fn shared(
    names: &'static MonoSharedVars,
    types: &'static [extern "C" fn() -> &'static TypeLayout],
) -> SharedVars {
    SharedVars::new(names, RSlice::from_slice(types), rslice![])
}

/// The layout of `T`.
pub const fn whole<T: StableAbi>(
    shared: &'static SharedVars,
    mono: &'static MonoTypeLayout,
    data: GenericTLData,
) -> TypeLayout {
    TypeLayout::from_derive::<T>(_private_TypeLayoutDerive {
        shared_vars: shared,
        mono,
        abi_consts: T::ABI_CONSTS,
        data,
        tag: None,
        extra_checks: None,
    })
}

#[cfg(test)]
mod tests {
    use abi_stable::abi_stability::abi_checking::check_layout_compatibility;

    use super::*;

    /// The same types, with each derive.
    macro_rules! described_by {
        ($derive:path, $described:ident) => {
            #[expect(dead_code)]
            mod $described {
                use crate::{Bytes, List, Text};

                #[repr(C)]
                #[derive($derive)]
                pub(super) struct Everything {
                    r#type: Text,
                    body: Bytes,
                    words: [u64; 4],
                    places: List<Place>,
                    urgency: Urgency,
                    ending: Ending,
                    finished: bool,
                    share: f64,
                }

                #[repr(transparent)]
                #[derive($derive)]
                pub(super) struct Place(u32);

                #[repr(i16)]
                #[derive($derive)]
                pub(super) enum Urgency {
                    Low = -3,
                    Usual,
                    High = 1 + 1,
                    Highest,
                }

                #[repr(C, u8)]
                #[derive($derive)]
                pub(super) enum Ending {
                    None,
                    Text(Text, u8),
                    Code { code: u32, place: Place },
                }
            }
        };
    }
    described_by!(crate::Payload, ours);
    described_by!(abi_stable::StableAbi, theirs);

    #[test]
    fn our_derive_describes_a_type_as_that_of_abi_stable_does() {
        fn check<Ours: StableAbi, Theirs: StableAbi>() {
            assert_eq!(crate::Shape::of_layout(Ours::LAYOUT), crate::Shape::of_layout(Theirs::LAYOUT));
            check_layout_compatibility(Ours::LAYOUT, Theirs::LAYOUT).unwrap();
            check_layout_compatibility(Theirs::LAYOUT, Ours::LAYOUT).unwrap();
        }
        check::<ours::Everything, theirs::Everything>();
        check::<ours::Place, theirs::Place>();
        check::<ours::Urgency, theirs::Urgency>();
        check::<ours::Ending, theirs::Ending>();
        assert!(check_layout_compatibility(ours::Urgency::LAYOUT, theirs::Ending::LAYOUT).is_err());
    }
}
