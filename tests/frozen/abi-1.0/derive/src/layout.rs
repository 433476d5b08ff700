//! The names and types of a type's fields, in the form in which abi_stable keeps them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Fields, Type};

/// Every name in one text, and for each field where its name stands.
#[derive(Default)]
pub(crate) struct Names {
    text: String,
    fields: Vec<TokenStream>,
    types: Vec<Type>,
}

impl Names {
    /// Adds a name that is not a field's.
    pub(crate) fn add(&mut self, name: &str) {
        self.text.push_str(name);
        self.text.push(';');
    }

    /// The length of all names so far, in bytes.
    pub(crate) fn len(&self) -> u16 {
        u16::try_from(self.text.len()).unwrap_or(u16::MAX)
    }

    /// Adds the fields of a struct or of a variant.
    pub(crate) fn add_fields(&mut self, fields: &Fields) {
        for (place, field) in fields.iter().enumerate() {
            let name = field.ident.as_ref().map_or_else(|| format!("field_{place}"), |name| name.to_string());
            let start = self.len();
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
            let index = u16::try_from(self.types.len()).unwrap_or(u16::MAX);
            self.add(&name);
            self.fields.push(quote!(__layout::field(#start, #length, #index)));
            self.types.push(field.ty.clone());
        }
    }
}

impl ToTokens for Names {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Names { text, fields, types } = self;
        tokens.extend(quote! {
            const __NAMES: &__layout::MonoSharedVars = &__layout::names(#text);
            const __FIELDS: &[__layout::CompTLField] = &[#(#fields),*];
            const __SHARED: &__layout::SharedVars = &__layout::shared(__NAMES, &[#(__layout::of::<#types>),*]);
        });
    }
}
