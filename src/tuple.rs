//! The interned label tuple of one series: one allocation, looked up by borrowed text.
//!
//! # Shape
//! ```text
//! refs slot hash state text_len beside keys live | span[0..keys] | bytes
//! ```
//! (In a family whose series expire, 8 bytes more lie in front: how many handles there are, and when one was last asked for.)
//! 32 bytes, 8 bytes a key, then the text form of the labels as every page prints it (`a="x",b="y"`). A span is where the value of
//! a key lies in `bytes`: inside the text when no value is empty or needed an escape, else behind it, where the values then
//! follow once more as they are. So the key of a look-up and the constant part of a line are one piece of memory.
//! # Ordering
//! The reference count is an `Arc`'s: taking Relaxed, giving Release, the last one loads Acquire. [`Tuple::is_sole`] is Acquire, so
//! that what the holder of a dropped handle wrote is before the reuse of its slot (A4).
//! # Limits
//! 255 keys and 2 GiB of text per tuple.

mod life;
mod marks;
mod query;
mod text;

use std::{
    alloc::{self, Layout},
    fmt,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::{self, NonNull},
    slice,
};

use crate::{
    arena::Slot,
    sync::{AtomicBool, AtomicF64, AtomicU16, AtomicU32, AtomicU64, Ordering, Watched, mutant},
};

use life::{LIFE_BYTES, Life, TRACKED};
pub use query::{LabelKey, Query};
pub use text::LabelSeed;
use text::is_same;

/// More references than this are a leak that would end in a wrap; as with `Arc`, the process stops first.
const MOST_REFS: u32 = u32::MAX / 2;

/// One series' labels, slot and state; cloning it shares them.
pub struct Tuple(NonNull<Head>);

#[derive(Debug)]
#[repr(C)]
struct Head {
    refs: AtomicU32,
    slot: Slot,
    hash: u64,
    /// A gauge's value, the states of a stateset as bits, or when the series began, in Unix milliseconds.
    state: AtomicF64,
    /// Its length, and whether there is a [`Life`] in front.
    text_len: u32,
    /// Of a counter, how often a word of it has wrapped; of what has no cell, that it was written (see `marks`).
    beside: AtomicU16,
    keys: u8,
    /// Whether the registry still exports it.
    live: AtomicBool,
    watched: Watched,
}

#[cfg(not(manometer_mocked))]
const _: () = assert!(size_of::<Head>() == 32);

/// Where a value lies in the bytes of its tuple.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Span {
    start: u32,
    len: u32,
}

#[allow(unsafe_code, reason = "a counted reference, like `Arc`, to one allocation of variable size")]
// SAFETY: what a tuple points to is immutable or atomic, and the count is atomic.
unsafe impl Send for Tuple {}
#[allow(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Sync for Tuple {}

// Nothing in a tuple can be half changed by a panic: it is immutable or one atomic word at a time.
impl UnwindSafe for Tuple {}
impl RefUnwindSafe for Tuple {}

impl Tuple {
    /// Makes the tuple of `query`, whose labels read `text` on a page, with `state` in the beginning.
    ///
    /// `keys` are the family's label keys as they stand in `text`, one for each value of `query`, and `text` is what `write_label_text`
    /// makes of both. None if there are more than 255, or it would not fit in 2 GiB.
    pub fn new(query: &Query<'_>, keys: &[Box<str>], text: &str, slot: Slot, state: f64) -> Option<Self> {
        Self::make(query, keys, text, slot, state, false)
    }

    /// The same for a family whose series expire: it counts its handles.
    pub fn tracked(query: &Query<'_>, keys: &[Box<str>], text: &str, slot: Slot, state: f64) -> Option<Self> {
        Self::make(query, keys, text, slot, state, true)
    }

    fn make(
        query: &Query<'_>,
        keys: &[Box<str>],
        text: &str,
        slot: Slot,
        state: f64,
        is_tracked: bool,
    ) -> Option<Self> {
        // A span that was not written, or one that cuts a character, would be undefined behaviour.
        assert_eq!(query.values().count(), keys.len(), "a value for each key");
        // An escape makes the text longer than its parts, and an empty value is not in it.
        let part = |(key, value): (usize, &str)| key + value.len() + r#"="","#.len();
        let parts: usize = keys.iter().map(|key| key.len()).zip(query.values()).map(part).sum();
        let plain = text.len() + ",".len() == parts && query.values().all(|value| !value.is_empty());
        let copies = if plain { 0 } else { query.values().map(str::len).sum() };
        let bytes = text.len() + copies;
        u32::try_from(bytes).ok().filter(|bytes| bytes & TRACKED == 0)?;
        let key_count = u8::try_from(keys.len()).ok()?;
        let head = Head {
            refs: AtomicU32::new(1),
            slot,
            hash: query.hash,
            state: AtomicF64::new(state),
            text_len: text.len() as u32 | if is_tracked { TRACKED } else { 0 },
            beside: AtomicU16::new(0),
            keys: key_count,
            live: AtomicBool::new(true),
            watched: Watched::new(),
        };
        let layout = layout(keys.len(), bytes, is_tracked);
        #[allow(unsafe_code, reason = "life, head, spans and bytes in one allocation")]
        // SAFETY: the layout is that of a life if it is tracked, a head, `keys` spans and `bytes` bytes in this order (see
        // `layout`), so every write below is inside the fresh allocation and aligned: the text and, behind it, the copies are `bytes`
        // long together. All of it is written before a reference is made: there is a value, and so a span, for each key (asserted).
        let this = unsafe {
            let Some(memory) = NonNull::new(alloc::alloc(layout)) else { alloc::handle_alloc_error(layout) };
            let this = if is_tracked {
                memory.cast::<Life>().write(Life { handles: AtomicU32::new(0), asked: AtomicU32::new(0) });
                memory.add(LIFE_BYTES).cast::<Head>()
            } else {
                memory.cast::<Head>()
            };
            this.write(head);
            let spans = this.add(1).cast::<Span>();
            let text_at = spans.add(keys.len()).cast::<u8>();
            ptr::copy_nonoverlapping(text.as_ptr(), text_at.as_ptr(), text.len());
            let mut at = if plain { 0 } else { text.len() };
            for (index, (key, value)) in keys.iter().zip(query.values()).enumerate() {
                if plain {
                    at += key.len() + r#"=""#.len();
                } else {
                    ptr::copy_nonoverlapping(value.as_ptr(), text_at.add(at).as_ptr(), value.len());
                }
                spans.add(index).write(Span { start: at as u32, len: value.len() as u32 });
                at += value.len() + if plain { r#"","#.len() } else { 0 };
            }
            Self(this)
        };
        debug_assert!(this.values().eq(query.values()), "the text is that of these labels");
        Some(this)
    }

    /// The slot of its cells.
    #[inline(always)]
    pub fn slot(&self) -> Slot {
        self.head().slot
    }

    /// The hash of its values.
    #[inline(always)]
    pub fn hash(&self) -> u64 {
        self.head().hash
    }

    /// A gauge's value, or the creation time of any other series in Unix milliseconds.
    #[inline(always)]
    pub fn state(&self) -> &AtomicF64 {
        &self.head().state
    }

    /// The same word as bits, for the states of a stateset.
    pub fn bits(&self) -> &AtomicU64 {
        self.head().state.as_atomic_bits()
    }

    /// The labels as a page prints them, without braces.
    pub fn text(&self) -> &str {
        self.piece(0, (self.head().text_len & !TRACKED) as usize)
    }

    /// The value of the key number `index`.
    pub fn value(&self, index: usize) -> &str {
        let span = self.spans()[index];
        self.piece(span.start as usize, span.len as usize)
    }

    /// All values in key order.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.spans().iter().map(|span| self.piece(span.start as usize, span.len as usize))
    }

    /// Whether its first values are `prefix`.
    pub fn starts_with(&self, prefix: &[Box<str>]) -> bool {
        self.spans().len() >= prefix.len() && self.values().zip(prefix).all(|(own, asked)| *own == **asked)
    }

    /// Whether these are the labels asked for.
    #[inline(always)]
    pub fn matches(&self, query: &Query<'_>) -> bool {
        self.hash() == query.hash && self.says(query)
    }

    #[inline(never)]
    fn says(&self, query: &Query<'_>) -> bool {
        let spans = self.spans();
        let Some((fixed, given)) = spans.split_at_checked(query.prefix.len()) else { return false };
        given.len() == query.values.len()
            && given.iter().zip(query.values).all(|(span, value)| self.is_at(*span, value))
            && fixed.iter().zip(query.prefix).all(|(span, value)| self.is_at(*span, value))
    }

    /// Whether the registry still exports this series.
    #[inline]
    pub fn is_live(&self) -> bool {
        // Relaxed: a look-up that follows begins with a fence, or takes a lock; see `detach`.
        self.head().live.load(Ordering::Relaxed)
    }

    /// Marks the series as no longer exported.
    pub fn detach(&self) {
        // Release: pairs with `is_live` and the fence of the pin after it; who sees the series gone, and looks it up again, finds
        // another, since it was unlinked before.
        self.head().live.store(false, mutant!("detach_relaxed", Ordering::Release, Ordering::Relaxed));
    }

    /// Whether this is the only reference left, so that nobody can write to its slot any more (A4).
    pub fn is_sole(&self) -> bool {
        // Acquire: pairs with Release in `drop`; what the last other holder wrote is before what follows.
        let order = mutant!("check_relaxed", Ordering::Acquire, Ordering::Relaxed);
        mutant!("no_ref_check", self.head().refs.load(order) == 1, true)
    }

    /// The address of the allocation, for the index.
    pub fn as_ptr(&self) -> *mut u8 {
        self.0.as_ptr().cast()
    }

    /// A tuple by its address, without a reference of its own.
    ///
    /// # Safety
    /// `address` is what [`as_ptr`](Self::as_ptr) gave, and some other reference lives at least as long as `'a`.
    #[allow(unsafe_code, reason = "the index holds addresses whose references the family's map owns")]
    #[inline(always)]
    pub unsafe fn borrow_raw<'a>(address: *mut u8) -> Borrowed<'a> {
        debug_assert!(!address.is_null(), "the index holds no null tuple");
        // SAFETY: the caller vouches for the address; it is not null, since it came from a `NonNull`.
        let head = unsafe { NonNull::new_unchecked(address.cast::<Head>()) };
        Borrowed(ManuallyDrop::new(Tuple(head)), PhantomData)
    }

    #[inline(always)]
    fn head(&self) -> &Head {
        #[allow(unsafe_code, reason = "a counted reference")]
        // SAFETY: the allocation lives as long as a reference to it, and its head was written by `make`.
        let head = unsafe { self.0.as_ref() };
        head.watched.used();
        head
    }

    #[inline(always)]
    fn spans(&self) -> &[Span] {
        #[allow(unsafe_code, reason = "the spans follow the head in one allocation")]
        // SAFETY: `make` wrote `keys` spans right behind the head; they are never changed.
        unsafe {
            slice::from_raw_parts(self.0.add(1).cast::<Span>().as_ptr(), usize::from(self.head().keys))
        }
    }

    #[inline(always)]
    fn is_at(&self, span: Span, value: &str) -> bool {
        span.len as usize == value.len()
            && is_same(self.piece(span.start as usize, span.len as usize).as_bytes(), value.as_bytes())
    }

    #[inline(always)]
    fn piece(&self, start: usize, len: usize) -> &str {
        #[allow(unsafe_code, reason = "the bytes follow the spans in one allocation")]
        // SAFETY: every span, and the text, was laid by `make` over bytes that it copied from one whole `str`, and they never change. A
        // value's own copy is a `str`; one inside the text is, too, for where it lies there the value stands as it is, between
        // characters of one byte: the caller of `make` vouches for the text.
        unsafe {
            let bytes = self.0.add(1).cast::<Span>().add(usize::from(self.head().keys)).cast::<u8>();
            std::str::from_utf8_unchecked(slice::from_raw_parts(bytes.add(start).as_ptr(), len))
        }
    }
}

fn layout(keys: usize, bytes: usize, is_tracked: bool) -> Layout {
    let life = if is_tracked { LIFE_BYTES } else { 0 };
    let size = life + size_of::<Head>() + keys * size_of::<Span>() + bytes;
    Layout::from_size_align(size, align_of::<Head>()).expect("at most 2 GiB and 255 spans")
}

impl Clone for Tuple {
    fn clone(&self) -> Self {
        // Relaxed: a reference is made from a reference; nothing is handed over.
        if self.head().refs.fetch_add(1, Ordering::Relaxed) > MOST_REFS {
            std::process::abort();
        }
        Self(self.0)
    }
}

impl Drop for Tuple {
    fn drop(&mut self) {
        // Release: pairs with Acquire below and in `is_sole`; all that was done through this reference comes before.
        let order = mutant!("dec_relaxed", Ordering::Release, Ordering::Relaxed);
        if self.head().refs.fetch_sub(1, order) != 1 {
            return;
        }
        // Acquire: pairs with Release above, of every other holder. A load, since ThreadSanitizer does not know fences.
        self.head().refs.load(mutant!("free_relaxed", Ordering::Acquire, Ordering::Relaxed));
        let values_end = self.spans().iter().map(|span| span.start + span.len).max().unwrap_or(0) as usize;
        let bytes = values_end.max(self.text().len());
        let is_tracked = self.life().is_some();
        let layout = layout(usize::from(self.head().keys), bytes, is_tracked);
        self.head().watched.freed();
        #[allow(unsafe_code, reason = "frees what `new` allocated")]
        // SAFETY: the last reference is gone. The layout is that of `make`: the bytes end where the text or the last value ends.
        unsafe {
            ptr::drop_in_place(self.0.as_ptr());
            let start = self.0.as_ptr().cast::<u8>();
            if is_tracked {
                let start = start.sub(LIFE_BYTES);
                ptr::drop_in_place(start.cast::<Life>());
                alloc::dealloc(start, layout);
            } else {
                alloc::dealloc(start, layout);
            }
        }
    }
}

impl fmt::Debug for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.text())
    }
}

/// A tuple that somebody else keeps alive.
#[derive(Debug)]
pub struct Borrowed<'a>(ManuallyDrop<Tuple>, PhantomData<&'a Tuple>);

impl Deref for Borrowed<'_> {
    type Target = Tuple;
    #[inline(always)]
    fn deref(&self) -> &Tuple {
        &self.0
    }
}
