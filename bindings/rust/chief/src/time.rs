//! Durations as the library takes them: milliseconds, rounded up so that nothing ends early.
use std::time::Duration;

use chief_sys as sys;

pub(crate) fn millis(duration: Duration) -> i64 {
    let more = u128::from(duration.subsec_nanos() % 1_000_000 != 0);
    i64::try_from(duration.as_millis() + more).unwrap_or(i64::MAX)
}

/// A timeout; `None` waits for ever.
pub(crate) fn timeout(duration: Option<Duration>) -> i64 {
    duration.map_or(sys::CHIEF_FOREVER, millis)
}

/// A duration among options; `None` is the default, and zero is zero.
pub(crate) fn option(duration: Option<Duration>) -> i64 {
    match duration.map(millis) {
        None => 0,
        Some(0) => sys::CHIEF_ZERO,
        Some(ms) => ms,
    }
}

/// A count among options, likewise.
pub(crate) fn count(count: Option<u32>) -> i64 {
    match count {
        None => 0,
        Some(0) => sys::CHIEF_ZERO,
        Some(n) => i64::from(n),
    }
}

/// A time that the library gives; negative is none.
pub(crate) fn duration(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}
