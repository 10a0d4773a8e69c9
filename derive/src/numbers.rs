//! What thresholds, quantiles, counts and durations must be, as far as they are written out: the rest is checked when they are declared.

use syn::{Error, Expr, ExprArray, ExprLit, ExprUnary, Lit, UnOp};

/// Thresholds: floats that ascend.
pub fn check_thresholds(thresholds: &Expr) -> Result<(), Error> {
    let mut last = None;
    for element in elements(thresholds) {
        check_float(element, "a threshold")?;
        let Some(threshold) = number(element) else { return Ok(()) };
        if last.is_some_and(|last| threshold <= last) {
            return Err(Error::new_spanned(element, "thresholds ascend: each is greater than the one before it"));
        }
        last = Some(threshold);
    }
    Ok(())
}

/// Quantiles: floats from 0 to 1, each once.
pub fn check_quantiles(quantiles: &Expr) -> Result<(), Error> {
    let mut before = Vec::new();
    for element in elements(quantiles) {
        check_float(element, "a quantile")?;
        let Some(quantile) = number(element) else { continue };
        if !(0.0..=1.0).contains(&quantile) {
            return Err(Error::new_spanned(element, "a quantile is from 0 to 1"));
        }
        if before.contains(&quantile) {
            return Err(Error::new_spanned(element, "each quantile is given once"));
        }
        before.push(quantile);
    }
    Ok(())
}

/// The schema of a native histogram: from -4 to 8.
pub fn check_schema(schema: &Expr) -> Result<(), Error> {
    check(schema, |schema| (-4.0..=8.0).contains(&schema), "a schema is from -4 to 8")
}

/// How far the zero bucket reaches: a float that is not negative.
pub fn check_zero_threshold(threshold: &Expr) -> Result<(), Error> {
    check_float(threshold, "a zero threshold")?;
    check(threshold, |threshold| threshold >= 0.0, "a zero threshold is 0 or more")
}

/// How many there may be of something, by the option's name: one or more.
pub fn check_count(option: &str, count: &Expr) -> Result<(), Error> {
    check(count, |count| count >= 1.0, &format!("`{option}` is 1 or more"))
}

/// A duration, by the option's name: an expression, and longer than nothing.
pub fn check_duration(option: &str, duration: &Expr) -> Result<(), Error> {
    let last_name = |path: &Expr| match path {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    };
    let is_nothing = match plain(duration) {
        literal @ Expr::Lit(_) => {
            return Err(Error::new_spanned(literal, "a duration is an expression, such as `Duration::from_secs(10)`"));
        }
        Expr::Call(call) => {
            let is_made_here = last_name(&call.func).is_some_and(|name| name.starts_with("from_"));
            is_made_here && call.args.first().and_then(number).is_some_and(|number| number <= 0.0)
        }
        path => last_name(path).is_some_and(|name| name == "ZERO"),
    };
    match is_nothing {
        true => Err(Error::new_spanned(duration, format!("`{option}` is longer than 0"))),
        false => Ok(()),
    }
}

/// The elements of a list that is written out.
pub fn elements(list: &Expr) -> impl Iterator<Item = &Expr> {
    let elements = match plain(list) {
        Expr::Array(ExprArray { elems, .. }) => Some(elems),
        _ => None,
    };
    elements.into_iter().flatten()
}

/// The same without parentheses, those that a macro leaves behind among them.
pub fn plain(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => plain(&group.expr),
        Expr::Paren(paren) => plain(&paren.expr),
        _ => expr,
    }
}

fn check(expr: &Expr, is_good: impl FnOnce(f64) -> bool, rule: &str) -> Result<(), Error> {
    match number(expr) {
        Some(number) if !is_good(number) => Err(Error::new_spanned(expr, rule)),
        _ => Ok(()),
    }
}

/// Refuses a whole number where a float belongs, since the compiler's own words would be about an iterator.
fn check_float(expr: &Expr, what: &str) -> Result<(), Error> {
    match unsigned(expr) {
        Some(Lit::Int(int)) if int.suffix().is_empty() => {
            Err(Error::new_spanned(expr, format!("{what} is a float, such as `1.0`")))
        }
        _ => Ok(()),
    }
}

/// The number that is written out.
fn number(expr: &Expr) -> Option<f64> {
    let size: f64 = match unsigned(expr)? {
        Lit::Float(float) => float.base10_parse().ok()?,
        Lit::Int(int) => int.base10_parse().ok()?,
        _ => return None,
    };
    Some(if matches!(plain(expr), Expr::Unary(_)) { -size } else { size })
}

/// The literal, whatever sign is before it.
fn unsigned(expr: &Expr) -> Option<&Lit> {
    match plain(expr) {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match plain(expr) {
            Expr::Lit(ExprLit { lit, .. }) => Some(lit),
            _ => None,
        },
        _ => None,
    }
}
