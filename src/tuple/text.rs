//! Label values as a few words: how they are compared, and how they are hashed.
//!
//! # Algorithm
//! A value of up to 16 bytes is its first and its last word, which may overlap; with the length, they say it all. A longer one is
//! its blocks of 16 bytes, the last of which may overlap the one before. For a hash, each 16 bytes are folded into the state by
//! one multiplication to 128 bits whose halves are combined, and the length turns the state: the construction of wyhash and
//! foldhash, with secrets of the family, so that who chooses label values cannot choose where they collide.

use std::hash::BuildHasher;

use crate::sync::HashSeed;

/// What turns label values into a hash, other in each family.
#[derive(Debug)]
pub struct LabelSeed {
    state: u64,
    key: u64,
    last: u64,
}

impl LabelSeed {
    /// The hash of `values`, one after the other; of other values it is almost always another one.
    #[inline(always)]
    pub fn hash<'a>(&self, values: impl Iterator<Item = &'a str>) -> u64 {
        fold(values.fold(self.state, |state, value| self.absorb(state, value.as_bytes())), self.last)
    }

    #[inline(always)]
    fn absorb(&self, state: u64, value: &[u8]) -> u64 {
        let state = state.rotate_right(value.len() as u32);
        match ends(value) {
            Some(ends) => self.mix(state, ends),
            None => self.absorb_blocks(state, value),
        }
    }

    /// Absorbs what has more than 16 bytes.
    #[inline(never)]
    fn absorb_blocks(&self, mut state: u64, value: &[u8]) -> u64 {
        let mut rest = value;
        while let Some((block, behind)) = rest.split_first_chunk::<16>().filter(|(_, behind)| !behind.is_empty()) {
            state = self.mix(state, halves(block));
            rest = behind;
        }
        value.last_chunk::<16>().map_or(state, |block| self.mix(state, halves(block)))
    }

    #[inline(always)]
    fn mix(&self, state: u64, (first, last): (u64, u64)) -> u64 {
        fold(first ^ state, last ^ self.key)
    }
}

impl Default for LabelSeed {
    fn default() -> Self {
        let seed = HashSeed::default();
        Self { state: seed.hash_one(0_u64), key: seed.hash_one(1_u64), last: seed.hash_one(2_u64) }
    }
}

/// Whether two texts of one length are the same.
#[inline(always)]
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    match a.len() {
        33.. => a == b,
        16.. => same_ends::<16>(a, b),
        8.. => same_ends::<8>(a, b),
        4.. => same_ends::<4>(a, b),
        2.. => same_ends::<2>(a, b),
        _ => a.first() == b.first(),
    }
}

/// Whether the first `N` and the last `N` bytes are the same.
#[inline(always)]
fn same_ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
    a.first_chunk::<N>() == b.first_chunk::<N>() && a.last_chunk::<N>() == b.last_chunk::<N>()
}

/// The first and the last word of what has up to 16 bytes.
#[inline(always)]
fn ends(text: &[u8]) -> Option<(u64, u64)> {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let half = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
    match text.len() {
        17.. => None,
        8.. => Some((text.first_chunk().map_or(0, word), text.last_chunk().map_or(0, word))),
        4.. => Some((text.first_chunk().map_or(0, half), text.last_chunk().map_or(0, half))),
        1.. => Some((text[0].into(), u64::from(text[text.len() / 2]) << 8 | u64::from(text[text.len() - 1]))),
        0 => Some((0, 0)),
    }
}

/// The two words of a block.
#[inline(always)]
fn halves(block: &[u8; 16]) -> (u64, u64) {
    let block = u128::from_le_bytes(*block);
    (block as u64, (block >> 64) as u64)
}

/// The halves of a product, combined.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(all(test, not(manometer_mocked)))]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Texts of every length up to some blocks, and each with one byte changed at every place.
    fn texts() -> Vec<Vec<u8>> {
        let plain: Vec<Vec<u8>> = (0..70).map(|len| (0..len).map(|at| b'a' + at as u8 % 26).collect()).collect();
        let changed = |text: &Vec<u8>| {
            let text = text.clone();
            (0..text.len()).map(move |at| {
                let mut other = text.clone();
                other[at] ^= 0x20;
                other
            })
        };
        let others: Vec<Vec<u8>> = plain.iter().flat_map(changed).collect();
        [plain, others].concat()
    }

    #[test]
    fn texts_are_the_same_if_every_byte_is() {
        let texts = texts();
        for a in &texts {
            for b in texts.iter().filter(|b| b.len() == a.len()) {
                assert_eq!(is_same(a, b), a == b, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn every_byte_every_length_and_every_border_is_in_the_hash() {
        let seed = LabelSeed::default();
        let texts: Vec<String> = texts().into_iter().map(|text| String::from_utf8(text).expect("ASCII")).collect();
        let repeated = (0..70).map(|len| "\0".repeat(len));
        let texts: HashSet<String> = texts.into_iter().chain(repeated).collect();
        let mut hashes: HashSet<u64> = texts.iter().map(|text| seed.hash([text.as_str()].into_iter())).collect();
        let splits = (0..=6).map(|at| "abcdef".split_at(at));
        hashes.extend(splits.map(|(first, second)| seed.hash([first, second].into_iter())));
        assert_eq!(hashes.len(), texts.len() + 7);
    }

    #[test]
    fn hashes_of_numbered_texts_spread_over_low_and_high_bits() {
        let seed = LabelSeed::default();
        let hash = |number: u32| seed.hash(["GET", &format!("/api/v1/tenants/{number:06}/items"), "200"].into_iter());
        let hashes: Vec<u64> = (0..1 << 16).map(hash).collect();
        for shift in [0, 16, 32, 48] {
            // Balls thrown at random into as many boxes leave 1/e of them empty: 24 109 of 65 536, give or take 100.
            let used: HashSet<u16> = hashes.iter().map(|hash| (hash >> shift) as u16).collect();
            let empty = (1 << 16) - used.len();
            assert!((23_500..24_700).contains(&empty), "{empty} empty boxes by the bits from {shift}");
        }
    }
}
