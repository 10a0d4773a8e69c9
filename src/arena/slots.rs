//! Which slots are whose: blocks for families, and in them cells for series.
//!
//! The process hands out **blocks**: runs of a power of two of slots inside one chunk. A family keeps a **pool** of them and cuts
//! them into cells of its own width, so that its series lie together and one pass over a block sums them all (A5). Its first block
//! is small, each further one twice as large, up to a chunk. Blocks come back when the family is dropped.
//!
//! # Limits
//! 2^25 slots in a process, which is as many counters, or two million histograms of eleven buckets.

use super::{Arena, Slot};
use crate::sync::{CHUNK_SLOTS, DIRECTORY};

/// Block sizes are 2^0 to 2^9 slots: up to a chunk.
const SIZES: usize = CHUNK_SLOTS.ilog2() as usize + 1;

/// How many cells the first block of a labelled family holds.
const FIRST_CELLS: usize = 4;

/// Words below this can be summed over 2^16 slabs without a wrap.
const SUMMABLE: u64 = 1 << 48;

/// The free blocks of the process.
#[derive(Debug)]
pub struct Slots {
    /// The first chunk that no block was cut from.
    fresh: usize,
    /// Free blocks by the logarithm of their size.
    free: [Vec<Slot>; SIZES],
}

/// A run of 2^`size` slots in one chunk.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Its first slot.
    slot: Slot,
    size: u8,
}

impl Block {
    /// How many slots it has.
    fn len(self) -> usize {
        1 << self.size
    }
}

impl Slots {
    /// All slots free, but those of the first chunk: [`Slot::NOWHERE`] is there.
    pub const fn new() -> Self {
        Self { fresh: 1, free: [const { Vec::new() }; SIZES] }
    }

    /// A block of 2^`size` slots: a free one, half of a larger free one, or a fresh chunk. None if the process has no slot left.
    fn take(&mut self, size: usize) -> Option<Block> {
        let slot = match self.free[size].pop() {
            Some(slot) => slot,
            None if size + 1 < SIZES => {
                let larger = self.take(size + 1)?;
                self.free[size].push(larger.slot.plus(1 << size));
                larger.slot
            }
            None if self.fresh < DIRECTORY => {
                self.fresh += 1;
                Slot::new((self.fresh - 1) as u16, 0)
            }
            None => return None,
        };
        Some(Block { slot, size: size as u8 })
    }

    /// Takes a block back. Halves are not joined again: families of one shape reuse each other's blocks as they are.
    fn give(&mut self, block: Block) {
        self.free[block.size as usize].push(block.slot);
    }
}

/// The words of a pool, each summed over all slabs, in memory that is kept between sums.
#[derive(Debug, Default)]
pub struct Sums {
    words: Vec<u64>,
    /// Where in `words` each chunk begins, by its number; [`NO_PLACE`](Self::NO_PLACE) for those that the pool has no block in.
    places: Vec<usize>,
}

impl Sums {
    const NO_PLACE: usize = usize::MAX;

    /// The sum at `slot`, which is one of the pool's.
    #[inline]
    pub fn of(&self, slot: Slot) -> u64 {
        self.words[self.places[slot.chunk()] + slot.offset()]
    }

    fn clear(&mut self) {
        self.words.clear();
        self.places.clear();
    }

    /// The zeros, or what was summed so far, from `slot` on to the end of its chunk.
    fn rest_of_chunk(&mut self, slot: Slot) -> &mut [u64] {
        if self.places.len() <= slot.chunk() {
            self.places.resize(slot.chunk() + 1, Self::NO_PLACE);
        }
        let place = &mut self.places[slot.chunk()];
        if *place == Self::NO_PLACE {
            *place = self.words.len();
            self.words.resize(*place + CHUNK_SLOTS, 0);
        }
        &mut self.words[*place..][slot.offset()..CHUNK_SLOTS]
    }
}

/// The slots of one family.
#[derive(Debug)]
pub struct SlotPool {
    /// Slots of one cell.
    width: usize,
    /// The size of the next block.
    next_size: usize,
    /// How many cells of the last block were never handed out.
    fresh: usize,
    /// Cells that came back and were zeroed.
    free: Vec<Slot>,
    blocks: Vec<Block>,
}

impl SlotPool {
    /// A pool without slots for cells of `width` words, at most a chunk; `alone` if there will be only one.
    pub fn new(width: usize, alone: bool) -> Self {
        debug_assert!((1..=CHUNK_SLOTS).contains(&width), "a cell lies in one chunk (A5)");
        let first = if alone { width } else { FIRST_CELLS * width };
        let next_size = (first.next_power_of_two().ilog2() as usize).min(SIZES - 1);
        Self { width, next_size, fresh: 0, free: Vec::new(), blocks: Vec::new() }
    }

    /// A zeroed cell; None if the process has no slot left.
    pub fn take(&mut self, arena: &Arena) -> Option<Slot> {
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        if self.fresh == 0 {
            let block = arena.slots().lock().take(self.next_size)?;
            self.next_size = (self.next_size + 1).min(SIZES - 1);
            self.fresh = block.len() / self.width;
            self.blocks.push(block);
        }
        let block = self.blocks[self.blocks.len() - 1];
        let taken = block.len() / self.width - self.fresh;
        self.fresh -= 1;
        Some(block.slot.plus(taken * self.width))
    }

    /// Takes a cell back and zeroes it everywhere. The caller has made sure that nobody can write there (A4).
    pub fn give(&mut self, slot: Slot, arena: &Arena) {
        arena.zero(slot, self.width);
        self.free.push(slot);
    }

    /// Whether the next cell needs a new block.
    pub fn is_dry(&self) -> bool {
        self.free.is_empty() && self.fresh == 0
    }

    /// Overwrites `sums` with every slot of the pool, summed over all slabs.
    ///
    /// False if some word is so large that a sum of them might have wrapped; then each slot must be read for itself.
    pub fn sum_blocks(&self, arena: &Arena, sums: &mut Sums) -> bool {
        sums.clear();
        let mut largest = 0;
        for block in &self.blocks {
            let words = &mut sums.rest_of_chunk(block.slot)[..block.len()];
            for chunk in arena.slabs().filter_map(|slab| slab.chunk(block.slot.chunk())) {
                largest |= chunk.sum_into(block.slot.offset(), words);
            }
        }
        largest < SUMMABLE
    }

    /// Gives every block back. The caller has made sure that nobody can write there (A4).
    pub fn dissolve(&mut self, arena: &Arena) {
        for block in self.blocks.drain(..) {
            arena.zero(block.slot, block.len());
            arena.slots().lock().give(block);
        }
    }
}
