//! Where text goes, and the one escaper.

/// A growing text: a string, or the bytes of a page.
pub(crate) trait Sink {
    /// Appends `text`.
    fn put(&mut self, text: &str);
}

impl Sink for String {
    fn put(&mut self, text: &str) {
        self.push_str(text);
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }
}

/// A sink that escapes what it is given, quotes too, before it passes it on.
pub(crate) struct Escaping<'a, S>(pub(crate) &'a mut S);

impl<S: Sink> Sink for Escaping<'_, S> {
    fn put(&mut self, text: &str) {
        escape_into(text, true, self.0);
    }
}

/// Appends `text` with `\` as `\\`, a line feed as `\n` and, when `quotes`, `"` as `\"`.
///
/// Everything else is left as it is (LAB-09). Text without these characters is appended in one piece.
pub(crate) fn escape_into(text: &str, quotes: bool, out: &mut impl Sink) {
    let is_special = |byte: u8| matches!(byte, b'\\' | b'\n') | (quotes & (byte == b'"'));
    // Most text has none. Asked without stopping at the first, that is a matter of sixteen bytes at a time.
    if !text.bytes().fold(false, |any, byte| any | is_special(byte)) {
        return out.put(text);
    }
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_special) {
        let (plain, special) = rest.split_at(at);
        let (special, after) = special.split_at(1);
        out.put(plain);
        out.put("\\");
        out.put(if special == "\n" { "n" } else { special });
        rest = after;
    }
    out.put(rest);
}
