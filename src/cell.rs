//! What is written in a cell, and how it is read whole: counts, levels, undo cells, wide cells, sketches, native buckets with what cuts
//! them, the slots that a writer remembers, and the search for a bucket.
//!
//! A cell is the words of one series in one slab. Its owner writes it with plain loads and stores; readers merge the cells of all
//! slabs. Every cell is valid and empty when all its words are zero, so a fresh chunk needs no preparation.

pub mod count;
pub mod cuts;
pub mod flip;
pub mod native;
pub mod recent;
pub mod search;
pub mod sketch;
pub mod sum;
pub mod undo;
