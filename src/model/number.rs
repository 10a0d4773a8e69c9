//! Numbers as text: the one formatter behind every page, label and view.

use std::fmt::{self, Write};
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
#[inline(always)]
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

/// Appends a value in at most 17 significant digits, which tell any two floats apart, as C's `%.17g` does; what is not finite as in
/// every format. An integer is rounded as it is, not as the float next to it.
pub(crate) fn write_17_digits(number: Number, out: &mut impl Sink) {
    let is_short = match number {
        Number::Unsigned(value) => value < EXACT,
        Number::Signed(value) => value.unsigned_abs() < EXACT,
        Number::Float(value) => exact_magnitude(value).is_some(),
    };
    // Up to here both ways give the same digits.
    if is_short { write_number(number, out) } else { write_general(number, 17, out) }
}

/// Appends a value in at most `digits` significant digits, of which there are 1 to 17, as C's `%.*g` does: digits are rounded half to
/// even, zeros behind the last one left out, and the exponent form taken below 1e-4 and where more digits than these stand before
/// the point. What is not finite is written as in every format.
pub(crate) fn write_general(number: Number, digits: usize, out: &mut impl Sink) {
    debug_assert!((1..=17).contains(&digits), "{digits} digits fit no number, or not the room");
    let decimals = digits - 1;
    let mut room = Room::default();
    let written = match number {
        Number::Unsigned(value) => write!(room, "{value:.decimals$e}"),
        Number::Signed(value) => write!(room, "{value:.decimals$e}"),
        Number::Float(value) if value.is_finite() => write!(room, "{value:.decimals$e}"),
        Number::Float(value) => return write_float(value, PLAIN_VALUE, out),
    };
    written.expect("17 digits, two signs, a point and an exponent fit");
    let text = room.text();
    let (sign, unsigned) = text.split_at(usize::from(text.starts_with('-')));
    let (mantissa, exponent) = unsigned.split_once('e').expect("written with an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent of a number is a small integer");
    if !(-4..digits as i32).contains(&exponent) {
        return write_exponent(text, out);
    }
    let (lead, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let zeros = |count: usize| &"0000000000000000"[..count];
    out.put(sign);
    if exponent < 0 {
        out.put("0.");
        out.put(zeros(exponent.unsigned_abs() as usize - 1));
        out.put(lead);
        out.put(fraction);
        return;
    }
    // How many digits behind the first one stand before the point.
    let whole = exponent as usize;
    let (before, behind) = fraction.split_at(whole.min(fraction.len()));
    out.put(lead);
    out.put(before);
    out.put(zeros(whole - before.len()));
    if !behind.is_empty() {
        out.put(".");
        out.put(behind);
    }
}

/// Appends a time as Unix seconds with three decimals.
pub(crate) fn write_seconds(time: Timestamp, out: &mut impl Sink) {
    out.put(itoa::Buffer::new().format(time.millis() / 1000));
    out.put(".");
    let thousandths = 1000 + time.millis() % 1000;
    out.put(&itoa::Buffer::new().format(thousandths)[1..]);
}

fn write_value(value: f64, out: &mut impl Sink) {
    if let Some(magnitude) = exact_magnitude(value) {
        if value.is_sign_negative() {
            out.put("-");
        }
        out.put(itoa::Buffer::new().format(magnitude));
    } else {
        write_float(value, PLAIN_VALUE, out);
    }
}

/// The magnitude of a whole number that is surely the one that was meant.
#[inline]
fn exact_magnitude(value: f64) -> Option<u64> {
    let magnitude = value.abs() as u64;
    (magnitude < EXACT && magnitude as f64 == value.abs()).then_some(magnitude)
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

/// Room on the stack for a number in scientific notation.
#[derive(Default)]
struct Room {
    bytes: [u8; 32],
    len: usize,
}

impl Room {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).expect("whole texts were written")
    }
}

impl fmt::Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn general(number: Number, digits: usize) -> String {
        let mut text = String::new();
        write_general(number, digits, &mut text);
        text
    }

    #[test]
    fn general_is_what_printf_writes() {
        let cases = [
            (0.0, 17, "0"),
            (-0.0, 17, "-0"),
            (0.1, 17, "0.10000000000000001"),
            (0.1, 14, "0.1"),
            (0.1 + 0.2, 17, "0.30000000000000004"),
            (0.1 + 0.2, 14, "0.3"),
            (-2.5, 14, "-2.5"),
            (1_795_239_171.804, 17, "1795239171.8039999"),
            (6.437_301_635_742_187_5e-6, 17, "6.4373016357421875e-06"),
            // The exponent form begins below 1e-4, and with as many digits before the point as there may be.
            (0.0001, 14, "0.0001"),
            (0.0001, 17, "0.0001"),
            (9.999_999_999_999_999e-5, 17, "9.9999999999999991e-05"),
            (9.999_999_999_999_999e-5, 14, "0.0001"),
            (1e-5, 14, "1e-05"),
            (1e-5, 17, "1.0000000000000001e-05"),
            (1.5e-7, 14, "1.5e-07"),
            (1e13, 14, "10000000000000"),
            (1e14, 14, "1e+14"),
            (99_999_999_999_999.9, 14, "1e+14"),
            (9_999_999_999_999.99, 14, "10000000000000"),
            (1e16, 17, "10000000000000000"),
            (1e17, 17, "1e+17"),
            (123_456_789_012_345_680.0, 17, "1.2345678901234568e+17"),
            (1e22, 17, "1e+22"),
            (1e23, 17, "9.9999999999999992e+22"),
            // Half to even: the last digit that stands is even, whatever a tie would round to.
            (4_000_000_000_000_001.0 / 4.0, 17, "1000000000000000.2"),
            (4_000_000_000_000_003.0 / 4.0, 17, "1000000000000000.8"),
            (2.5, 1, "2"),
            (3.5, 1, "4"),
            (9.5, 1, "1e+01"),
            (0.125, 2, "0.12"),
            (0.375, 2, "0.38"),
            (123_456_789.0, 8, "1.2345679e+08"),
            // The ends of what there is.
            (f64::MAX, 17, "1.7976931348623157e+308"),
            (f64::MAX, 14, "1.7976931348623e+308"),
            (f64::MIN_POSITIVE, 17, "2.2250738585072014e-308"),
            (f64::from_bits(1), 17, "4.9406564584124654e-324"),
            (-f64::from_bits(1), 14, "-4.9406564584125e-324"),
            // What is not finite is written as in every format.
            (f64::NAN, 17, "NaN"),
            (f64::INFINITY, 14, "+Inf"),
            (f64::NEG_INFINITY, 14, "-Inf"),
        ];
        for (value, digits, text) in cases {
            assert_eq!(general(Number::Float(value), digits), text, "{value:e} in {digits} digits");
        }
    }

    #[test]
    fn integers_are_rounded_as_they_are() {
        let cases = [
            (Number::Unsigned(0), "0"),
            (Number::Unsigned((1 << 53) + 1), "9007199254740993"),
            (Number::Unsigned(99_999_999_999_999_999), "99999999999999999"),
            (Number::Unsigned(100_000_000_000_000_005), "1e+17"),
            (Number::Unsigned(100_000_000_000_000_015), "1.0000000000000002e+17"),
            // The nearest float of this one has other digits.
            (Number::Unsigned(18_446_744_073_709_549_499), "1.8446744073709549e+19"),
            (Number::Unsigned(u64::MAX), "1.8446744073709552e+19"),
            (Number::Signed(-5), "-5"),
            (Number::Signed(-(1 << 53) - 1), "-9007199254740993"),
            (Number::Signed(i64::MIN), "-9.2233720368547758e+18"),
            (Number::Float(-0.0), "-0"),
            (Number::Float(0.1), "0.10000000000000001"),
        ];
        for (number, text) in cases {
            let mut found = String::new();
            write_17_digits(number, &mut found);
            assert_eq!(found, text, "{number:?}");
        }
    }

    #[test]
    fn seventeen_digits_read_back() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..100_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let value = f64::from_bits(bits);
            let text = general(Number::Float(value), 17);
            let read: f64 = text.parse().expect("it is a number");
            assert!(read == value || (read.is_nan() && value.is_nan()), "{value:e} is written as {text}");
        }
    }
}
