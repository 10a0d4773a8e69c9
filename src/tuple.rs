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
//! that what the holder of a dropped handle wrote is before the reuse of its slot (A4). A gauge's writer stores the value, then the
//! mark, Release; a push takes the mark by an exchange, Acquire, then loads the value. So each value written is followed by a push
//! that sends it or a later one: the exchange either takes its mark, or comes before it and leaves it for the next push.
//! # Limits
//! 255 keys and 2 GiB of text per tuple.

mod text;

use std::{
    alloc::{self, Layout},
    borrow::Borrow,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::{self, NonNull},
    slice,
};

use crate::{
    arena::Slot,
    sync::{AtomicBool, AtomicF64, AtomicU16, AtomicU32, AtomicU64, Ordering, Watched, mutant, store_beside_exchanges},
};

pub use text::LabelSeed;
use text::is_same;

/// More references than this are a leak that would end in a wrap; as with `Arc`, the process stops first.
const MOST_REFS: u32 = u32::MAX / 2;

/// The mark of a write that a push has not taken.
const FOR_PUSH: u16 = 1;

/// The mark of a write that a scan for idle series has not taken.
const FOR_EXPIRY: u16 = 2;

/// What is asked for: label values by reference, hashed once.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    hash: u64,
    /// The values that a view has fixed.
    prefix: &'a [Box<str>],
    /// The values given in the call.
    values: &'a [&'a str],
}

impl<'a> Query<'a> {
    /// The tuple of `prefix` and then `values`.
    #[inline]
    pub fn new(seed: &LabelSeed, prefix: &'a [Box<str>], values: &'a [&'a str]) -> Self {
        let hash = match prefix {
            [] => seed.hash(values.iter().copied()),
            _ => seed.hash(prefix.iter().map(|value| &**value).chain(values.iter().copied())),
        };
        Self { hash, prefix, values }
    }

    /// The tuple of `values`, whose hash is known to be `hash`.
    pub fn hashed(hash: u64, values: &'a [&'a str]) -> Self {
        Self { hash, prefix: &[], values }
    }

    /// The hash of all values.
    #[inline(always)]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// All values in key order.
    pub fn values(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.prefix.iter().map(|value| &**value).chain(self.values.iter().copied())
    }
}

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
    /// Its length, and [`TRACKED`].
    text_len: u32,
    /// Of a counter, how often a word of it has wrapped; of what has no cell, [`FOR_PUSH`] and [`FOR_EXPIRY`].
    beside: AtomicU16,
    keys: u8,
    /// Whether the registry still exports it.
    live: AtomicBool,
    watched: Watched,
}

#[cfg(not(manometer_mocked))]
const _: () = assert!(size_of::<Head>() == 32);

/// What lies in front of the head of a tracked tuple: how its series is held.
#[derive(Debug)]
#[repr(C)]
struct Life {
    /// How many handles there are.
    handles: AtomicU32,
    /// During which scan of its family one was last asked for.
    asked: AtomicU32,
}

/// The bit of a text's length that says that there is a [`Life`] in front.
const TRACKED: u32 = 1 << 31;

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
    /// `keys` are the family's label keys. None if there are more than 255, or it would not fit in 2 GiB.
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
        // `layout`), so every write below is inside the fresh allocation and aligned; all of it is written before a reference is
        // made.
        unsafe {
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
            Some(Self(this))
        }
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

    /// How often a word of this series has wrapped.
    pub fn carries(&self) -> u16 {
        // Relaxed: readers come here after an Acquire of the word that wrapped; see `cell::count`.
        self.head().beside.load(Ordering::Relaxed)
    }

    /// Counts a wrap.
    pub fn carry(&self) {
        // Relaxed: see `carries`. It stops at the top instead of wrapping itself.
        let _ = self.head().beside.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |carries| carries.checked_add(1));
    }

    /// Says that this gauge was written; called after its value was stored.
    #[inline(always)]
    pub fn mark_written(&self) {
        // Release: pairs with Acquire in `take_written`; who takes this mark sees the value stored before it, or a later one.
        // Always stored, also where it stands already: a writer that only looked would have handed nothing over, and the reader
        // that takes the older mark could miss its value.
        let order = mutant!("mark_relaxed", Ordering::Release, Ordering::Relaxed);
        if mutant!("mark_only_if_unset", true, self.head().beside.load(Ordering::Relaxed) & FOR_PUSH == 0) {
            store_beside_exchanges(&self.head().beside, FOR_PUSH | FOR_EXPIRY, order);
        }
    }

    /// Whether this gauge was written since this was last asked; called before its value is loaded.
    pub fn take_written(&self) -> bool {
        // Acquire: pairs with Release in `mark_written`. One exchange, so that no mark falls between a look and a store.
        let order = mutant!("take_mark_relaxed", Ordering::Acquire, Ordering::Relaxed);
        mutant!("take_mark_in_two_steps", self.head().beside.fetch_and(!FOR_PUSH, order) & FOR_PUSH != 0, {
            let written = self.head().beside.load(order) & FOR_PUSH != 0;
            self.head().beside.store(FOR_EXPIRY, Ordering::Relaxed);
            written
        })
    }

    /// Whether this was written since this was last asked, whatever [`take_written`](Self::take_written) has taken.
    pub fn take_stirred(&self) -> bool {
        // Relaxed: a mark that is not seen yet is taken the next time; who must see it comes after the writer by other means.
        self.head().beside.load(Ordering::Relaxed) & FOR_EXPIRY != 0
            // Relaxed: no value is read by this mark. Who finds it lets the series stay.
            && self.head().beside.fetch_and(!FOR_EXPIRY, Ordering::Relaxed) & FOR_EXPIRY != 0
    }

    /// Counts a new handle, that was asked for during the scan of this number; not one that is cloned.
    pub fn hold(&self, scan: u32) {
        if let Some(life) = self.life() {
            // Relaxed: a handle is made under a pin or a lock that a scan waits for.
            life.handles.fetch_add(1, Ordering::Relaxed);
            life.asked.store(scan, Ordering::Relaxed);
        }
    }

    /// Counts a clone of a handle.
    pub fn hold_too(&self) {
        if let Some(life) = self.life() {
            // Relaxed: there is another handle, so no scan comes to an end of it.
            life.handles.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a handle that goes.
    pub fn let_go(&self) {
        if let Some(life) = self.life() {
            // Release: pairs with Acquire in `handles`; all that was recorded through this handle comes before.
            life.handles.fetch_sub(1, mutant!("let_go_relaxed", Ordering::Release, Ordering::Relaxed));
        }
    }

    /// How many handles there are; 0 if nobody counts.
    pub fn handles(&self) -> u32 {
        // Acquire: pairs with Release in `let_go`, of every handle there was.
        let order = mutant!("handles_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.life().map_or(0, |life| life.handles.load(order))
    }

    /// During which scan a handle was last asked for.
    pub fn asked(&self) -> u32 {
        // Relaxed: a hint.
        self.life().map_or(0, |life| life.asked.load(Ordering::Relaxed))
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
        // SAFETY: the allocation lives as long as a reference to it, and its head was written by `new`.
        let head = unsafe { self.0.as_ref() };
        head.watched.used();
        head
    }

    /// What lies in front of the head.
    fn life(&self) -> Option<&Life> {
        if self.head().text_len & TRACKED == 0 {
            return None;
        }
        #[allow(unsafe_code, reason = "a tracked tuple has its life in front of its head, in the same allocation")]
        // SAFETY: `make` set the flag together with writing a life so many bytes before the head; nothing but its atomics changes.
        unsafe {
            Some(self.0.cast::<u8>().sub(LIFE_BYTES).cast::<Life>().as_ref())
        }
    }

    #[inline(always)]
    fn spans(&self) -> &[Span] {
        #[allow(unsafe_code, reason = "the spans follow the head in one allocation")]
        // SAFETY: `new` wrote `keys` spans right behind the head; they are never changed.
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
        // SAFETY: every span, and the text, was laid by `new` over bytes that it copied from one whole `str`; they never change.
        unsafe {
            let bytes = self.0.add(1).cast::<Span>().add(usize::from(self.head().keys)).cast::<u8>();
            std::str::from_utf8_unchecked(slice::from_raw_parts(bytes.add(start).as_ptr(), len))
        }
    }
}

/// How far a head is behind the beginning of its life: as much as keeps it aligned.
const LIFE_BYTES: usize = size_of::<Life>().next_multiple_of(align_of::<Head>());

#[cfg(not(manometer_mocked))]
const _: () = assert!(LIFE_BYTES == 8);

const _: () = assert!(align_of::<Life>() <= align_of::<Head>());

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
        // SAFETY: the last reference is gone. The layout is that of `new`: the bytes end where the text or the last value ends.
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

/// What a map of tuples may be asked with: a tuple, or a query that was hashed already.
pub trait LabelKey {
    /// The hash of all values.
    fn label_hash(&self) -> u64;
    /// The value number `index`, if there are so many.
    fn nth(&self, index: usize) -> Option<&str>;
}

impl LabelKey for Tuple {
    fn label_hash(&self) -> u64 {
        self.hash()
    }
    fn nth(&self, index: usize) -> Option<&str> {
        (index < self.spans().len()).then(|| self.value(index))
    }
}

impl LabelKey for Query<'_> {
    fn label_hash(&self) -> u64 {
        self.hash
    }
    fn nth(&self, index: usize) -> Option<&str> {
        match index.checked_sub(self.prefix.len()) {
            None => Some(&self.prefix[index]),
            Some(given) => self.values.get(given).copied(),
        }
    }
}

impl PartialEq for dyn LabelKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        let same_values = || {
            let pairs = (0..).map(|index| (self.nth(index), other.nth(index)));
            pairs.take_while(|pair| *pair != (None, None)).all(|(own, asked)| own == asked)
        };
        self.label_hash() == other.label_hash() && same_values()
    }
}

impl Eq for dyn LabelKey + '_ {}

impl Hash for dyn LabelKey + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.label_hash());
    }
}

impl PartialEq for Tuple {
    fn eq(&self, other: &Self) -> bool {
        (self as &dyn LabelKey) == (other as &dyn LabelKey)
    }
}

impl Eq for Tuple {}

impl Hash for Tuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Tuple::hash(self));
    }
}

impl<'a> Borrow<dyn LabelKey + 'a> for Tuple {
    fn borrow(&self) -> &(dyn LabelKey + 'a) {
        self
    }
}
