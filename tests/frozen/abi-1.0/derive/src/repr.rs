//! Reads `#[repr(...)]`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Result};

const INTEGERS: [&str; 10] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize"];

/// The fixed layout that a type asks for.
#[derive(Default)]
pub(crate) struct Repr {
    c: bool,
    transparent: bool,
    integer: Option<Ident>,
}

impl Repr {
    /// The layout of `input`, if it is one that a payload may have.
    pub(crate) fn of(input: &DeriveInput) -> Result<Self> {
        let mut repr = Repr::default();
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("repr")) {
            attribute.parse_nested_meta(|meta| {
                match meta.path.get_ident() {
                    Some(word) if word == "C" => repr.c = true,
                    Some(word) if word == "transparent" => repr.transparent = true,
                    Some(word) if INTEGERS.iter().any(|integer| word == integer) => repr.integer = Some(word.clone()),
                    _ => {
                        return Err(meta
                            .error("a payload is `#[repr(C)]`, `#[repr(transparent)]` or, as an enum, `#[repr(u8)]`"));
                    }
                }
                Ok(())
            })?;
        }
        let wish = match input.data {
            Data::Enum(_) if !repr.c && repr.integer.is_none() => "`#[repr(u8)]` or `#[repr(C)]`",
            Data::Struct(_) if !repr.c && !repr.transparent => "`#[repr(C)]`",
            _ => return Ok(repr),
        };
        let name = &input.ident;
        let why = format!("the layout of `{name}` is not fixed, but other libraries read it: write {wish} above it");
        Err(Error::new(name.span(), why))
    }

    /// The type of an enum's discriminants.
    pub(crate) fn discriminant(&self) -> Ident {
        self.integer.clone().unwrap_or_else(|| format_ident!("isize"))
    }

    /// As abi_stable has it; `__layout` is `hookrail_abi::layout`.
    pub(crate) fn attribute(&self) -> TokenStream {
        let integer = self.integer.as_ref().map(|integer| {
            let text = integer.to_string();
            let variant = format_ident!("{}{}", text[..1].to_uppercase(), &text[1..]);
            quote!(__layout::DiscriminantRepr::#variant)
        });
        match integer {
            Some(integer) if self.c => quote!(__layout::ReprAttr::CAndInt(#integer)),
            Some(integer) => quote!(__layout::ReprAttr::Int(#integer)),
            None if self.transparent => quote!(__layout::ReprAttr::Transparent),
            None => quote!(__layout::ReprAttr::C),
        }
    }
}
