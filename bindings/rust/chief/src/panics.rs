//! Panics in what the library calls: none may go through it. A panic in a worker is that worker's failure, so it is told where
//! failures are told, and not on stderr.
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::Once;
use std::thread;

/// What is known of a panic.
#[derive(Debug, Default)]
pub(crate) struct Panic {
    pub(crate) text: String,
    pub(crate) traceback: String,
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.map_or_else(|| "panicked".into(), |text| format!("panicked: {text}"))
}

#[cfg(chief_backtrace)]
#[allow(unknown_lints, clippy::incompatible_msrv)] // the build script has looked at the compiler's version
fn backtrace() -> String {
    let trace = std::backtrace::Backtrace::capture();
    match trace.status() {
        std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
        _ => String::new(),
    }
}

#[cfg(not(chief_backtrace))]
fn backtrace() -> String {
    String::new()
}

/// Keeps where the panic was, when it is one that `contain` will catch.
fn note(place: Option<&Location<'_>>) -> bool {
    let contained = DEPTH.try_with(Cell::get).unwrap_or(0) > 0;
    if contained {
        let place = place.map_or_else(String::new, |place| format!("at {place}"));
        PLACE.with(|last| *last.borrow_mut() = place + &backtrace());
    }
    contained
}

/// From now on panics in workers are kept; others go to the hook that was there.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    if thread::panicking() {
        return; // the hook can't be changed now; a panic in a worker has no place then
    }
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !note(info.location()) {
                previous(info);
            }
        }));
    });
}

/// Calls what must not panic into the library.
pub(crate) fn contain<R>(call: impl FnOnce() -> R) -> Result<R, Panic> {
    let nested = DEPTH.try_with(|depth| depth.replace(depth.get() + 1)).unwrap_or(0);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    let _ = DEPTH.try_with(|depth| depth.set(nested));
    result.map_err(|payload| {
        let text = message(&*payload);
        // A payload that panics when it is dropped is left.
        let _ = panic::catch_unwind(AssertUnwindSafe(move || drop(payload)));
        let traceback = PLACE.try_with(|place| place.take()).unwrap_or_default();
        Panic { text, traceback }
    })
}
