//! `#[metric(…)]`: each option is checked as far as it is written out, and becomes a call of the builder's method of its name.
//!
//! What belongs to some instruments alone is called through a trait of theirs in `manometer::derived`, so that the compiler says at
//! the option whose it is.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Error, Expr, Field, LitStr, Token, Type, meta::ParseNestedMeta, parenthesized, parse::Parse,
    punctuated::Punctuated, token::Paren,
};

use crate::{numbers, rules};

/// What is said of an option that there is not.
const KNOWN: &str = "a metric takes `name`, `unit`, `help` and `announced`; `labels`, `max_series` and `expire_after` of a \
                     family; `buckets` and `native` of a histogram; `exemplars` of a counter or a histogram; `quantiles` and \
                     `interval` of a summary; `states` of a stateset; `text` of an info";

/// The same of one of a native histogram.
const KNOWN_NATIVE: &str = "a native histogram takes `schema`, `zero_threshold`, `max_buckets` and `negative`";

/// What the attributes of one field say.
#[derive(Default)]
pub struct Options {
    pub name: Option<LitStr>,
    pub unit: Option<LitStr>,
    pub help: Option<LitStr>,
    pub labels: Vec<LitStr>,
    /// What declares an info with its text, in place of what declares all else.
    pub text: Option<TokenStream>,
    /// What is done to the declaration, a statement for each option.
    pub steps: Vec<TokenStream>,
    given: Vec<Ident>,
}

impl Options {
    pub fn of(field: &Field) -> Result<Self, Error> {
        let mut options = Self::default();
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("metric")) {
            attribute.parse_nested_meta(|meta| options.take(&field.ty, &meta))?;
        }
        options.check()?;
        Ok(options)
    }

    /// Whether an option of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Ident> {
        self.given.iter().find(|option| *option == name)
    }

    fn take(&mut self, field: &Type, meta: &ParseNestedMeta<'_>) -> Result<(), Error> {
        let option = meta.path.get_ident().cloned().ok_or_else(|| meta.error(KNOWN))?;
        let name = option.to_string();
        if let Some(first) = self.find(&name) {
            let mut error = Error::new(option.span(), format!("`{name}` is given twice"));
            error.combine(Error::new(first.span(), "first here"));
            return Err(error);
        }
        let at = option.span();
        let field = relocated(field.to_token_stream(), at);
        let of_field = |owner| trait_of(owner, field.clone(), at);
        let of_instrument =
            |owner| trait_of(owner, quote_spanned!(at=> <#field as ::manometer::MetricField>::Instrument), at);
        let duration = || parse(meta, |duration| numbers::check_duration(&name, duration));
        let mut step = |whose, value: &dyn ToTokens| self.steps.push(call(&option, whose, value));
        match name.as_str() {
            "name" => self.name = Some(parse(meta, rules::check_name)?),
            "help" => self.help = Some(parse(meta, |_| Ok(()))?),
            "unit" => {
                let unit = parse(meta, rules::check_unit)?;
                if !unit.value().is_empty() {
                    step(of_instrument("HasUnit"), &unit);
                }
                self.unit = Some(unit);
            }
            "labels" => {
                let keys;
                parenthesized!(keys in meta.input);
                let keys = Punctuated::<LitStr, Token![,]>::parse_terminated(&keys)?;
                rules::check_keys(&keys)?;
                step(of_field("HasLabels"), &quote!(&[#keys]));
                self.labels = keys.into_iter().collect();
            }
            "max_series" => {
                step(of_field("HasSeries"), &parse(meta, |count| numbers::check_count(&name, count))?);
            }
            "expire_after" => step(of_field("HasSeries"), &duration()?),
            "announced" => step(quote_spanned!(at=> ::manometer::Declaration), &quote!()),
            "buckets" => step(of_instrument("HasBuckets"), &parse(meta, numbers::check_thresholds)?),
            "native" => step(of_instrument("HasNative"), &native(meta)?),
            "exemplars" => step(of_instrument("HasExemplars"), &meta.value()?.parse::<Expr>()?),
            "quantiles" => step(of_instrument("HasQuantiles"), &parse(meta, numbers::check_quantiles)?),
            "interval" => step(of_instrument("HasQuantiles"), &duration()?),
            "states" => step(of_instrument("HasStates"), &parse(meta, rules::check_states)?),
            "text" => {
                let (owner, declaration) = (of_field("HasText"), declaration(at));
                let pairs = parse(meta, rules::check_pairs)?;
                self.text = Some(quote_spanned!(at=> #owner::text(#declaration, #pairs)));
            }
            _ => return Err(meta.error(KNOWN)),
        }
        self.given.push(option);
        Ok(())
    }

    /// Checks what options say of each other.
    fn check(&self) -> Result<(), Error> {
        let complain = |option: &Ident, rule| Err(Error::new(option.span(), rule));
        match (self.find("quantiles"), self.find("interval")) {
            (Some(quantiles), None) => complain(quantiles, "`quantiles` need an `interval`"),
            (None, Some(interval)) => complain(interval, "`interval` is that of `quantiles`, and there are none"),
            _ => Ok(()),
        }
    }
}

/// The variable that holds the declaration, which no expression of the user's can mean.
pub fn declaration(at: Span) -> Ident {
    Ident::new("declaration", Span::mixed_site().located_at(at))
}

/// The trait of `manometer::derived` that an option is called through; the compiler complains `at` it of a type without the trait.
fn trait_of(owner: &str, whose: TokenStream, at: Span) -> TokenStream {
    let owner = Ident::new(owner, at);
    quote_spanned!(at=> <#whose as ::manometer::derived::#owner>)
}

/// The same tokens, meaning what they mean, but complained of `at` another place.
fn relocated(tokens: TokenStream, at: Span) -> TokenStream {
    let relocate = |token| match token {
        TokenTree::Group(group) => Group::new(group.delimiter(), relocated(group.stream(), at)).into(),
        mut token => {
            token.set_span(token.span().located_at(at));
            token
        }
    };
    tokens.into_iter().map(relocate).collect()
}

/// A statement: the declaration is from now on what the method of this name makes of it and of `value`.
fn call(option: &Ident, whose: TokenStream, value: &dyn ToTokens) -> TokenStream {
    let declaration = declaration(option.span());
    quote_spanned! { option.span() => let #declaration = #whose::#option(#declaration, #value); }
}

/// What stands behind `=`, checked.
fn parse<T: Parse>(meta: &ParseNestedMeta<'_>, check: impl FnOnce(&T) -> Result<(), Error>) -> Result<T, Error> {
    let value = meta.value()?.parse()?;
    check(&value)?;
    Ok(value)
}

/// `native`, `native(schema = 3, …)` or `native = NativeOptions::new()`, as an expression.
fn native(meta: &ParseNestedMeta<'_>) -> Result<TokenStream, Error> {
    if meta.input.peek(Token![=]) {
        let options: Expr = meta.value()?.parse()?;
        return Ok(quote!(#options));
    }
    let mut calls = TokenStream::new();
    if meta.input.peek(Paren) {
        meta.parse_nested_meta(|meta| {
            let value: Expr = match meta.path.get_ident() {
                Some(option) if option == "schema" => parse(&meta, numbers::check_schema)?,
                Some(option) if option == "zero_threshold" => parse(&meta, numbers::check_zero_threshold)?,
                Some(option) if option == "max_buckets" => {
                    parse(&meta, |count| numbers::check_count("max_buckets", count))?
                }
                Some(option) if option == "negative" => match meta.input.peek(Token![=]) {
                    true => parse(&meta, |_| Ok(()))?,
                    false => syn::parse_quote!(true),
                },
                _ => return Err(meta.error(KNOWN_NATIVE)),
            };
            let option = &meta.path;
            calls.extend(quote!(.#option(#value)));
            Ok(())
        })?;
    }
    Ok(quote!(::manometer::NativeOptions::new() #calls))
}
