//! `#[derive(Metrics)]`: a family for each field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    DeriveInput, Error, Expr, Field, LitStr, Token, ext::IdentExt, parenthesized, punctuated::Punctuated,
    spanned::Spanned,
};

use crate::{attributes, rules};

/// What the attributes of one field say.
#[derive(Default)]
struct Options {
    name: Option<LitStr>,
    unit: Option<LitStr>,
    labels: Option<Vec<LitStr>>,
    buckets: Option<Expr>,
    max_series: Option<Expr>,
}

pub fn derive(input: &DeriveInput) -> Result<TokenStream, Error> {
    let fields = attributes::named_fields(input, "Metrics")?;
    let prefix = prefix(input)?;
    let mut names = Vec::new();
    let mut idents = Vec::new();
    let mut declared = Vec::new();
    let mut checks = Vec::new();
    for field in fields {
        let options = options(field)?;
        let ident = field.ident.as_ref().expect("a named field");
        let (own, span) = match &options.name {
            Some(name) => (name.value(), name.span()),
            None => (ident.unraw().to_string(), ident.span()),
        };
        let name = format!("{prefix}{own}");
        let unit = options.unit.as_ref().map(LitStr::value).unwrap_or_default();
        names.push((format!("{name} {unit}").trim_end().to_owned(), span));
        idents.push(ident);
        declared.push(declare(field, &name, &unit, &options));
        let (kind, has_labels, has_buckets) = (&field.ty, options.labels.is_some(), options.buckets.is_some());
        checks.push(quote_spanned! { kind.span() =>
            const _: () = ::manometer::derived::check_field::<#kind>(#has_labels, #has_buckets);
        });
    }
    rules::check_distinct("family", &names)?;
    let name = &input.ident;
    let registry = registry();
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "a struct of metrics has no parameters"));
    }
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
fn declare(field: &Field, name: &str, unit: &str, options: &Options) -> TokenStream {
    let registry = registry();
    let kind = &field.ty;
    let help = attributes::doc(&field.attrs);
    let labels = options.labels.iter().flatten();
    let buckets = options.buckets.iter();
    let max_series = options.max_series.iter();
    quote_spanned! { Span::mixed_site().located_at(kind.span()) => {
        let mut options = ::manometer::FieldOptions::new(#name);
        options.unit = #unit;
        options.help = #help;
        options.labels = &[#(#labels),*];
        #(options.buckets = ::core::option::Option::Some(::core::iter::Iterator::collect(
            ::core::iter::IntoIterator::into_iter(#buckets),
        ));)*
        #(options.max_series = ::core::option::Option::Some(#max_series);)*
        <#kind as ::manometer::MetricField>::declare_field(#registry, options)?
    }}
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

fn options(field: &Field) -> Result<Options, Error> {
    let mut options = Options::default();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("metric")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                let name: LitStr = meta.value()?.parse()?;
                rules::check_name(&name)?;
                options.name = Some(name);
            } else if meta.path.is_ident("unit") {
                let unit: LitStr = meta.value()?.parse()?;
                rules::check_unit(&unit)?;
                options.unit = Some(unit);
            } else if meta.path.is_ident("labels") {
                let keys;
                parenthesized!(keys in meta.input);
                let keys: Vec<LitStr> = Punctuated::<LitStr, Token![,]>::parse_terminated(&keys)?.into_iter().collect();
                keys.iter().try_for_each(|key| rules::check_key(&key.value(), key.span()))?;
                let texts: Vec<_> = keys.iter().map(|key| (key.value(), key.span())).collect();
                rules::check_distinct("label key", &texts)?;
                options.labels = Some(keys);
            } else if meta.path.is_ident("buckets") {
                let buckets: Expr = meta.value()?.parse()?;
                rules::check_buckets(&buckets)?;
                options.buckets = Some(buckets);
            } else if meta.path.is_ident("max_series") {
                options.max_series = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("a metric takes `name`, `unit`, `labels`, `buckets` and `max_series`"));
            }
            Ok(())
        })?;
    }
    Ok(options)
}
