//! The wire format of protocol buffers, as far as the messages here need it: varints, doubles, and fields behind their length.
//!
//! A message is described once and that description runs twice: into a [`Length`], which only counts, and into the bytes of a page. Only
//! what is not in memory as a whole when its length is due must be counted, and that is a family; the length of all within it is
//! patched in behind its content.

/// The wire types of a field's tag.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const DELIMITED: u64 = 2;

/// Where fields go.
pub(super) trait Wire: Sized {
    /// Takes bytes as they are.
    fn put_bytes(&mut self, bytes: &[u8]);

    /// Takes a number of one to ten bytes, seven bits in each, the lowest first.
    fn put_varint(&mut self, value: u64);

    /// Takes a field whose content is what `write` writes: a message, or a text in several parts.
    fn delimited(&mut self, field: u32, write: impl FnOnce(&mut Self));

    /// Takes a field that is an unsigned number or a word of an enumeration.
    #[inline]
    fn varint(&mut self, field: u32, value: u64) {
        self.put_varint(tag(field, VARINT));
        self.put_varint(value);
    }

    /// Takes a field that is a signed number: near zero it is short, on either side.
    #[inline]
    fn signed(&mut self, field: u32, value: i64) {
        self.varint(field, (value << 1 ^ value >> 63) as u64);
    }

    /// Takes a field that is a double.
    #[inline]
    fn double(&mut self, field: u32, value: f64) {
        self.put_varint(tag(field, EIGHT_BYTES));
        self.put_bytes(&value.to_le_bytes());
    }

    /// Takes a field that is a text.
    #[inline]
    fn text(&mut self, field: u32, text: &str) {
        self.put_varint(tag(field, DELIMITED));
        self.put_varint(text.len() as u64);
        self.put_bytes(text.as_bytes());
    }
}

/// How many bytes were given to it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Length(pub(super) usize);

impl Wire for Length {
    #[inline]
    fn put_bytes(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    #[inline]
    fn put_varint(&mut self, value: u64) {
        self.0 += varint_bytes(value);
    }

    #[inline]
    fn delimited(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let start = self.0;
        write(self);
        self.0 += varint_bytes(tag(field, DELIMITED)) + varint_bytes((self.0 - start) as u64);
    }
}

impl Wire for Vec<u8> {
    #[inline]
    fn put_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn put_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    /// The length gets one byte, and content that is too long for that moves on by those that are missing.
    #[inline]
    fn delimited(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.put_varint(tag(field, DELIMITED));
        self.push(0);
        let start = self.len();
        write(self);
        let length = self.len() - start;
        if length < 0x80 {
            self[start - 1] = length as u8;
        } else {
            make_room_for_length(self, start, length);
        }
    }
}

/// Puts a `length` of more than a byte before the content from `start` on, where it has one byte yet.
fn make_room_for_length(out: &mut Vec<u8>, start: usize, length: usize) {
    let bytes = varint_bytes(length as u64);
    out.resize(out.len() + bytes - 1, 0);
    out.copy_within(start..start + length, start + bytes - 1);
    for (position, byte) in out[start - 1..][..bytes].iter_mut().enumerate() {
        let more = if position + 1 < bytes { 0x80 } else { 0 };
        *byte = (length >> (7 * position)) as u8 & 0x7f | more;
    }
}

/// What stands before a field's value.
#[inline]
const fn tag(field: u32, wire_type: u64) -> u64 {
    (field as u64) << 3 | wire_type
}

/// How many bytes a varint has: one per seven bits, and one for zero.
#[inline]
const fn varint_bytes(value: u64) -> usize {
    (64 - (value | 1).leading_zeros()).div_ceil(7) as usize
}
