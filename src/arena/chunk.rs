//! A chunk of dense slots, and the two ways to look at a cell in it: as its owner, and as anybody else.
//!
//! # Shape
//! `CHUNK_SLOTS` words of 8 bytes, aligned so that a chunk shares no pair of cache lines with anything.
//! A cell is `width` adjacent words from its slot on; it never crosses the chunk (A5).

use std::marker::PhantomData;

use crate::sync::{CHUNK_SLOTS, Ordering, OwnedU64};

/// The memory of `CHUNK_SLOTS` slots in one slab.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Chunk {
    words: [OwnedU64; CHUNK_SLOTS],
}

impl Chunk {
    /// A chunk of zeros: every cell in it is valid and empty.
    pub fn new() -> Box<Self> {
        Box::new(Self { words: std::array::from_fn(|_| OwnedU64::new(0)) })
    }

    /// Adds the `sums.len()` words from `offset` on to `sums`; returns the union of their bits.
    pub fn sum_into(&self, offset: usize, sums: &mut [u64]) -> u64 {
        sums.iter_mut().zip(&self.words[offset..]).fold(0, |bits, (sum, word)| {
            // Relaxed: each word is a total of its own, and the values of one word are ordered by coherence alone.
            let value = word.load(Ordering::Relaxed);
            *sum = sum.wrapping_add(value);
            bits | value
        })
    }
}

/// Where a cell begins: the same place in every slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    chunk: u16,
    offset: u16,
}

impl Slot {
    /// A cell that nobody has: no block is cut from the first chunk, and no record makes it. It reads as zeros.
    pub const NOWHERE: Self = Self { chunk: 0, offset: 0 };

    /// What a series has whose value lies in its tuple, beside all cells, and a handle that has to go the long way to its cell. No block is
    /// cut from this chunk either, so no thread ever finds a cell here.
    pub const BESIDE: Self = Self { chunk: u16::MAX, offset: 0 };

    /// The slot `offset` of chunk number `chunk`.
    pub fn new(chunk: u16, offset: usize) -> Self {
        debug_assert!(offset < CHUNK_SLOTS, "a slot lies in its chunk");
        Self { chunk, offset: offset as u16 }
    }

    /// The same as one number, which is 0 for no cell that anybody has.
    pub fn to_bits(self) -> u32 {
        u32::from(self.chunk) << 16 | u32::from(self.offset)
    }

    /// The slot that [`to_bits`](Self::to_bits) wrote.
    #[inline(always)]
    pub const fn from_bits(bits: u32) -> Self {
        Self { chunk: (bits >> 16) as u16, offset: bits as u16 % CHUNK_SLOTS as u16 }
    }

    /// Whether this is [`NOWHERE`](Self::NOWHERE), by its chunk, which a record needs anyway.
    #[inline(always)]
    pub fn is_nowhere(self) -> bool {
        self.chunk == Self::NOWHERE.chunk
    }

    /// The slot `words` further on in the same chunk.
    pub fn plus(self, words: usize) -> Self {
        Self::new(self.chunk, self.offset as usize + words)
    }

    /// The number of its chunk.
    #[inline(always)]
    pub fn chunk(self) -> usize {
        self.chunk as usize
    }

    /// Its place in the chunk.
    #[inline(always)]
    pub fn offset(self) -> usize {
        self.offset as usize
    }
}

/// A cell as anybody may read it.
#[derive(Clone, Copy, Debug)]
pub struct CellRef<'a> {
    /// From the first word of the cell to the end of its chunk. Never empty.
    words: &'a [OwnedU64],
}

impl<'a> CellRef<'a> {
    #[inline(always)]
    pub(super) fn new(chunk: &'a Chunk, slot: Slot) -> Self {
        debug_assert!(slot.offset() < CHUNK_SLOTS, "a slot lies in its chunk");
        #[allow(unsafe_code, reason = "a check on every record for what a slot is made to be")]
        // SAFETY: a slot's offset is below `CHUNK_SLOTS`, the length of `words`: blocks are cut so (A5).
        let words = unsafe { chunk.words.get_unchecked(slot.offset()..) };
        Self { words }
    }

    /// The word `index` of the cell.
    #[inline(always)]
    pub fn load(self, index: usize, order: Ordering) -> u64 {
        self.word(index).load(order)
    }

    /// The same chunk, `words` further on.
    pub fn plus(self, words: usize) -> Self {
        Self { words: &self.words[words..] }
    }

    /// The bank selector of a wide cell as its one writer, the reader that holds the ledger, left it (A1).
    pub fn selector(self) -> u64 {
        self.word(0).own()
    }

    /// Moves the bank selector of a wide cell; only a reader that holds the ledger may (A1).
    pub fn select(self, epoch: u64) {
        // Relaxed: the selector hands nothing over. The writer's own word acknowledges what it saw.
        self.word(0).put(epoch, Ordering::Relaxed);
    }

    /// Zeroes the first `width` words, when nobody can write there (A4).
    pub(super) fn zero(self, width: usize) {
        for index in 0..width {
            // Relaxed: whoever gets this slot next got it through a lock, which hands the zeros over.
            self.word(index).put(0, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn word(self, index: usize) -> &'a OwnedU64 {
        debug_assert!(index < self.words.len(), "a cell does not cross its chunk (A5)");
        #[allow(unsafe_code, reason = "four checks would cost an observation as much as its four stores")]
        // SAFETY: a cell of its family's width lies in one chunk (A5), and `index` is below that width: a constant of the cell's
        // kind, or such a constant and a bucket or a part. Buckets come from the family's own `Search`, which the width was made
        // from; parts from the one table of sketches, whose entries are below `PARTS`; places in a group of native buckets, and among
        // those remembered, are taken modulo their number.
        unsafe {
            self.words.get_unchecked(index)
        }
    }
}

/// A cell as its owner sees it. It cannot leave the thread that may write it.
#[derive(Clone, Copy, Debug)]
pub struct OwnedCell<'a> {
    cell: CellRef<'a>,
    here: PhantomData<*const ()>,
}

impl<'a> OwnedCell<'a> {
    /// The caller is the owner of the slab that `cell` lies in; only [`Owner`](super::Owner) can say so.
    #[inline(always)]
    pub(super) fn new(cell: CellRef<'a>) -> Self {
        Self { cell, here: PhantomData }
    }

    /// The word `index` as this owner left it.
    #[inline(always)]
    pub fn own(self, index: usize) -> u64 {
        self.cell.word(index).own()
    }

    /// Stores the next value of the word `index`.
    #[inline(always)]
    pub fn put(self, index: usize, value: u64, order: Ordering) {
        self.cell.word(index).put(value, order);
    }

    /// The cell as its readers see it, for the words that somebody else writes.
    #[inline(always)]
    pub fn as_reader(self) -> CellRef<'a> {
        self.cell
    }
}
