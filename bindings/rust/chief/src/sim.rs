//! Simulations: for tests of one's own policies, with a clock that moves when that is asked for.
use std::fmt;
use std::os::raw::{c_char, c_int};
use std::ptr::{self, NonNull};
use std::time::Duration;

use chief_sys as sys;

use crate::chief::GroupPolicy;
use crate::chief_options::ChiefOptions;
use crate::cstr::{cstr, OptionalText, TextList};
use crate::error::{check, Result};
use crate::event::{self, Event};
use crate::options::WorkerOptions;
use crate::snapshot::Snapshot;
use crate::state::Reason;
use crate::time;

/// What a simulated worker does when it is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manners {
    /// Ends at once.
    Obeys,
    /// Ends when it is interrupted at the end of its grace, or when the test says so.
    Busy,
    /// Is interrupted in vain, and abandoned.
    Stuck,
}

/// A chief that decides as a chief does and tells the same events, but runs nothing: the test says what becomes of its workers.
pub struct Sim(NonNull<sys::chief_sim>);

// SAFETY: it may be used by any one thread at a time; what its policies hold is Send.
unsafe impl Send for Sim {}

type Verb = unsafe extern "C" fn(*mut sys::chief_sim, *const c_char) -> c_int;

impl Sim {
    pub fn new(options: &ChiefOptions) -> Result<Self> {
        crate::panics::install();
        options.with_raw(|options| {
            let mut raw = ptr::null_mut();
            // SAFETY: the options are read during the call.
            check(unsafe { sys::chief_sim_new(&mut raw, options) })?;
            Ok(Self(NonNull::new(raw).expect("a simulation is not NULL")))
        })
    }

    fn raw(&self) -> *mut sys::chief_sim {
        self.0.as_ptr()
    }

    fn verb(&mut self, name: &str, verb: Verb) -> Result<()> {
        let name = cstr(name)?;
        // SAFETY: the name is read during the call.
        check(unsafe { verb(self.raw(), name.as_ptr()) })?;
        Ok(())
    }

    /// Adds a worker, or its replicas, before the start or after it.
    pub fn add_worker(&mut self, name: &str, options: &WorkerOptions) -> Result<()> {
        let name = cstr(name)?;
        options.with_raw(None, |options| {
            // SAFETY: all is copied.
            check(unsafe { sys::chief_sim_add_worker(self.raw(), name.as_ptr(), options) })
        })?;
        Ok(())
    }

    pub fn add_group(&mut self, name: &str, policy: GroupPolicy, workers: &[&str]) -> Result<()> {
        let name = cstr(name)?;
        let workers = TextList::new(workers)?;
        // SAFETY: all is copied.
        check(unsafe {
            sys::chief_sim_add_group(self.raw(), name.as_ptr(), policy.number(), workers.as_ptr(), workers.len())
        })?;
        Ok(())
    }

    pub fn enable_workers(&mut self, names: &[&str]) -> Result<()> {
        let names = TextList::new(names)?;
        // SAFETY: the names are read during the call.
        check(unsafe { sys::chief_sim_enable_workers(self.raw(), names.as_ptr(), names.len()) })?;
        Ok(())
    }

    pub fn start(&mut self) -> Result<()> {
        // SAFETY: it is alive.
        check(unsafe { sys::chief_sim_start(self.raw()) })?;
        Ok(())
    }

    /// Lets time pass, with all that falls due in it.
    pub fn advance(&mut self, time: Duration) -> Result<()> {
        // SAFETY: it is alive.
        check(unsafe { sys::chief_sim_advance(self.raw(), time::millis(time)) })?;
        Ok(())
    }

    /// The time since the simulation was made.
    pub fn now(&self) -> Duration {
        // SAFETY: it is alive.
        time::duration(unsafe { sys::chief_sim_now(self.raw()) }).unwrap_or_default()
    }

    /// When something falls due next by itself.
    pub fn deadline(&self) -> Option<Duration> {
        // SAFETY: it is alive.
        time::duration(unsafe { sys::chief_sim_deadline(self.raw()) })
    }

    /// The worker's run fails, for this reason, with this exit code (0: none) and this text.
    pub fn fail(&mut self, name: &str, reason: Reason, code: i32, text: Option<&str>) -> Result<()> {
        let name = cstr(name)?;
        let text = OptionalText::new(text)?;
        // SAFETY: name and text are read during the call.
        check(unsafe { sys::chief_sim_fail(self.raw(), name.as_ptr(), reason.number(), code, text.as_ptr()) })?;
        Ok(())
    }

    /// The worker's next `n` inits fail with this text.
    pub fn fail_init(&mut self, name: &str, n: u32, text: Option<&str>) -> Result<()> {
        let name = cstr(name)?;
        let text = OptionalText::new(text)?;
        // SAFETY: name and text are read during the call.
        check(unsafe { sys::chief_sim_fail_init(self.raw(), name.as_ptr(), n, text.as_ptr()) })?;
        Ok(())
    }

    /// The worker's run returns cleanly.
    pub fn finish(&mut self, name: &str) -> Result<()> {
        self.verb(name, sys::chief_sim_finish)
    }

    /// The worker says that it is ready.
    pub fn ready(&mut self, name: &str) -> Result<()> {
        self.verb(name, sys::chief_sim_ready)
    }

    /// How the worker takes it to be asked to stop, from now on.
    pub fn behave(&mut self, name: &str, manners: Manners) -> Result<()> {
        let name = cstr(name)?;
        let manners = match manners {
            Manners::Obeys => sys::CHIEF_SIM_OBEYS,
            Manners::Busy => sys::CHIEF_SIM_BUSY,
            Manners::Stuck => sys::CHIEF_SIM_STUCK,
        };
        // SAFETY: the name is read during the call.
        check(unsafe { sys::chief_sim_behave(self.raw(), name.as_ptr(), manners) })?;
        Ok(())
    }

    pub fn stop(&mut self) -> Result<()> {
        // SAFETY: it is alive.
        check(unsafe { sys::chief_sim_stop(self.raw()) })?;
        Ok(())
    }

    pub fn force_stop(&mut self) -> Result<()> {
        // SAFETY: it is alive.
        check(unsafe { sys::chief_sim_force_stop(self.raw()) })?;
        Ok(())
    }

    /// A SIGTERM, as a chief takes it that catches it.
    pub fn signal(&mut self) -> Result<()> {
        // SAFETY: it is alive.
        check(unsafe { sys::chief_sim_signal(self.raw()) })?;
        Ok(())
    }

    pub fn start_worker(&mut self, name: &str) -> Result<()> {
        self.verb(name, sys::chief_sim_start_worker)
    }

    pub fn stop_worker(&mut self, name: &str) -> Result<()> {
        self.verb(name, sys::chief_sim_stop_worker)
    }

    pub fn restart_worker(&mut self, name: &str) -> Result<()> {
        self.verb(name, sys::chief_sim_restart_worker)
    }

    pub fn remove_worker(&mut self, name: &str) -> Result<()> {
        self.verb(name, sys::chief_sim_remove_worker)
    }

    pub fn states(&self) -> Result<Snapshot> {
        let mut raw = ptr::null_mut();
        // SAFETY: the snapshot is ours.
        check(unsafe { sys::chief_sim_states(self.raw(), &mut raw) })?;
        Ok(unsafe { Snapshot::from_raw(raw) })
    }

    /// The events since the last time; their time is the simulation's.
    pub fn take_events(&mut self) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        loop {
            let batch = event::take(64, |out, max, n| {
                // SAFETY: there is room for `max` of them.
                unsafe { sys::chief_sim_take_events(self.raw(), out, max, n) }
            })?;
            if batch.is_empty() {
                return Ok(events);
            }
            events.extend(batch);
        }
    }

    /// Whether everything has stopped, or nothing is left to run and `exit_when_done` is set.
    pub fn has_stopped(&self) -> bool {
        // SAFETY: it is alive.
        unsafe { sys::chief_sim_has_stopped(self.raw()) == 1 }
    }

    pub fn exit_code(&self) -> i32 {
        // SAFETY: it is alive.
        unsafe { sys::chief_sim_exit_code(self.raw()) }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { sys::chief_sim_free(self.raw()) }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("now", &self.now()).finish()
    }
}
