//! `config`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Result};

/// Derives what a configuration needs, by the `serde` and the `schemars` of `hookrail_abi`.
pub(crate) fn attribute(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "`config` has no arguments: write `#[config]`"));
    }
    let input: DeriveInput = syn::parse2(item)?;
    let strict = match input.data {
        Data::Struct(_) => Some(quote!(#[serde(deny_unknown_fields)])),
        _ => None,
    };
    Ok(quote! {
        #[derive(::hookrail_abi::serde::Deserialize, ::hookrail_abi::schemars1::JsonSchema)]
        #[serde(crate = "::hookrail_abi::serde")]
        #[schemars(crate = "::hookrail_abi::schemars1")]
        #strict
        #input
    })
}
