//! What a name, a key, a unit or a list of buckets must be: the rules of `manometer::model`, told to the compiler.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::{Error, Expr, ExprArray, ExprLit, ExprUnary, Lit, LitStr, UnOp};

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

/// Thresholds, as far as they are written out as numbers: ascending.
pub fn check_buckets(buckets: &Expr) -> Result<(), Error> {
    let Expr::Array(ExprArray { elems, .. }) = buckets else {
        return Ok(());
    };
    let mut last = None;
    for element in elems {
        let Some(threshold) = number(element) else { return Ok(()) };
        if last.is_some_and(|last| threshold <= last) {
            let rule = "thresholds ascend: each is greater than the one before it";
            return Err(Error::new_spanned(element, rule));
        }
        last = Some(threshold);
    }
    Ok(())
}

/// The number that is written out.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(expr).map(|positive| -positive),
        _ => None,
    }
}
