//! What a name, a unit, a label key, a state must be: the rules of `manometer::model`, told to the compiler.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::{Error, Expr, ExprLit, Lit, LitStr};

use crate::numbers::{elements, plain};

/// A family name: not empty, no control character.
pub fn check_name(name: &LitStr) -> Result<(), Error> {
    match name.value() {
        text if text.is_empty() => Err(Error::new(name.span(), "a family name is not empty")),
        text if text.chars().any(char::is_control) => {
            Err(Error::new(name.span(), "a family name has no control characters"))
        }
        _ => Ok(()),
    }
}

/// A unit: `[A-Za-z0-9_]*`, so that it can end a name.
pub fn check_unit(unit: &LitStr) -> Result<(), Error> {
    match unit.value().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        true => Ok(()),
        false => Err(Error::new(unit.span(), "a unit is made of `[A-Za-z0-9_]`, since the name ends in it")),
    }
}

/// A label key: `[A-Za-z][A-Za-z0-9_]*`.
pub fn check_key(key: &str, span: Span) -> Result<(), Error> {
    let mut bytes = key.bytes();
    let starts = bytes.next().is_some_and(|first| first.is_ascii_alphabetic());
    match starts && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        true => Ok(()),
        false => Err(Error::new(span, format!("the label key {key:?} is not of the form `[A-Za-z][A-Za-z0-9_]*`"))),
    }
}

/// Label keys: each good, each once.
pub fn check_keys<'a>(keys: impl IntoIterator<Item = &'a LitStr>) -> Result<(), Error> {
    let keys: Vec<_> = keys.into_iter().map(|key| (key.value(), key.span())).collect();
    keys.iter().try_for_each(|(key, span)| check_key(key, *span))?;
    check_distinct("label key", &keys)
}

/// States, as far as they are written out: one or more, none of them empty, each once.
pub fn check_states(states: &Expr) -> Result<(), Error> {
    if matches!(plain(states), Expr::Array(array) if array.elems.is_empty()) {
        return Err(Error::new_spanned(states, "a stateset has one state or more"));
    }
    let states: Vec<_> = elements(states).filter_map(text).map(|state| (state.value(), state.span())).collect();
    if let Some((_, span)) = states.iter().find(|(state, _)| state.is_empty()) {
        return Err(Error::new(*span, "a state is not empty: its label would count as absent"));
    }
    check_distinct("state", &states)
}

/// The pairs of an info, as far as they are written out: good label keys, each once.
pub fn check_pairs(pairs: &Expr) -> Result<(), Error> {
    check_keys(elements(pairs).filter_map(first).filter_map(text))
}

/// That no text occurs twice; `what` they are.
pub fn check_distinct(what: &str, texts: &[(String, Span)]) -> Result<(), Error> {
    let mut seen = HashMap::new();
    for (text, span) in texts {
        if let Some(first) = seen.insert(text, *span) {
            let mut error = Error::new(*span, format!("the {what} {text:?} occurs twice"));
            error.combine(Error::new(first, "first here"));
            return Err(error);
        }
    }
    Ok(())
}

/// The first of a pair that is written out.
fn first(pair: &Expr) -> Option<&Expr> {
    match plain(pair) {
        Expr::Tuple(pair) => pair.elems.first(),
        _ => None,
    }
}

/// The text that is written out.
fn text(expr: &Expr) -> Option<&LitStr> {
    match plain(expr) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    }
}
