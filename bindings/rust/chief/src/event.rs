//! What a chief tells of its workers.
use std::ptr;
use std::time::Duration;
use std::vec;

use chief_sys as sys;

use crate::error::{check, text, Result};
use crate::state::{EventKind, Level, Reason, State};
use crate::time;
use crate::Chief;

/// One event. What does not belong to its kind is empty.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    pub kind: EventKind,
    /// 1, 2, 3 …: a gap is what was dropped since nobody read it, or what lies below the event level.
    pub seq: u64,
    /// On the monotonic clock.
    pub time: Duration,
    pub level: Level,
    /// The name of the worker that it is about.
    pub worker: String,
    /// Which life of that worker.
    pub generation: u64,
    pub state: Option<State>,
    pub previous: Option<State>,
    pub reason: Reason,
    /// Until a restart.
    pub delay: Duration,
    pub channel: String,
    pub error: String,
    pub traceback: String,
}

impl Event {
    /// Takes over the event.
    pub(crate) unsafe fn from_raw(raw: *mut sys::chief_event) -> Self {
        let e = &*raw;
        let event = Self {
            kind: EventKind::from_number(e.kind),
            seq: e.seq,
            time: time::duration(e.time_ms).unwrap_or_default(),
            level: Level::from_number(e.level),
            worker: text(e.worker),
            generation: e.generation,
            state: State::from_number(e.state),
            previous: State::from_number(e.previous),
            reason: Reason::from_number(e.reason),
            delay: time::duration(e.delay_ms).unwrap_or_default(),
            channel: text(e.channel),
            error: text(e.error),
            traceback: text(e.traceback),
        };
        sys::chief_event_free(raw);
        event
    }
}

/// Fills a batch by `take`, which is given where to put them, how many there may be, and where to say how many there are.
pub(crate) fn take(
    max: usize,
    take: impl FnOnce(*mut *mut sys::chief_event, usize, &mut usize) -> i32,
) -> Result<Vec<Event>> {
    let mut raw = vec![ptr::null_mut(); max];
    let mut n = 0;
    check(take(raw.as_mut_ptr(), raw.len(), &mut n))?;
    // SAFETY: the first `n` are there, and ours.
    Ok(raw[..n].iter().map(|event| unsafe { Event::from_raw(*event) }).collect())
}

/// The events of a chief until it has stopped, see [`Chief::events`].
#[derive(Debug)]
pub struct Events<'a> {
    chief: &'a Chief,
    batch: vec::IntoIter<Event>,
}

impl<'a> Events<'a> {
    pub(crate) fn new(chief: &'a Chief) -> Self {
        Self { chief, batch: Vec::new().into_iter() }
    }
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.batch.as_slice().is_empty() {
            self.batch = self.chief.take_events(64, None).ok()?.into_iter();
        }
        self.batch.next()
    }
}
