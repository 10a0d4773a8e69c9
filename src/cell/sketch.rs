//! Sketches: how many observations fell near which value, to one per cent, over the whole range of an `f64`.
//!
//! # Shape
//! The values between two powers of two are one **magnitude**, cut into 36 **parts**; a magnitude has a cell of its own, which is made
//! when the first value falls in it. Where a part begins is a multiple of 1/1024 of the magnitude, chosen so that no value of a part
//! differs by more than 0.99 % from the part's middle. So exponent and top ten mantissa bits name the part by one look into a table of
//! a kilobyte: no logarithm, no search. Subnormal values below 1024 steps, zero among them, have a part for each value.
//!
//! A cell is `[bank[0], bank[1]]`, a word a part. Windows take turns with the banks; see `instrument::sketch`. A series has a **head** in
//! every slab that it was written in, `[word, sum[0], sum[1], count, turn, least, greatest, recent[0..16]]`: an undo cell of one bucket and
//! what only the writer looks at, namely which values its extremes of this window cover, and the slots of the magnitudes that it used last.
//! # Ordering
//! A word only grows, and each reading of it is subtracted from the next one: so coherence alone puts every observation in exactly one
//! reading. An addition is Release and a reading Acquire: who counts an observation also sees the extremes that were stored before it.
//! What only the writer looks at is Relaxed: the slab is handed from one owner to the next (A2).
//! # Progress and cost
//! Wait-free: a load and a store. 8 bytes a part and bank: 576 a magnitude.

use super::{recent, undo};
use crate::{
    arena::{Arena, OwnedCell, Slot},
    sync::{Ordering, mutant},
};

/// Places where a part may begin in its magnitude.
const GRID: usize = 1 << GRID_BITS;
const GRID_BITS: u32 = 10;

const MANTISSA_BITS: u32 = 52;
const SIGN: u64 = 1 << 63;

/// How far a value may be from the middle of its part, in ten-thousandths. A model makes do with coarse parts, each of whose words loom
/// has to follow.
const ERROR: usize = if cfg!(manometer_loom) { 2500 } else { 99 };

/// Parts of one magnitude.
pub const PARTS: usize = if cfg!(manometer_loom) { 2 } else { 36 };

/// Words of a cell.
pub const WIDTH: usize = 2 * PARTS;

/// Words of a head.
pub const HEAD_WIDTH: usize = RECENT + WAYS;

/// The words that say what the writer's extremes cover: of which turn, plus one, then the least and the greatest value as bits.
const COVERED: usize = undo::HEAD + 1;
const RECENT: usize = COVERED + 3;

/// How many magnitudes the writer remembers: as wide a range as observations of one kind mostly have, 65 536 to one. A model makes do with
/// one.
const WAYS: usize = if cfg!(manometer_loom) { 1 } else { 16 };

/// Where the parts begin, and where the last one ends, in steps of the grid behind the power of two.
const STARTS: [usize; PARTS + 1] = starts();

/// The part of each step of the grid.
static PART: [u8; GRID] = parts();

/// Subnormal values of fewer steps than this have a part for each.
const FEW_STEPS: u64 = 1024;

/// How many of them are put in one magnitude.
const STEPS: u64 = if cfg!(manometer_loom) { 2 } else { 32 };

/// The magnitudes of few steps come first, then those of the other subnormal values, then one for each exponent.
const SUBNORMAL: usize = (FEW_STEPS / STEPS) as usize;
const NORMAL: usize = SUBNORMAL + (MANTISSA_BITS - FEW_STEPS.ilog2()) as usize - 1;

/// All magnitudes there are.
pub const MAGNITUDES: usize = NORMAL + 0x7ff;

const fn starts() -> [usize; PARTS + 1] {
    let mut starts = [0; PARTS + 1];
    let mut part = 0;
    while part < PARTS {
        let lower = GRID + starts[part];
        let mut upper = lower + 1;
        // (upper - lower) / (upper + lower) is how far either end is from the middle.
        while upper < 2 * GRID && (upper + 1 - lower) * 10_000 <= ERROR * (upper + 1 + lower) {
            upper += 1;
        }
        part += 1;
        starts[part] = upper - GRID;
    }
    assert!(starts[PARTS] == GRID, "the parts cover the magnitude");
    starts
}

const fn parts() -> [u8; GRID] {
    let mut parts = [0; GRID];
    let mut step = 0;
    let mut part = 0;
    while step < GRID {
        if step == STARTS[part + 1] {
            part += 1;
        }
        parts[step] = part as u8;
        step += 1;
    }
    parts
}

/// A part of a magnitude. Places order like their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which magnitude, below [`MAGNITUDES`].
    pub magnitude: usize,
    /// Which part of it, below [`PARTS`].
    pub part: usize,
}

impl Place {
    /// Where `value`, which is finite and not negative, falls.
    #[inline(always)]
    pub fn of(value: f64) -> Self {
        // Both zeros are one value.
        let bits = value.to_bits() & !SIGN;
        match (bits >> MANTISSA_BITS) as usize {
            0 => Self::of_subnormal(bits),
            exponent => Self { magnitude: NORMAL + exponent, part: part(bits) },
        }
    }

    #[cold]
    fn of_subnormal(steps: u64) -> Self {
        if steps < FEW_STEPS {
            return Self { magnitude: (steps / STEPS) as usize, part: (steps % STEPS) as usize };
        }
        let power = steps.ilog2();
        let magnitude = SUBNORMAL + (power - FEW_STEPS.ilog2()) as usize;
        Self { magnitude, part: part(steps << (MANTISSA_BITS - power)) }
    }

    /// The value from which no value of this part differs by more than one per cent of itself.
    pub fn middle(self) -> f64 {
        if self.magnitude < SUBNORMAL {
            return f64::from_bits(self.magnitude as u64 * STEPS + self.part as u64);
        }
        let end = |step: usize| (GRID + step) as f64 / GRID as f64;
        let (lower, upper) = (end(STARTS[self.part]), end(STARTS[self.part + 1]));
        // From here both ends are equally far in proportion to themselves.
        let middle = 2.0 * lower * upper / (lower + upper);
        if self.magnitude <= NORMAL {
            let power = (self.magnitude - SUBNORMAL) as i32 + FEW_STEPS.ilog2() as i32;
            return f64::from_bits((middle * f64::powi(2.0, power)).round() as u64);
        }
        let mantissa = middle.to_bits() & ((1 << MANTISSA_BITS) - 1);
        f64::from_bits(((self.magnitude - NORMAL) as u64) << MANTISSA_BITS | mantissa)
    }
}

#[inline(always)]
fn part(bits: u64) -> usize {
    usize::from(PART[(bits >> (MANTISSA_BITS - GRID_BITS)) as usize % GRID])
}

/// The slot of a magnitude if the owner of this head used it lately.
#[inline(always)]
pub fn last(head: OwnedCell<'_>, magnitude: usize) -> Option<Slot> {
    recent::find::<WAYS>(head, RECENT, magnitude)
}

/// Remembers the slot of a magnitude.
pub fn remember(head: OwnedCell<'_>, magnitude: usize, slot: Slot) {
    recent::remember::<WAYS>(head, RECENT, magnitude, slot);
}

/// Whether extremes that were handed in from this slab in this turn cover the value of these `bits`.
#[inline(always)]
pub fn covers(head: OwnedCell<'_>, turn: u64, bits: u64) -> bool {
    let same_turn = mutant!("covered_for_ever", head.own(COVERED) == turn + 1, head.own(COVERED) != 0);
    same_turn && head.own(COVERED + 1) <= bits && bits <= head.own(COVERED + 2)
}

/// Notes that the value of these `bits` was handed in as an extreme in this turn.
pub fn cover(head: OwnedCell<'_>, turn: u64, bits: u64) {
    let (mut least, mut greatest) = (bits, bits);
    if head.own(COVERED) == turn + 1 {
        least = least.min(head.own(COVERED + 1));
        greatest = greatest.max(head.own(COVERED + 2));
    }
    for (index, word) in [turn + 1, least, greatest].into_iter().enumerate() {
        // Relaxed: only owners of the slab look here, and it is handed from one to the next (A2).
        head.put(COVERED + index, word, Ordering::Relaxed);
    }
}

/// Counts an observation of `value` in its head: how many, and their sum.
#[inline(always)]
pub fn count(head: OwnedCell<'_>, value: f64) {
    undo::write(head, 0, 0, value, 1);
}

/// Counts one more in `part` of a bank.
#[inline(always)]
pub fn add(cell: OwnedCell<'_>, bank: usize, part: usize) {
    let index = bank * PARTS + part;
    // Release: pairs with Acquire in `read`; who counts this sees the extremes stored before.
    let order = mutant!("sketch_add_relaxed", Ordering::Release, Ordering::Relaxed);
    cell.put(index, cell.own(index).wrapping_add(1), order);
}

/// What all slabs have counted in a bank of the magnitude at `slot`, ever.
pub fn read(arena: &Arena, slot: Slot, bank: usize) -> [u64; PARTS] {
    let mut counts = [0u64; PARTS];
    for cell in arena.cells(slot) {
        for (part, count) in counts.iter_mut().enumerate() {
            // Acquire: pairs with Release in `add`.
            let order = mutant!("sketch_read_relaxed", Ordering::Acquire, Ordering::Relaxed);
            *count = count.wrapping_add(cell.load(bank * PARTS + part, order));
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends of parts and magnitudes, with their neighbours, and values in between, over the whole range.
    fn probes() -> impl Iterator<Item = f64> {
        let powers = (0..64u64)
            .map(|power| f64::from_bits(1 << power.min(62)))
            .chain((1..0x7ff).map(|e| f64::from_bits(e << 52)));
        let within = |power: f64| (0..256).map(move |step| power * (1.0 + f64::from(step) / 256.0));
        let near = |value: f64| [value.next_down(), value, value.next_up()];
        (0..3000)
            .map(f64::from_bits)
            .chain(powers.flat_map(within).flat_map(near))
            .filter(|v| v.is_finite() && *v >= 0.0)
    }

    #[test]
    fn sum_03_the_middle_of_a_part_is_within_one_per_cent_of_its_values() {
        let mut count = 0;
        for value in probes() {
            let place = Place::of(value);
            assert!(place.magnitude < MAGNITUDES && place.part < PARTS, "{value:e} is at {place:?}");
            let error = (place.middle() - value).abs();
            assert!(error <= value * 0.01, "{value:e} is shown as {:e}", place.middle());
            assert_eq!(Place::of(place.middle()), place, "the middle of {value:e}'s part");
            count += 1;
        }
        assert!(count > 1_000_000);
        assert_eq!(Place::of(0.0).middle().to_bits(), 0);
        assert_eq!(Place::of(-0.0), Place::of(0.0));
        assert_eq!(Place::of(f64::MAX).magnitude, MAGNITUDES - 1);
    }

    #[test]
    fn places_order_like_their_values() {
        let mut values: Vec<f64> = probes().collect();
        values.sort_by(f64::total_cmp);
        assert!(values.windows(2).all(|pair| Place::of(pair[0]) <= Place::of(pair[1])));
    }
}
