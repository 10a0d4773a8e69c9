//! What the writer of a histogram's cell does in a model, and how much of it a reader saw.

use std::sync::Arc;

use loom::thread::JoinHandle;
use manometer::{
    arena::{Arena, CellRef, OwnedCell},
    cell::{flip, undo},
};

use crate::{CELL, arena_with, spawn};

/// Buckets of the cells in the models.
pub const BUCKETS: usize = 2;

/// So many observations of one value.
#[derive(Clone, Copy)]
pub struct Operation {
    bucket: usize,
    value: f64,
    times: u64,
}

/// Three operations; a prefix is known by its buckets, and by its sum.
pub const PLAN: [Operation; 3] = [
    Operation { bucket: 0, value: 1.0, times: 1 },
    Operation { bucket: 1, value: 10.0, times: 1 },
    Operation { bucket: 0, value: 2.0, times: 1 },
];

/// Two operations that count more than once.
pub const WEIGHTED: [Operation; 2] =
    [Operation { bucket: 0, value: 1.0, times: 2 }, Operation { bucket: 1, value: 10.0, times: 3 }];

/// Executes `plan` in an undo cell.
pub fn execute(plan: &[Operation], cell: OwnedCell<'_>) {
    for &Operation { bucket, value, times } in plan {
        undo::write(cell, 0, bucket, value, times);
    }
}

/// Executes `plan` in a wide cell.
pub fn execute_wide(plan: &[Operation], cell: OwnedCell<'_>) {
    for &Operation { bucket, value, times } in plan {
        flip::write(cell, BUCKETS, bucket, value, times);
    }
}

/// An arena with one slab, and a thread that does `act` in its cell.
pub fn with_writer(act: impl FnOnce(OwnedCell<'_>) + 'static) -> (Arc<Arena>, JoinHandle<()>) {
    let arena = arena_with(1);
    let writer = spawn({
        let arena = arena.clone();
        move || {
            let owner = arena.adopt().unwrap();
            act(owner.cell_or_new(CELL));
            owner.release();
        }
    });
    (arena, writer)
}

/// The one cell of such an arena, as readers see it.
pub fn the_cell(arena: &Arena) -> CellRef<'_> {
    arena.cells(CELL).next().unwrap()
}

/// After how many operations of `plan` a cell holds these buckets and this sum; fails if after none.
pub fn progress(plan: &[Operation], buckets: [u64; BUCKETS], sum: f64) -> usize {
    let mut state = ([0; BUCKETS], 0.0);
    let later = plan.iter().map(|operation| {
        state.0[operation.bucket] += operation.times;
        state.1 += operation.value * operation.times as f64;
        state
    });
    let mut states = [([0; BUCKETS], 0.0)].into_iter().chain(later);
    states.position(|state| state == (buckets, sum)).unwrap_or_else(|| panic!("torn: {buckets:?}, sum {sum}"))
}
