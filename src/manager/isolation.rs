//! Code that is not ours: run so that its panic ends nothing but itself.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What `act` returns, or what it said when it panicked.
///
/// Unwind safety is its own business: what it leaves half done is its own, and it is called again the next time.
pub(super) fn isolated<R>(act: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|panic| {
        let said = text(&*panic);
        discard(panic);
        said
    })
}

/// Drops what is not ours; that it panics harms nobody either.
pub(super) fn discard<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        log::warn!("what a handler, rate or provider owned panicked when it was dropped: {}", text(&*panic));
        // What such a panic carries may panic in turn, and so on: it ends here.
        std::mem::forget(panic);
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_owned()
}
