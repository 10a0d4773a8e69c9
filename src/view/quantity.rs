//! Numbers as people read them: three digits, a prefix, a unit.

use crate::model::{Number, write_general};

/// For thousands, millions and on.
const LARGE: [&str; 9] = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];

/// For thousandths, millionths and on.
const SMALL: [&str; 9] = ["", "m", "\u{3bc}", "n", "p", "f", "a", "z", "y"];

/// The largest power of a thousand, or of 1024, that has a prefix.
const LAST: i32 = 8;

/// `value` with three significant digits, a decimal prefix and `unit`: `66.1 μs` (VIW-06).
///
/// The prefix goes by the rounded value, so that 999.9 is `1 k` and not `1000`.
pub fn decimal(value: f64, unit: &str) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{} {unit}", general(value, 1));
    }
    let (rounded, exponent) = round(value);
    let power = exponent.div_euclid(3).clamp(-LAST, LAST);
    let prefix = if power < 0 { SMALL[-power as usize] } else { LARGE[power as usize] };
    format!("{} {prefix}{unit}", general(rounded / 1000_f64.powi(power), 3))
}

/// The same with prefixes for powers of 1024 from one on: `12.1 KiB` (VIW-07).
///
/// What rounds to 1000 or more already takes the next prefix, so there are never more than three digits: 1010 is `0.986 Ki`.
pub fn binary(value: f64, unit: &str) -> String {
    let exponent_of = |power| round(value / 1024_f64.powi(power)).1;
    if value == 0.0 || !value.is_finite() || exponent_of(0) < 0 {
        return decimal(value, unit);
    }
    let power = (0..LAST).find(|power| exponent_of(*power) < 3).unwrap_or(LAST);
    let prefix = LARGE[power as usize].to_uppercase();
    let i = if power == 0 { "" } else { "i" };
    format!("{} {prefix}{i}{unit}", general(value / 1024_f64.powi(power), 3))
}

/// `value` as C's `%.{digits}g` writes it, but for what is not finite: that is written as on a page.
pub fn general(value: f64, digits: usize) -> String {
    let mut text = String::new();
    // One zero for both.
    write_general(Number::Float(value + 0.0), digits.max(1), &mut text);
    text
}

/// `value` rounded to three significant digits, and the power of ten of the first of them.
fn round(value: f64) -> (f64, i32) {
    let text = format!("{value:.2e}");
    let exponent = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default();
    // Only infinity is beyond what a float holds, and rounding may reach it.
    (text.parse().unwrap_or(value), exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_is_what_printf_writes() {
        let cases = [
            (0.0, 3, "0"),
            (-0.0, 3, "0"),
            (1.0, 1, "1"),
            (9.5, 1, "1e+01"),
            (0.5, 3, "0.5"),
            (100.0, 3, "100"),
            (999.5, 3, "1e+03"),
            (1234.0, 3, "1.23e+03"),
            (0.0001, 3, "0.0001"),
            (0.000_099_96, 3, "0.0001"),
            (0.000_012_34, 3, "1.23e-05"),
            (-2.5, 8, "-2.5"),
            (123_456_789.0, 8, "1.2345679e+08"),
            (12_345_678.4, 8, "12345678"),
            (1_048_576.0, 7, "1048576"),
            (33_554_432.0, 7, "3.355443e+07"),
            (1e300, 3, "1e+300"),
            (f64::NAN, 3, "NaN"),
            (f64::NEG_INFINITY, 3, "-Inf"),
        ];
        for (value, digits, expected) in cases {
            assert_eq!(general(value, digits), expected, "{value:e} with {digits}");
        }
    }
}
