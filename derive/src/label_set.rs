//! `#[derive(LabelSet)]`: a key for each field.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Error, ext::IdentExt};

use crate::{attributes, rules};

pub fn derive(input: &DeriveInput) -> Result<TokenStream, Error> {
    let fields = attributes::named_fields(input, "LabelSet")?;
    let mut keys = Vec::new();
    for field in &fields {
        let ident = field.ident.as_ref().expect("a named field");
        let (key, span) = match attributes::label(&field.attrs)? {
            Some(key) => (key.value(), key.span()),
            None => (ident.unraw().to_string(), ident.span()),
        };
        rules::check_key(&key, span)?;
        keys.push((key, span));
    }
    rules::check_distinct("label key", &keys)?;
    let name = &input.ident;
    let (impls, types, wheres) = input.generics.split_for_impl();
    let keys: Vec<_> = keys.iter().map(|(key, _)| key).collect();
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let kinds: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let values: Vec<_> = (0..fields.len()).map(|at| format_ident!("value_{at}")).collect();
    let last_first = kinds.iter().zip(&values).rev();
    let digits = last_first.map(|(kind, value)| {
        quote! {
            let values = <#kind as ::manometer::LabelField>::VALUES.unwrap_or(&[]);
            // A set without numbers has no position either.
            let ::core::option::Option::Some(#value) = values.get(rest % values.len().max(1)) else { return op(&[]) };
            rest /= values.len();
        }
    });
    Ok(quote! {
        #[automatically_derived]
        impl #impls ::manometer::LabelSet for #name #types #wheres {
            const KEYS: &'static [&'static str] = &[#(#keys),*];

            const SETS: ::core::option::Option<usize> =
                ::manometer::derived::sets(&[#(<#kinds as ::manometer::LabelField>::VALUES),*]);

            #[inline]
            fn position(&self) -> usize {
                let position = 0_usize;
                #(
                    let values = <#kinds as ::manometer::LabelField>::VALUES.map_or(0, <[&str]>::len);
                    let position = position * values + ::manometer::LabelField::index(&self.#idents);
                )*
                position
            }

            #[inline]
            fn with_values<R>(&self, op: impl ::core::ops::FnOnce(&[&str]) -> R) -> R {
                op(&[#(::manometer::LabelValue::text(&self.#idents, &mut ::manometer::NumberRoom::new())),*])
            }

            #[allow(unused_mut, unused_variables, unused_assignments, reason = "a set without keys has no digits")]
            fn with_values_at<R>(position: usize, op: impl ::core::ops::FnOnce(&[&str]) -> R) -> R {
                let mut rest = position;
                #(#digits)*
                op(&[#(#values),*])
            }
        }
    })
}
