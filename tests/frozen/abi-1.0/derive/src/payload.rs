//! `derive(Payload)`.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DataEnum, DeriveInput, Error, Result};

use crate::layout::Names;
use crate::repr::Repr;

/// Implements `hookrail_abi::Payload`, and below it abi_stable's traits, by abi_stable's own constructors: its derive
/// would require that the author's crate depend on abi_stable.
pub(crate) fn derive(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "a payload is one type: it has no parameters"));
    }
    let repr = Repr::of(&input)?;
    let mut names = Names::default();
    let (mono, generic, discriminants) = match &input.data {
        Data::Struct(data) => {
            names.add_fields(&data.fields);
            (quote!(__layout::structure(__FIELDS)), quote!(__layout::GenericTLData::Struct), None)
        }
        Data::Enum(data) => {
            let variants = data.variants.iter();
            variants.clone().for_each(|variant| names.add(&variant.ident.to_string()));
            let length = names.len();
            variants.clone().for_each(|variant| names.add_fields(&variant.fields));
            let counts = variants.map(|variant| Literal::usize_unsuffixed(variant.fields.len()));
            let integer = repr.discriminant();
            let of = format_ident!("from_{}_slice", integer);
            let values = discriminants(data);
            (
                quote!(__layout::enumeration(#length, &[#(#counts),*], __FIELDS)),
                quote!(__layout::exhaustive(__layout::TLDiscriminants::#of(__layout::RSlice::from_slice(__DISCRIMINANTS)))),
                Some(quote!(const __DISCRIMINANTS: &[#integer] = &[#(#values),*];)),
            )
        }
        Data::Union(_) => {
            return Err(Error::new(
                input.ident.span(),
                "a payload is a struct or an enum: which field of a union holds is not known",
            ));
        }
    };
    let attribute = repr.attribute();
    let name = &input.ident;
    let text = name.to_string();
    Ok(quote! {
        const _: () = {
            use ::hookrail_abi::layout as __layout;

            #names
            #discriminants
            const __MONO: &__layout::MonoTypeLayout =
                &__layout::mono(__NAMES, #text, __layout::make_item_info!(), #mono, #attribute);

            // SAFETY: the type has no parameters.
            unsafe impl __layout::GetStaticEquivalent_ for #name {
                type StaticEquivalent = Self;
            }

            // SAFETY: the fields are those of the type, in their order, and `repr` fixes their places.
            unsafe impl __layout::StableAbi for #name {
                type IsNonZeroType = __layout::False;
                const LAYOUT: &'static __layout::TypeLayout = &__layout::whole::<Self>(__SHARED, __MONO, #generic);
            }

            // SAFETY: the layout is fixed, and `layout::of` requires that each field is a payload.
            unsafe impl ::hookrail_abi::Payload for #name {}
        };
    })
}

/// The discriminant of each variant: its own, or one more than that of the one before.
fn discriminants(data: &DataEnum) -> Vec<TokenStream> {
    let mut from = quote!(0);
    let mut distance = 0;
    let mut values = Vec::new();
    for variant in &data.variants {
        if let Some((_, value)) = &variant.discriminant {
            from = quote!((#value));
            distance = 0;
        }
        let more = Literal::usize_unsuffixed(distance);
        values.push(quote!(#from + #more));
        distance += 1;
    }
    values
}
