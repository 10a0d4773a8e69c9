//! Which slots are whose: blocks for families, and in them cells for series.
//!
//! The process hands out **blocks**: runs of a power of two of slots inside one chunk. A family keeps a **pool** of them and cuts
//! them into cells of its own width, so that its series lie together and one pass over a block sums them all (A5). Its first block
//! is small, each further one twice as large, up to a chunk. Blocks come back when the family is dropped.
//!
//! # Limits
//! 2^25 slots in a process, which is as many counters, or two million histograms of eleven buckets.

use super::{Arena, Slot};
use crate::sync::{CHUNK_SLOTS, DIRECTORY, Ordering, fence, mutant};

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
    /// All slots free, but those of the first chunk and of the last: [`Slot::NOWHERE`] and [`Slot::BESIDE`] are there.
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
            None if self.fresh < DIRECTORY.min(Slot::BESIDE.chunk()) => {
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

/// Every slot of a pool, summed over all slabs by [`SlotPool::sum`].
#[derive(Debug, Default)]
pub struct Sums {
    /// The lowest chunk of the pool.
    first: usize,
    /// Where the words of each chunk from that one on begin, if the pool has slots in it.
    starts: Vec<usize>,
    words: Vec<u64>,
}

impl Sums {
    /// The sum at `slot`, which is one of the pool's.
    #[inline]
    pub fn of(&self, slot: Slot) -> u64 {
        self.words[self.starts[slot.chunk() - self.first] + slot.offset()]
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
        mutant!("cell_given_twice", self.fresh -= 1, ());
        Some(block.slot.plus(taken * self.width))
    }

    /// Takes a cell back and zeroes it everywhere. The caller has made sure that nobody can write there (A4).
    pub fn give(&mut self, slot: Slot, arena: &Arena) {
        mutant!("no_zero", arena.zero(slot, self.width), ());
        self.free.push(slot);
    }

    /// Sums every slot of the pool over all slabs, into `sums` and its memory.
    ///
    /// False if some word is so large that a sum of them might wrap; then each slot must be read for itself.
    pub fn sum(&self, arena: &Arena, sums: &mut Sums) -> bool {
        let chunks = || self.blocks.iter().map(|block| block.slot.chunk());
        let (first, last) = (chunks().min().unwrap_or(0), chunks().max().unwrap_or(0));
        sums.first = first;
        sums.starts.clear();
        sums.starts.resize(last - first + 1, usize::MAX);
        sums.words.clear();
        let mut bits = 0;
        for block in &self.blocks {
            let start = &mut sums.starts[block.slot.chunk() - first];
            if *start == usize::MAX {
                *start = sums.words.len();
                sums.words.resize(*start + CHUNK_SLOTS, 0);
            }
            let from = *start + block.slot.offset();
            // Only the block itself: the rest of its chunk belongs to others, whose words may be floats.
            for chunk in arena.slabs().filter_map(|slab| slab.chunk(block.slot.chunk())) {
                bits |= chunk.sum_into(block.slot.offset(), &mut sums.words[from..from + block.len()]);
            }
        }
        // Acquire: pairs with the fences in `cell::count::add` and `Slab::try_take`, as the loads of `cell::count::total` do.
        if mutant!("sum_no_fence", true, false) {
            fence(Ordering::Acquire);
        }
        bits < SUMMABLE
    }

    /// Gives every block back. The caller has made sure that nobody can write there (A4).
    pub fn dissolve(&mut self, arena: &Arena) {
        for block in self.blocks.drain(..) {
            arena.zero(block.slot, block.len());
            arena.slots().lock().give(block);
        }
    }
}
