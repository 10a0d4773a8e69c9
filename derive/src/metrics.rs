//! `#[derive(Metrics)]`: a family for each field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Error, Field, LitStr, ext::IdentExt, spanned::Spanned};

use crate::{
    attributes,
    options::{self, Options},
    rules,
};

pub fn derive(input: &DeriveInput) -> Result<TokenStream, Error> {
    let fields = attributes::named_fields(input, "Metrics")?;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "a struct of metrics has no parameters"));
    }
    let prefix = prefix(input)?;
    let options = attributes::all(fields.iter().map(|field| Options::of(field)))?;
    let mut names = Vec::new();
    let mut idents = Vec::new();
    let mut declared = Vec::new();
    let mut checks = Vec::new();
    for (field, options) in fields.into_iter().zip(&options) {
        let ident = field.ident.as_ref().expect("a named field");
        let (own, span) = match &options.name {
            Some(name) => (name.value(), name.span()),
            None => (ident.unraw().to_string(), ident.span()),
        };
        let name = format!("{prefix}{own}");
        let unit = options.unit.as_ref().map(LitStr::value).unwrap_or_default();
        names.push((format!("{name} {unit}").trim_end().to_owned(), span));
        idents.push(ident);
        declared.push(declare(field, &name, options));
        checks.push(check(field, options));
    }
    rules::check_distinct("family", &names)?;
    let name = &input.ident;
    let registry = registry();
    Ok(quote! {
        #(#checks)*

        #[automatically_derived]
        impl ::manometer::Metrics for #name {
            fn declare(
                #registry: &::manometer::Registry,
            ) -> ::core::result::Result<Self, ::manometer::DeclareError> {
                ::core::result::Result::Ok(Self { #(#idents: #declared,)* })
            }
        }
    })
}

/// The parameter, which no expression of the user's can mean.
fn registry() -> Ident {
    Ident::new("registry", Span::mixed_site())
}

/// The expression that declares a field.
fn declare(field: &Field, name: &str, options: &Options) -> TokenStream {
    let kind = &field.ty;
    let (registry, declaration) = (registry(), options::declaration(kind.span()));
    let help = options.help.as_ref().map_or_else(|| attributes::doc(&field.attrs), LitStr::value);
    let steps = &options.steps;
    let declared = options.text.clone().unwrap_or_else(|| {
        quote_spanned! { kind.span() => <#kind as ::manometer::MetricField>::declare_field(#declaration) }
    });
    quote_spanned! { kind.span() => {
        let #declaration = ::manometer::derived::declaration::<#kind>(#registry, #name, #help);
        #(#steps)*
        #declared?
    }}
}

/// What stops the compiler where the field lacks an option that its type needs, or names a label that its samples have.
fn check(field: &Field, options: &Options) -> TokenStream {
    let kind = &field.ty;
    let has_labels = options.has("labels");
    let has_buckets = options.has("buckets") || options.has("native");
    let has_states = options.has("states");
    let keys = options.labels.iter().map(|key| {
        quote_spanned! { key.span() => const _: () = ::manometer::derived::check_key::<#kind>(#key); }
    });
    quote_spanned! { kind.span() =>
        const _: () = ::manometer::derived::check_field::<#kind>(#has_labels, #has_buckets, #has_states);
        #(#keys)*
    }
}

/// What `#[metrics(prefix = "…")]` puts before every name, the `_` included.
fn prefix(input: &DeriveInput) -> Result<String, Error> {
    let mut prefix = String::new();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("metrics")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("prefix") {
                return Err(meta.error("a struct of metrics takes `prefix` and nothing else"));
            }
            let text: LitStr = meta.value()?.parse()?;
            rules::check_name(&text)?;
            prefix = format!("{}_", text.value());
            Ok(())
        })?;
    }
    Ok(prefix)
}
