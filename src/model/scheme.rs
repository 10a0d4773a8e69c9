//! Escaping schemes: how a name is written for readers that take the letters of classic names alone.

use std::{borrow::Cow, fmt::Write};

use crate::model::escape_into;

/// How a page writes names that are not classic, which metrics are as `[A-Za-z_:][A-Za-z0-9_:]*` and labels without the colon.
///
/// These are the schemes of Prometheus, and a scraper asks for one by the parameter `escaping` of its `Accept` header. Classic names
/// are the same in all of them but `dots`, and no other names are there unless a registry is of
/// [`Dialect::Utf8`](crate::model::Dialect::Utf8). Each foreign character is one, however many bytes it has; a digit in front is foreign too.
///
/// Source: <https://prometheus.io/docs/instrumenting/escaping_schemes>, and `EscapeName` of Prometheus's common library where that page
/// says otherwise: [`Dots`](Self::Dots) makes two underscores of a foreign character, and digits in hexadecimal are small.
///
/// # Examples
/// ```
/// use manometer::model::EscapingScheme::*;
///
/// assert_eq!(Underscores.metric_name("http.größe_bytes"), "http_gr__e_bytes");
/// assert_eq!(Dots.metric_name("http.größe_bytes"), "http_dot_gr____e__bytes");
/// assert_eq!(Values.metric_name("http.größe_bytes"), "U__http_2e_gr_f6__df_e__bytes");
/// assert_eq!(AllowUtf8.metric_name("http.größe_bytes"), "http.größe_bytes");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EscapingScheme {
    /// `allow-utf-8`: names are as they are, in quotes where they are not classic.
    AllowUtf8,
    /// `underscores`: each foreign character is `_`. This is for readers that do not ask.
    #[default]
    Underscores,
    /// `dots`: `.` is `_dot_`, and all else that is foreign is `__`. So is `_`, in classic names too.
    Dots,
    /// `values`: `U__`, then `_` as `__` and what is foreign as its code point between underscores, in hexadecimal: `_2e_`. No two names
    /// that are not classic look the same.
    Values,
}

impl EscapingScheme {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values];

    /// Those in which different names may look the same; two that do so in dots do so in underscores.
    pub(crate) const CLASHING: [Self; 2] = [Self::Underscores, Self::Values];

    /// The word for it in the parameter `escaping`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// The scheme of this word; None if it is none of [`as_str`](Self::as_str).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.as_str() == word)
    }

    /// The name of a metric in this scheme.
    pub fn metric_name(self, name: &str) -> Cow<'_, str> {
        self.escape(name, is_metric_character)
    }

    /// The name of a label in this scheme.
    pub fn label_name(self, name: &str) -> Cow<'_, str> {
        self.escape(name, is_label_character)
    }

    fn escape(self, name: &str, is_plain: fn(usize, char) -> bool) -> Cow<'_, str> {
        let is_classic = name.char_indices().all(|(at, character)| is_plain(at, character));
        if self == Self::AllowUtf8 || (is_classic && self != Self::Dots) {
            return Cow::Borrowed(name);
        }
        let mut escaped = String::with_capacity(2 * name.len());
        if self == Self::Values {
            escaped.push_str("U__");
        }
        for (at, character) in name.char_indices() {
            match self {
                Self::Dots | Self::Values if character == '_' => escaped.push_str("__"),
                Self::Dots if character == '.' => escaped.push_str("_dot_"),
                _ if is_plain(at, character) => escaped.push(character),
                Self::Dots => escaped.push_str("__"),
                Self::Values => write!(escaped, "_{:x}_", u32::from(character)).expect("a string takes everything"),
                Self::Underscores | Self::AllowUtf8 => escaped.push('_'),
            }
        }
        Cow::Owned(escaped)
    }
}

/// Whether a metric of this name is called so on every page.
pub(super) fn is_metric_name(name: &str) -> bool {
    !name.is_empty() && name.char_indices().all(|(at, character)| is_metric_character(at, character))
}

/// Whether a label of this name is called so on every page.
pub(super) fn is_label_name(name: &str) -> bool {
    !name.is_empty() && name.char_indices().all(|(at, character)| is_label_character(at, character))
}

/// The name of a label as text has it before the `=`: in quotes unless it is classic.
pub(crate) fn label_text(name: &str) -> Cow<'_, str> {
    if is_label_name(name) {
        return Cow::Borrowed(name);
    }
    let mut text = String::with_capacity(name.len() + 2);
    text.push('"');
    escape_into(name, true, &mut text);
    text.push('"');
    Cow::Owned(text)
}

fn is_metric_character(at: usize, character: char) -> bool {
    character == ':' || is_label_character(at, character)
}

fn is_label_character(at: usize, character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_' || (at > 0 && character.is_ascii_digit())
}
