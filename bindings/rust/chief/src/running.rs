//! What one does with a chief that runs: one worker of it, what it knows, messages and events.
use std::mem;
use std::os::unix::io::BorrowedFd;
use std::ptr;
use std::time::{Duration, SystemTime};

use chief_sys as sys;

use crate::chief::AppInfo;
use crate::context::{Context, ContextValue};
use crate::cstr::cstr;
use crate::error::{check, read_text, text, Result};
use crate::event::{self, Event, Events};
use crate::message::Message;
use crate::payload::Payload;
use crate::pool::PoolView;
use crate::snapshot::Snapshot;
use crate::state::{Level, State};
use crate::time;
use crate::Chief;

impl Chief {
    // ---- one worker ----

    /// Asks for the start of one worker that is enabled, stopped or failed.
    pub fn start_worker(&self, name: &str) -> Result<()> {
        self.with_name(name, sys::chief_start_worker)
    }

    /// Asks for the stop of one worker; no policy undoes it.
    pub fn stop_worker(&self, name: &str) -> Result<()> {
        self.with_name(name, sys::chief_stop_worker)
    }

    /// Stops and starts one worker; starts one that does not run.
    pub fn restart_worker(&self, name: &str) -> Result<()> {
        self.with_name(name, sys::chief_restart_worker)
    }

    /// Stops one worker and forgets it.
    pub fn remove_worker(&self, name: &str) -> Result<()> {
        self.with_name(name, sys::chief_remove_worker)
    }

    /// Waits until the worker is in that state.
    pub fn wait_state(&self, name: &str, state: State, timeout: Option<Duration>) -> Result<()> {
        let name = cstr(name)?;
        // SAFETY: the name is read during the call.
        check(unsafe { sys::chief_wait_state(self.raw(), name.as_ptr(), state as i32, time::timeout(timeout)) })?;
        Ok(())
    }

    /// Waits until every enabled worker is ready.
    pub fn wait_ready(&self, timeout: Option<Duration>) -> Result<()> {
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_wait_ready(self.raw(), time::timeout(timeout)) })?;
        Ok(())
    }

    /// Where a worker is now, for one in Lua a line and the traceback; it is not disturbed.
    pub fn traceback(&self, name: &str) -> Result<String> {
        let name = cstr(name)?;
        let mut rc = sys::CHIEF_OK;
        let place = read_text(|buf, size| {
            let mut len = 0;
            // SAFETY: it writes `size` bytes at most.
            rc = unsafe { sys::chief_traceback(self.raw(), name.as_ptr(), buf, size, &mut len) };
            if rc == sys::CHIEF_OK {
                len
            } else {
                0
            }
        });
        check(rc).map(|_| place)
    }

    // ---- what it knows ----

    /// A snapshot of all workers.
    pub fn states(&self) -> Result<Snapshot> {
        let mut raw = ptr::null_mut();
        // SAFETY: the snapshot is ours.
        check(unsafe { sys::chief_states(self.raw(), &mut raw) })?;
        Ok(unsafe { Snapshot::from_raw(raw) })
    }

    /// The states inside a worker that is a chief, see [`add_chief`](Self::add_chief).
    pub fn nested_states(&self, name: &str) -> Result<Snapshot> {
        let name = cstr(name)?;
        let mut raw = ptr::null_mut();
        // SAFETY: the snapshot is ours.
        check(unsafe { sys::chief_nested_states(self.raw(), name.as_ptr(), &mut raw) })?;
        Ok(unsafe { Snapshot::from_raw(raw) })
    }

    /// Its pool: to look at, and before `init_workers` to write.
    pub fn pool(&self) -> PoolView<'_> {
        // SAFETY: the pool lives as long as the chief.
        unsafe { PoolView::from_raw(sys::chief_get_pool(self.raw())) }
    }

    pub fn context(&self) -> Context {
        // SAFETY: it is the chief's.
        unsafe { Context::from_borrowed(sys::chief_get_context(self.raw())) }
    }

    /// A context that is done from the moment the chief begins to stop, for what the program does besides.
    pub fn stop_context(&self) -> Context {
        // SAFETY: it is the chief's.
        unsafe { Context::from_borrowed(sys::chief_get_stop_context(self.raw())) }
    }

    /// Sets a value in the chief's context, at any time; running workers see it.
    pub fn add_value(&self, key: &str, value: impl Into<ContextValue>) -> Result<()> {
        let key = cstr(key)?;
        value.into().with_raw(|value| {
            // SAFETY: key and value are read during the call.
            check(unsafe { sys::chief_add_value(self.raw(), key.as_ptr(), value) })
        })?;
        Ok(())
    }

    pub fn name(&self) -> String {
        // SAFETY: nothing in this crate changes the name after the chief was made.
        unsafe { text(sys::chief_get_name(self.raw())) }
    }

    pub fn info(&self) -> Result<AppInfo> {
        // SAFETY: all of it may be zero.
        let mut raw: sys::chief_app_info = unsafe { mem::zeroed() };
        raw.size = mem::size_of_val(&raw) as u32;
        // SAFETY: its size is set; the strings are the chief's and copied.
        check(unsafe { sys::chief_get_info(self.raw(), &mut raw) })?;
        Ok(unsafe {
            AppInfo {
                name: text(raw.name),
                version: text(raw.version),
                build: text(raw.build),
                tag: text(raw.tag),
                pid: raw.pid,
                started: time::duration(raw.started_ms)
                    .filter(|time| !time.is_zero())
                    .map(|time| SystemTime::UNIX_EPOCH + time),
            }
        })
    }

    // ---- messages ----

    fn send_within(&self, to: &str, message: &impl Payload, timeout_ms: i64) -> Result<()> {
        let to = cstr(to)?;
        message.with_bytes(|data| {
            // SAFETY: name and bytes are read during the call.
            check(unsafe { sys::chief_send(self.raw(), to.as_ptr(), data.as_ptr().cast(), data.len(), timeout_ms) })
        })?;
        Ok(())
    }

    /// Sends to a worker's mailbox; waits for room.
    pub fn send(&self, to: &str, message: impl Payload) -> Result<()> {
        self.send_within(to, &message, sys::CHIEF_FOREVER)
    }

    pub fn send_timeout(&self, to: &str, message: impl Payload, timeout: Duration) -> Result<()> {
        self.send_within(to, &message, time::millis(timeout))
    }

    pub fn try_send(&self, to: &str, message: impl Payload) -> Result<()> {
        self.send_within(to, &message, 0)
    }

    /// Sends to every worker that has a mailbox, without waiting; how many took it.
    pub fn broadcast(&self, message: impl Payload) -> Result<usize> {
        let mut reached = 0;
        message.with_bytes(|data| {
            // SAFETY: the bytes are read during the call.
            check(unsafe { sys::chief_broadcast(self.raw(), data.as_ptr().cast(), data.len(), &mut reached) })
        })?;
        Ok(reached)
    }

    /// Asks a worker and waits for its answer.
    pub fn call(&self, to: &str, question: impl Payload, timeout: Option<Duration>) -> Result<Message> {
        let to = cstr(to)?;
        let mut reply = ptr::null_mut();
        question.with_bytes(|data| {
            // SAFETY: name and bytes are read during the call.
            check(unsafe {
                sys::chief_call(
                    self.raw(),
                    to.as_ptr(),
                    data.as_ptr().cast(),
                    data.len(),
                    time::timeout(timeout),
                    &mut reply,
                )
            })
        })?;
        Ok(unsafe { Message::from_raw(reply) })
    }

    /// How many answers to calls came late and were dropped.
    pub fn late_replies(&self) -> u64 {
        // SAFETY: the chief is alive.
        unsafe { sys::chief_late_replies(self.raw()) }
    }

    // ---- events ----

    /// The events from now on until the chief has stopped; waits for each.
    pub fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// Takes between 1 and `max` events, the oldest first. `Closed` after the last.
    pub fn take_events(&self, max: usize, timeout: Option<Duration>) -> Result<Vec<Event>> {
        event::take(max, |out, max, n| {
            // SAFETY: there is room for `max` of them.
            unsafe { sys::chief_take_events(self.raw(), out, max, time::timeout(timeout), n) }
        })
    }

    /// The least level of the events that are kept.
    pub fn set_event_level(&self, level: Level) {
        // SAFETY: the level is one.
        unsafe { sys::chief_set_event_level(self.raw(), level as i32) };
    }

    /// How many events were lost because nobody took them.
    pub fn events_dropped(&self) -> u64 {
        // SAFETY: the chief is alive.
        unsafe { sys::chief_events_dropped(self.raw()) }
    }

    /// A descriptor that is readable while events wait, or none will come any more, for an event loop. Not to be read from.
    pub fn events_fd(&self) -> Result<BorrowedFd<'_>> {
        // SAFETY: the descriptor is the chief's and lives as long as it does.
        let fd = check(unsafe { sys::chief_events_fd(self.raw()) })?;
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }
}
