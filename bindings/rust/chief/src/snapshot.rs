//! What a chief or a pool knew of its workers at one moment.
use std::fmt;
use std::ptr::NonNull;
use std::time::Duration;

use chief_sys as sys;

use crate::cstr::cstr;
use crate::error::{read_text, text};
use crate::state::{Phase, Reason, State};
use crate::time;

/// One worker of a snapshot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerStatus {
    pub name: String,
    pub state: State,
    pub phase: Phase,
    /// Why the last generation that ended did so.
    pub reason: Reason,
    /// 0: never started.
    pub generation: u64,
    /// By its policy.
    pub restarts: u64,
    /// Waiting or stopping: for how long at most.
    pub until: Option<Duration>,
    pub waiting_for: String,
    /// The text of the last failure, also after the restart.
    pub error: String,
    pub traceback: String,
    /// Why it was given up.
    pub why: String,
    /// A fiber that blocks, and keeps a thread of its own meanwhile.
    pub slow: bool,
}

impl WorkerStatus {
    unsafe fn from_raw(raw: *const sys::chief_worker_status) -> Option<Self> {
        let s = raw.as_ref()?;
        Some(Self {
            name: text(s.name),
            state: State::from_number(s.state).unwrap_or(State::WrongStateChange),
            phase: Phase::from_number(s.phase),
            reason: Reason::from_number(s.reason),
            generation: s.generation,
            restarts: s.restarts,
            until: time::duration(s.until_ms),
            waiting_for: text(s.waiting_for),
            error: text(s.error),
            traceback: text(s.traceback),
            why: text(s.why),
            slow: s.slow != 0,
        })
    }
}

/// A copy of all statuses, in the order in which the workers were added.
pub struct Snapshot(NonNull<sys::chief_snapshot>);

// SAFETY: nothing in it changes.
unsafe impl Send for Snapshot {}
unsafe impl Sync for Snapshot {}

impl Snapshot {
    /// Takes it over.
    pub(crate) unsafe fn from_raw(raw: *mut sys::chief_snapshot) -> Self {
        Self(NonNull::new(raw).expect("a snapshot is not NULL"))
    }

    pub fn len(&self) -> usize {
        // SAFETY: the snapshot is alive.
        unsafe { sys::chief_snapshot_len(self.0.as_ptr()) }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The worker of that name; none for a name with replicas, which have statuses of their own.
    pub fn get(&self, name: &str) -> Option<WorkerStatus> {
        let name = cstr(name).ok()?;
        // SAFETY: the status is the snapshot's and copied.
        unsafe { WorkerStatus::from_raw(sys::chief_snapshot_find(self.0.as_ptr(), name.as_ptr())) }
    }

    pub fn iter(&self) -> impl Iterator<Item = WorkerStatus> + '_ {
        // SAFETY: the status is the snapshot's and copied.
        (0..self.len())
            .filter_map(move |i| unsafe { WorkerStatus::from_raw(sys::chief_snapshot_at(self.0.as_ptr(), i)) })
    }

    /// The number of the last event whose effect it shows.
    pub fn seq(&self) -> u64 {
        // SAFETY: the snapshot is alive.
        unsafe { sys::chief_snapshot_seq(self.0.as_ptr()) }
    }

    pub fn to_json(&self) -> String {
        // SAFETY: it writes `size` bytes at most.
        read_text(|buf, size| unsafe { sys::chief_snapshot_json(self.0.as_ptr(), buf, size) })
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { sys::chief_snapshot_free(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}
