//! `#[derive(LabelEnum)]`: a fixed list of values.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields};

use crate::{attributes, rules};

pub fn derive(input: &DeriveInput) -> Result<TokenStream, Error> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "`LabelEnum` is derived for enums"));
    };
    if data.variants.is_empty() {
        return Err(Error::new_spanned(&input.ident, "an enum without variants has no value"));
    }
    let mut texts = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            let rule = "a label value is a variant without fields; use a text field for what has no fixed list";
            return Err(Error::new_spanned(variant, rule));
        }
        let text = match attributes::label(&variant.attrs)? {
            Some(text) => (text.value(), text.span()),
            None => (attributes::snake_case(&variant.ident.to_string()), variant.ident.span()),
        };
        texts.push(text);
    }
    rules::check_distinct("label value", &texts)?;
    let name = &input.ident;
    let (impls, types, wheres) = input.generics.split_for_impl();
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let texts: Vec<_> = texts.iter().map(|(text, _)| text).collect();
    let indexes = 0..variants.len();
    Ok(quote! {
        #[automatically_derived]
        impl #impls ::manometer::LabelValue for #name #types #wheres {
            #[inline]
            fn text<'a>(&'a self, _: &'a mut ::manometer::NumberRoom) -> &'a str {
                match self { #(Self::#variants => #texts,)* }
            }
        }

        #[automatically_derived]
        impl #impls ::manometer::LabelField for #name #types #wheres {
            const VALUES: ::core::option::Option<&'static [&'static str]> = ::core::option::Option::Some(&[#(#texts),*]);

            #[inline]
            fn index(&self) -> usize {
                match self { #(Self::#variants => #indexes,)* }
            }
        }
    })
}
