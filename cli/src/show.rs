//! `show`: the operator's view of an endpoint.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use manometer::view::{Form, Interval, ShowOptions, show as draw};

use crate::fetch::{Request, Target};
use crate::page::{Family, printable};
use crate::set::convert;
use crate::source::{SourceError, load};

/// The text, and warnings about what is not in it.
#[derive(Debug)]
pub struct Shown {
    pub text: String,
    pub warnings: Vec<String>,
}

/// Fetches once, or twice with `interval` between, and draws what `options` say.
///
/// # Errors
/// As [`load`].
pub fn show(
    target: &Target,
    request: &Request,
    interval: Option<Duration>,
    options: ShowOptions,
) -> Result<Shown, SourceError> {
    let first = load(target, request)?;
    let Some(interval) = interval else {
        let mut warnings: Vec<String> = first.warning(target).into_iter().collect();
        let converted = convert(&first.families);
        warnings.extend(left_out(&converted.left_out));
        return Ok(Shown { text: draw(&converted.set, &options), warnings });
    };
    let begin = Instant::now();
    thread::sleep(interval);
    let second = load(target, request)?;
    let mut warnings: Vec<String> = second.warning(target).into_iter().collect();
    let set = |families: &[Family]| convert(families);
    let (earlier, later) = (set(&first.families), set(&second.families));
    warnings.extend(left_out(&later.left_out));
    let later_set = Arc::new(later.set);
    let change = Interval { earlier: Arc::new(earlier.set), later: Arc::clone(&later_set), elapsed: begin.elapsed() };
    Ok(Shown { text: draw(&later_set, &options.form(Form::Details).over(change)), warnings })
}

fn left_out(families: &[(String, String)]) -> impl Iterator<Item = String> {
    families.iter().map(|(name, why)| format!("{} is not shown: {}", printable(name), printable(why)))
}
