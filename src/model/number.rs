//! Numbers as text: the one formatter behind every page, label and view.

use std::fmt;
use std::ops::Range;

use crate::model::{Number, Sink, Timestamp};

/// Below this, every whole `f64` is exact.
const EXACT: u64 = 1 << 53;

/// Values whose magnitude lies here are written without an exponent.
const PLAIN_VALUE: Range<f64> = 1e-5..1e16;

/// The same for thresholds and quantiles.
const PLAIN_THRESHOLD: Range<f64> = 1e-4..1e6;

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_number(*self, &mut text);
        match text.strip_prefix('-') {
            Some(magnitude) => f.pad_integral(false, "", magnitude),
            None => f.pad_integral(true, "", &text),
        }
    }
}

/// Appends a value: integers to the last digit, others with the fewest digits that read back (ITR-06).
#[inline]
pub(crate) fn write_number(number: Number, out: &mut impl Sink) {
    match number {
        Number::Unsigned(value) => out.put(itoa::Buffer::new().format(value)),
        Number::Signed(value) => out.put(itoa::Buffer::new().format(value)),
        Number::Float(value) => write_value(value, out),
    }
}

/// Appends a threshold or quantile, always with a point or an exponent (HIS-06).
pub(crate) fn write_threshold(value: f64, out: &mut impl Sink) {
    write_float(value, PLAIN_THRESHOLD, out);
}

/// Appends a time as Unix seconds with three decimals.
pub(crate) fn write_seconds(time: Timestamp, out: &mut impl Sink) {
    out.put(itoa::Buffer::new().format(time.millis() / 1000));
    out.put(".");
    let thousandths = 1000 + time.millis() % 1000;
    out.put(&itoa::Buffer::new().format(thousandths)[1..]);
}

fn write_value(value: f64, out: &mut impl Sink) {
    let magnitude = value.abs() as u64;
    if magnitude < EXACT && magnitude as f64 == value.abs() {
        if value.is_sign_negative() {
            out.put("-");
        }
        out.put(itoa::Buffer::new().format(magnitude));
    } else {
        write_float(value, PLAIN_VALUE, out);
    }
}

fn write_float(value: f64, plain: Range<f64>, out: &mut impl Sink) {
    if value.is_nan() {
        out.put("NaN");
    } else if value.is_infinite() {
        out.put(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        let mut buffer = zmij::Buffer::new();
        let digits = buffer.format_finite(value);
        if value == 0.0 || plain.contains(&value.abs()) {
            out.put(digits);
        } else {
            write_exponent(digits, out);
        }
    }
}

/// Appends the digits of a number other than zero, which come with an exponent or without, as `d.ddde+dd`.
fn write_exponent(digits: &str, out: &mut impl Sink) {
    let (sign, unsigned) = digits.split_at(usize::from(digits.starts_with('-')));
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let exponent: i32 = exponent.parse().expect("the exponent of an f64 is a small integer");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');

    let significant = fraction.trim_start_matches('0');
    let (lead, rest, exponent) = match whole {
        "0" => (&significant[..1], ["", &significant[1..]], exponent - (fraction.len() - significant.len()) as i32 - 1),
        _ => {
            let after = if fraction.is_empty() { whole[1..].trim_end_matches('0') } else { &whole[1..] };
            (&whole[..1], [after, fraction], exponent + whole.len() as i32 - 1)
        }
    };
    out.put(sign);
    out.put(lead);
    if rest != ["", ""] {
        out.put(".");
        rest.into_iter().for_each(|digits| out.put(digits));
    }
    out.put(if exponent < 0 { "e-" } else { "e+" });
    if exponent.abs() < 10 {
        out.put("0");
    }
    out.put(itoa::Buffer::new().format(exponent.abs()));
}
