//! Pools: a registry of workers and their states, with a chief or without.
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::os::raw::{c_char, c_void};
use std::ptr::{self, NonNull};
use std::sync::Mutex;

use chief_sys as sys;

use crate::context::Context;
use crate::cstr::cstr;
use crate::error::{check, Result};
use crate::log::Log;
use crate::panics;
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::worker::{Home, Worker};

type Verb = unsafe extern "C" fn(*mut sys::chief_pool, *const c_char) -> sys::chief_state_t;

/// A pool as who does not own it sees it. The pool of a running chief answers `Busy` to every verb that writes. Nothing is run
/// by it, since what a chief's worker makes stays in its own thread.
pub struct PoolView<'a> {
    raw: NonNull<sys::chief_pool>,
    _owner: PhantomData<&'a ()>,
}

// SAFETY: each function of a pool may be called from every thread at once; what runs in a pool of one's own is Send.
unsafe impl Send for PoolView<'_> {}
unsafe impl Sync for PoolView<'_> {}

impl PoolView<'_> {
    pub(crate) unsafe fn from_raw(raw: *mut sys::chief_pool) -> Self {
        Self { raw: NonNull::new(raw).expect("a pool is not NULL"), _owner: PhantomData }
    }

    fn raw(&self) -> *mut sys::chief_pool {
        self.raw.as_ptr()
    }

    fn verb(&self, name: &str, verb: Verb) -> Result<State> {
        let name = cstr(name)?;
        // SAFETY: the name is read during the call.
        check(unsafe { verb(self.raw(), name.as_ptr()) }).map(|state| State::from_number(state).unwrap_or(State::Null))
    }

    /// Where refused verbs are logged; `None`: as in the beginning.
    pub fn set_log(&self, log: Option<&Log>) -> Result<()> {
        // SAFETY: the pool takes its own reference.
        check(unsafe { sys::chief_pool_set_log(self.raw(), log.map_or(ptr::null_mut(), Log::raw)) })?;
        Ok(())
    }

    /// The state of a worker; an unknown name is `Disabled`.
    pub fn state(&self, name: &str) -> State {
        self.verb(name, sys::chief_pool_get_state).unwrap_or(State::Disabled)
    }

    /// The explicit override: sets a state whatever it was.
    pub fn set_state(&self, name: &str, state: State) -> Result<()> {
        let name = cstr(name)?;
        // SAFETY: the name is read during the call.
        let now = unsafe { sys::chief_pool_set_state(self.raw(), name.as_ptr(), state as i32) };
        if now == state as i32 {
            return Ok(()); // also for `WrongStateChange`, whose number is that of an error elsewhere
        }
        check(now).map(drop)
    }

    pub fn enable(&self, name: &str) -> Result<State> {
        self.verb(name, sys::chief_pool_enable)
    }

    pub fn disable(&self, name: &str) -> Result<State> {
        self.verb(name, sys::chief_pool_disable)
    }

    /// Records that it runs.
    pub fn start(&self, name: &str) -> Result<State> {
        self.verb(name, sys::chief_pool_start)
    }

    /// Records that it has stopped.
    pub fn stop(&self, name: &str) -> Result<State> {
        self.verb(name, sys::chief_pool_stop)
    }

    /// Records that it has failed.
    pub fn fail(&self, name: &str) -> Result<State> {
        self.verb(name, sys::chief_pool_fail)
    }

    /// Whether its state is enabled or beyond.
    pub fn is_enabled(&self, name: &str) -> bool {
        // SAFETY: the name is read during the call.
        cstr(name).map_or(false, |name| unsafe { sys::chief_pool_is_enabled(self.raw(), name.as_ptr()) == 1 })
    }

    /// Whether its state is run.
    pub fn is_alive(&self, name: &str) -> bool {
        // SAFETY: the name is read during the call.
        cstr(name).map_or(false, |name| unsafe { sys::chief_pool_is_alive(self.raw(), name.as_ptr()) == 1 })
    }

    pub fn states(&self) -> Result<Snapshot> {
        let mut raw = ptr::null_mut();
        // SAFETY: the snapshot is ours.
        check(unsafe { sys::chief_pool_states(self.raw(), &mut raw) })?;
        Ok(unsafe { Snapshot::from_raw(raw) })
    }
}

impl fmt::Debug for PoolView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

/// The data of a worker, which the pool leaves to us.
struct Data {
    data: *mut c_void,
    destroy: unsafe extern "C" fn(*mut c_void),
}

// SAFETY: it is a worker, which is Send.
unsafe impl Send for Data {}

/// A pool of one's own, which also runs its workers.
#[derive(Debug)]
pub struct Pool {
    view: PoolView<'static>,
    workers: Mutex<Vec<Data>>,
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

impl Pool {
    pub fn new() -> Result<Self> {
        panics::install();
        let mut raw = ptr::null_mut();
        // SAFETY: the pool is ours.
        check(unsafe { sys::chief_pool_new(&mut raw) })?;
        Ok(Self { view: unsafe { PoolView::from_raw(raw) }, workers: Mutex::default() })
    }

    /// Registers a worker. What it makes has to be Send: init, run and end may be called from different threads.
    pub fn set_worker<W: Worker>(&self, name: &str, worker: W) -> Result<()>
    where
        W::Instance: Send,
    {
        let name = cstr(name)?;
        let data = Home::make(worker);
        // SAFETY: the ops are copied; the data lives as long as the pool.
        let set = check(unsafe { sys::chief_pool_set_worker(self.raw(), name.as_ptr(), &Home::<W>::ops(), data) });
        if set.is_ok() {
            let mut workers = self.workers.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            workers.push(Data { data, destroy: Home::<W>::destroy });
        } else {
            // SAFETY: nobody else has it.
            unsafe { Home::<W>::destroy(data) }
        }
        set.map(drop)
    }

    /// Runs the worker's init in this thread.
    pub fn init(&self, name: &str, parent: Option<&Context>) -> Result<State> {
        let name = cstr(name)?;
        // SAFETY: the name is read during the call; the pool takes its own reference to the context.
        let state =
            unsafe { sys::chief_pool_init(self.raw(), name.as_ptr(), parent.map_or(ptr::null_mut(), Context::raw)) };
        check(state).map(|state| State::from_number(state).unwrap_or(State::Null))
    }

    /// Runs one initialised worker in this thread until it returns.
    pub fn run_exec(&self, name: &str) -> Result<()> {
        let name = cstr(name)?;
        // SAFETY: the name is read during the call.
        check(unsafe { sys::chief_pool_run_exec(self.raw(), name.as_ptr()) })?;
        Ok(())
    }
}

impl Deref for Pool {
    type Target = PoolView<'static>;

    fn deref(&self) -> &PoolView<'static> {
        &self.view
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: nobody is in a call on it; afterwards nobody has the workers' data.
        unsafe {
            sys::chief_pool_free(self.view.raw());
            let workers = self.workers.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
            for worker in workers.drain(..) {
                (worker.destroy)(worker.data);
            }
        }
    }
}
