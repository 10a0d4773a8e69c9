//! What may be given as label values: text, numbers, booleans; one by one in a tuple, or all text in a slice.

use std::{borrow::Cow, fmt, sync::Arc};

/// One label value. Numbers and booleans are written out: `5`, `5.0` and `"5"` are the same value.
pub trait LabelValue {
    /// The value as text; `room` is where a number may be written.
    fn text<'a>(&'a self, room: &'a mut NumberRoom) -> &'a str;
}

/// Room on the stack for the text of one number.
pub struct NumberRoom {
    integer: itoa::Buffer,
    float: zmij::Buffer,
}

impl NumberRoom {
    /// Room that nothing is written in.
    #[inline]
    pub fn new() -> Self {
        Self { integer: itoa::Buffer::new(), float: zmij::Buffer::new() }
    }
}

impl fmt::Debug for NumberRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NumberRoom").finish_non_exhaustive()
    }
}

impl Default for NumberRoom {
    fn default() -> Self {
        Self::new()
    }
}

/// The values of a look-up, one for each free key, in key order.
///
/// Implemented for tuples of up to eight [`LabelValue`]s, for arrays and slices of text, and for `()`, which is no value at all. A
/// look-up borrows them; nothing is allocated for a series that exists.
///
/// # Examples
/// ```
/// let registry = manometer::Registry::new();
/// let requests = registry.counter("requests").labels(["method", "status"]).declare()?;
/// requests.inc(("GET", 200))?;
/// requests.inc(["GET", "200"])?;
/// assert_eq!(requests.with_labels(("GET", "200"))?.value(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait LabelValues {
    /// Runs `op` on all values as text.
    fn with<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R;
}

impl LabelValues for () {
    #[inline]
    fn with<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R {
        op(&[])
    }
}

impl LabelValues for [&str] {
    #[inline]
    fn with<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R {
        op(self)
    }
}

impl<const N: usize> LabelValues for [&str; N] {
    #[inline]
    fn with<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R {
        op(self)
    }
}

impl LabelValues for [String] {
    fn with<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R {
        op(&self.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

impl<V: LabelValues + ?Sized> LabelValues for &V {
    #[inline]
    fn with<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R {
        (**self).with(op)
    }
}

macro_rules! label_values_of_tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: LabelValue),+> LabelValues for ($($name,)+) {
            #[inline]
            #[allow(non_snake_case, reason = "one name for a type parameter and its value")]
            fn with<R>(&self, op: impl FnOnce(&[&str]) -> R) -> R {
                let ($($name,)+) = self;
                op(&[$($name.text(&mut NumberRoom::new())),+])
            }
        }
    )+};
}

label_values_of_tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}

macro_rules! label_values_of_text {
    ($($text:ty),+) => {$(
        impl LabelValue for $text {
            #[inline]
            fn text<'a>(&'a self, _: &'a mut NumberRoom) -> &'a str {
                self
            }
        }
    )+};
}

label_values_of_text!(str, String, Box<str>, Arc<str>, Cow<'_, str>);

macro_rules! label_values_of_integers {
    ($($integer:ty),+) => {$(
        impl LabelValue for $integer {
            #[inline]
            fn text<'a>(&'a self, room: &'a mut NumberRoom) -> &'a str {
                room.integer.format(*self)
            }
        }
    )+};
}

label_values_of_integers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

macro_rules! label_values_of_floats {
    ($($float:ty),+) => {$(
        impl LabelValue for $float {
            fn text<'a>(&'a self, room: &'a mut NumberRoom) -> &'a str {
                // A whole number that the type holds exactly reads like an integer.
                let whole = *self as i64;
                match *self {
                    exact if exact == whole as $float && whole.unsigned_abs() < 1 << <$float>::MANTISSA_DIGITS => {
                        room.integer.format(whole)
                    }
                    <$float>::INFINITY => "+Inf",
                    <$float>::NEG_INFINITY => "-Inf",
                    nan if nan.is_nan() => "NaN",
                    other => room.float.format_finite(other),
                }
            }
        }
    )+};
}

label_values_of_floats!(f32, f64);

impl LabelValue for bool {
    #[inline]
    fn text<'a>(&'a self, _: &'a mut NumberRoom) -> &'a str {
        if *self { "true" } else { "false" }
    }
}

impl<V: LabelValue + ?Sized> LabelValue for &V {
    #[inline]
    fn text<'a>(&'a self, room: &'a mut NumberRoom) -> &'a str {
        (**self).text(room)
    }
}
