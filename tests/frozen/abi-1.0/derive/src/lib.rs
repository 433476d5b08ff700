//! The macros of `hookrail-abi` that read a type: `derive(Payload)` and `config`.
//!
//! Owns how a type is read. Must know nothing of what the traits mean: what the macros expand to is in `hookrail-abi`,
//! which exports and documents them.

mod config;
mod layout;
mod payload;
mod repr;

use proc_macro::TokenStream;

#[expect(missing_docs)] // It has them where it is exported.
#[proc_macro_derive(Payload)]
pub fn payload(item: TokenStream) -> TokenStream {
    expanded(payload::derive(item.into()))
}

#[expect(missing_docs)] // It has them where it is exported.
#[proc_macro_attribute]
pub fn config(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expanded(config::attribute(arguments.into(), item.into()))
}

fn expanded(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}
