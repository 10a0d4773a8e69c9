//! Numbers on the wire: the fewest digits that read back, and never an exponent (STD-11).

/// More digits than the shortest form of a float has, the zeros around its point included.
const MOST_DIGITS: usize = 32;

/// Appends a whole number.
pub(super) fn write_whole(value: u128, out: &mut Vec<u8>) {
    match u64::try_from(value) {
        Ok(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        Err(_) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
    }
}

/// Appends a finite number without its sign.
pub(super) fn write_magnitude(value: f64, out: &mut Vec<u8>) {
    const EXACT: f64 = (1u64 << 53) as f64;
    let value = value.abs();
    if value < EXACT && value.trunc() == value {
        return write_whole(value as u128, out);
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().expect("the exponent of an f64 is a small integer");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut room = [0; MOST_DIGITS];
    room[..whole.len()].copy_from_slice(whole.as_bytes());
    let len = whole.len() + fraction.len();
    room[whole.len()..len].copy_from_slice(fraction.as_bytes());
    let digits = &room[..len];
    // Where the point comes, counted in digits from the first one.
    let point = whole.len() as i32 + exponent;
    let zeros = |count: i32, out: &mut Vec<u8>| out.resize(out.len() + count.max(0) as usize, b'0');
    if point <= 0 {
        out.extend_from_slice(b"0.");
        zeros(-point, out);
        out.extend_from_slice(digits);
    } else if (point as usize) < digits.len() {
        let (before, after) = digits.split_at(point as usize);
        // Digits that stand before the point may be zeros alone, as in `0.5`.
        let lead = before.iter().position(|digit| *digit != b'0').unwrap_or(before.len() - 1);
        out.extend_from_slice(&before[lead..]);
        out.push(b'.');
        out.extend_from_slice(after);
    } else {
        out.extend_from_slice(digits);
        zeros(point - digits.len() as i32, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        write_magnitude(value, &mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn std_11_numbers_have_no_exponent_and_read_back() {
        assert_eq!(text(1e15), "1000000000000000");
        assert_eq!(text(0.000_001_192_092_895_507_812_5), "0.0000011920928955078125");
        assert_eq!(text(1e22), "10000000000000000000000");
        let some =
            [0.0, 0.5, 12.5, 0.1, 1e-7, 123.456, 9007199254740993.0, 1.5e300, f64::MAX, 5e-324, 0.003804, 1e16, 2.5e16];
        for value in some {
            let text = text(value);
            assert!(!text.contains('e'), "{text}");
            assert!(!text.starts_with('0') || text == "0" || text.starts_with("0."), "{text}");
            assert_eq!(text.parse::<f64>().unwrap(), value);
        }
    }
}
