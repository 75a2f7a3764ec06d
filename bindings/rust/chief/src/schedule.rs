//! When a worker runs that does not run all the time.
use std::fmt;
use std::mem;
use std::ptr::{self, NonNull};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use chief_sys as sys;

use crate::cstr::cstr;
use crate::error::{check, read_text, Error, Result};
use crate::time;

/// A time zone: what clocks showed there and will show.
pub struct Zone(NonNull<sys::chief_zone>);

// SAFETY: nothing in it changes.
unsafe impl Send for Zone {}
unsafe impl Sync for Zone {}

impl Zone {
    /// The zone of a name, "Europe/Berlin", or of a POSIX rule.
    pub fn new(name: &str) -> Result<Self> {
        let name = cstr(name)?;
        Self::make(name.as_ptr())
    }

    /// The system's own.
    pub fn system() -> Result<Self> {
        Self::make(ptr::null())
    }

    fn make(name: *const std::os::raw::c_char) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: the name is read during the call.
        check(unsafe { sys::chief_zone_new(&mut raw, name) })?;
        Ok(Self(NonNull::new(raw).expect("a zone is not NULL")))
    }

    /// A time as it is shown there, "2026-03-29T03:00:00+02:00".
    pub fn text(&self, time: SystemTime) -> String {
        // SAFETY: it writes `size` bytes at most.
        read_text(|buf, size| unsafe { sys::chief_zone_text(self.0.as_ptr(), wall(time), buf, size) })
    }
}

impl Drop for Zone {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { sys::chief_zone_free(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zone")
    }
}

/// A cron expression: `"30 2 * * mon-fri".parse::<Cron>()`.
#[derive(Clone, Copy)]
pub struct Cron(sys::chief_cron);

impl Cron {
    /// The first time after that one which the expression names in that zone (`None`: UTC).
    pub fn next(&self, zone: Option<&Zone>, after: SystemTime) -> Result<SystemTime> {
        let mut next = 0;
        let zone = zone.map_or(ptr::null(), |zone| zone.0.as_ptr() as *const _);
        // SAFETY: the zone is alive.
        check(unsafe { sys::chief_cron_next(&self.0, zone, wall(after), &mut next) })?;
        Ok(SystemTime::UNIX_EPOCH + time::duration(next).unwrap_or(Duration::ZERO))
    }
}

impl FromStr for Cron {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = cstr(text)?;
        // SAFETY: all of it may be zero.
        let mut raw: sys::chief_cron = unsafe { mem::zeroed() };
        raw.size = mem::size_of_val(&raw) as u32;
        // SAFETY: the text is read during the call.
        check(unsafe { sys::chief_cron_parse(text.as_ptr(), &mut raw) })?;
        Ok(Self(raw))
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cron")
    }
}

/// Milliseconds since 1970; what lies before is 1970.
fn wall(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
