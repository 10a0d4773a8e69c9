//! What the machine takes for the least that could be done: no library can be faster, and the ratio to it says how near one is.

use std::{
    cell::Cell,
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
};

use crossbeam_utils::CachePadded;

use super::{
    page::told as told_page,
    record::{repeat, told},
};
use crate::{
    clock::{spent_per_op, thread_cpu_ns},
    roll::{PageSide, Side},
};

/// A word of this thread's own, without atomics.
pub fn thread_local_cell() -> Side {
    thread_local! {
        static WORD: Cell<u64> = const { Cell::new(0) };
    }
    Box::new(|threads, ops| {
        told(spent_per_op(threads, ops, |_, ops| {
            for _ in 0..ops {
                // The compiler would add all at once; it is to store each time, as an atomic is stored.
                WORD.with(|word| black_box(word).set(word.get() + 1));
            }
        }))
    })
}

/// One word that all threads add to: contended, if there is more than one thread.
pub fn shared_fetch_add() -> Side {
    let word = CachePadded::new(AtomicU64::new(0));
    Box::new(move |threads, ops| {
        told(spent_per_op(threads, ops, |_, ops| {
            repeat(ops, &word, |word| _ = word.fetch_add(1, Ordering::Relaxed));
        }))
    })
}

/// A word for each thread, added to with a locked instruction: what striping costs at the least.
pub fn own_fetch_add() -> Side {
    let words: [CachePadded<AtomicU64>; 64] = [const { CachePadded::new(AtomicU64::new(0)) }; 64];
    Box::new(move |threads, ops| {
        told(spent_per_op(threads, ops, |index, ops| {
            repeat(ops, &words[index], |word| _ = word.fetch_add(1, Ordering::Relaxed));
        }))
    })
}

/// Copies a page that was rendered before.
pub fn copy(page: Vec<u8>) -> PageSide {
    let mut out = Vec::new();
    Box::new(move || {
        let before = thread_cpu_ns();
        out.clear();
        out.extend_from_slice(black_box(&page));
        black_box(&out);
        told_page(thread_cpu_ns() - before, 0, out.len())
    })
}

/// Copies the constant part of each line and formats its value behind it: what rendering counters costs at the least, where all text is
/// there beforehand, end to end, and all values lie in one array.
pub fn copy_and_format(page: &[u8]) -> PageSide {
    let text = std::str::from_utf8(page).expect("pages are text");
    let (mut prefixes, mut ends, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (prefix, value) = line.rsplit_once(' ').expect("a sample has a value");
        prefixes.extend_from_slice(prefix.as_bytes());
        prefixes.push(b' ');
        ends.push(prefixes.len());
        values.push(value.parse::<u64>().expect("counters are whole"));
    }
    let mut out = Vec::new();
    Box::new(move || {
        let before = thread_cpu_ns();
        out.clear();
        let (mut number, mut from) = (itoa::Buffer::new(), 0);
        for (&end, &value) in ends.iter().zip(black_box(&values)) {
            out.extend_from_slice(&prefixes[from..end]);
            out.extend_from_slice(number.format(value).as_bytes());
            out.push(b'\n');
            from = end;
        }
        black_box(&out);
        told_page(thread_cpu_ns() - before, 0, out.len())
    })
}
