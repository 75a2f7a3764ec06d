//! How workers are: the keys of the app file.
use std::fmt;
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use chief_sys as sys;

use crate::cstr::{OptionalText, TextList};
use crate::error::Result;
use crate::payload::Payload;
use crate::policy::{Answer, Exit, Policy};
use crate::process::Process;
use crate::time;

/// When a worker is restarted, and how soon.
#[derive(Clone, Copy, Debug, Default)]
pub struct Restart {
    policy: i32,
    delay: Option<Duration>,
    factor: f64,
    max_delay: Option<Duration>,
    jitter: f64,
    max_restarts: Option<u32>,
    window: Option<Duration>,
    isolate_after: u32,
}

impl Restart {
    fn with_policy(policy: i32) -> Self {
        Self { policy, ..Self::default() }
    }

    pub fn never() -> Self {
        Self::with_policy(sys::CHIEF_RESTART_NEVER)
    }

    pub fn on_failure() -> Self {
        Self::with_policy(sys::CHIEF_RESTART_ON_FAILURE)
    }

    pub fn always() -> Self {
        Self::with_policy(sys::CHIEF_RESTART_ALWAYS)
    }

    /// Before the first restart in a row; 100 ms.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// By which the delay grows; 2.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// 30 s.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = Some(delay);
        self
    }

    /// The share by which a delay differs at random; 0.2.
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = if share == 0.0 { -1.0 } else { share };
        self
    }

    /// Given up when it fails more often than that within the window; without it never.
    pub fn max_restarts(mut self, times: u32) -> Self {
        self.max_restarts = Some(times);
        self
    }

    /// 30 s.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = Some(window);
        self
    }

    /// After so many ends by force it is led in a process of its own, see [`WorkerOptions::process`].
    pub fn isolate_after(mut self, times: u32) -> Self {
        self.isolate_after = times;
        self
    }

    fn raw(&self) -> sys::chief_restart {
        sys::chief_restart {
            size: mem::size_of::<sys::chief_restart>() as u32,
            policy: self.policy,
            delay: time::option(self.delay),
            factor: self.factor,
            max_delay: time::option(self.max_delay),
            jitter: self.jitter,
            max_restarts: time::count(self.max_restarts),
            window: time::option(self.window),
            isolate_after: self.isolate_after.into(),
        }
    }
}

/// Where a worker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isolation {
    Thread,
    /// With others on a few threads; for Lua workers, and what [`Actor`](crate::Actor)s are.
    Fiber,
    /// In a child of the chief; Lua workers and plug-ins alone.
    Process,
}

/// How a worker is.
#[derive(Clone, Default)]
pub struct WorkerOptions {
    args: Option<Result<Vec<u8>>>,
    after: Vec<String>,
    sends: Vec<String>,
    receives: Vec<String>,
    restart: Option<Restart>,
    on_exit: Option<Policy>,
    says_ready: bool,
    critical: bool,
    start_timeout: Option<Duration>,
    grace: Option<Duration>,
    count: u32,
    mailbox_capacity: u32,
    isolation: Option<Isolation>,
    no_restart_codes: Vec<i32>,
    every: Option<Duration>,
    later: bool,
    cron: Option<String>,
    tz: Option<String>,
    process: Option<Process>,
}

fn owned<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}

impl WorkerOptions {
    pub fn new() -> Self {
        Self::default()
    }

    /// What `ctx.args` is.
    pub fn args(mut self, args: impl Payload) -> Self {
        self.args = Some(args.with_bytes(|data| Ok(data.to_vec())));
        self
    }

    /// Workers that must be ready before it starts, and stop after it.
    pub fn after<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.after = owned(names);
        self
    }

    /// Channels that it sends to, so that mistakes are found.
    pub fn sends<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.sends = owned(names);
        self
    }

    /// Channels that it receives from.
    pub fn receives<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.receives = owned(names);
        self
    }

    /// Without it: as the worker itself says, else never.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = Some(restart);
        self
    }

    /// Decides what follows when it has ended and nobody had asked it to. Called on a thread of its own.
    pub fn on_exit(mut self, policy: impl Fn(&Exit) -> Answer + Send + Sync + 'static) -> Self {
        self.on_exit = Some(Policy { decide: Arc::new(policy), timeout: None });
        self
    }

    /// How long `on_exit` may take; 1 s.
    pub fn on_exit_timeout(mut self, timeout: Duration) -> Self {
        if let Some(policy) = &mut self.on_exit {
            policy.timeout = Some(timeout);
        }
        self
    }

    /// It is ready when it calls `ctx.ready()`, not when it runs: `ready = "explicit"`.
    pub fn says_ready(mut self) -> Self {
        self.says_ready = true;
        self
    }

    /// When it is given up, the application stops.
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// Until it must be ready; 30 s.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = Some(timeout);
        self
    }

    /// What it has for ending when it is asked to.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// How many of it.
    pub fn count(mut self, replicas: u32) -> Self {
        self.count = replicas;
        self
    }

    /// How many messages its mailbox holds; 1024.
    pub fn mailbox_capacity(mut self, messages: u32) -> Self {
        self.mailbox_capacity = messages;
        self
    }

    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Exit codes after which it is not restarted.
    pub fn no_restart_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.no_restart_codes = codes.into_iter().collect();
        self
    }

    /// It runs again and again, at once and then after each such time.
    pub fn every(mut self, time: Duration) -> Self {
        self.every = Some(time);
        self
    }

    /// With `every`: the first run comes after that time: `first = "later"`.
    pub fn first_later(mut self) -> Self {
        self.later = true;
        self
    }

    /// It runs again and again, when the expression says so.
    pub fn cron(mut self, expression: impl Into<String>) -> Self {
        self.cron = Some(expression.into());
        self
    }

    /// The time zone of `cron`; the system's.
    pub fn tz(mut self, zone: impl Into<String>) -> Self {
        self.tz = Some(zone.into());
        self
    }

    /// How its process is started.
    pub fn process(mut self, process: Process) -> Self {
        self.process = Some(process);
        self
    }

    fn flags(&self) -> u32 {
        let mut flags = 0;
        if self.says_ready {
            flags |= sys::CHIEF_WORKER_SAYS_READY;
        }
        if self.critical {
            flags |= sys::CHIEF_WORKER_CRITICAL;
        }
        flags as u32
    }

    fn isolation_number(&self) -> i32 {
        match self.isolation {
            None => sys::CHIEF_ISOLATION_DEFAULT,
            Some(Isolation::Thread) => sys::CHIEF_THREAD,
            Some(Isolation::Fiber) => sys::CHIEF_FIBER,
            Some(Isolation::Process) => sys::CHIEF_PROCESS,
        }
    }

    /// Calls `call` with the options as the library takes them; what it copies on success is given back on failure.
    pub(crate) fn with_raw<R>(
        &self,
        destroy: sys::chief_destructor,
        call: impl FnOnce(&sys::chief_worker_options) -> Result<R>,
    ) -> Result<R> {
        let args = self.args.clone().transpose()?.unwrap_or_default();
        let after = TextList::new(&self.after)?;
        let sends = TextList::new(&self.sends)?;
        let receives = TextList::new(&self.receives)?;
        let restart = self.restart.map(|restart| restart.raw());
        let cron = OptionalText::new(self.cron.as_deref())?;
        let tz = OptionalText::new(self.tz.as_deref())?;
        let schedule = sys::chief_schedule {
            size: mem::size_of::<sys::chief_schedule>() as u32,
            later: self.later.into(),
            every: time::option(self.every),
            cron: cron.as_ptr(),
            tz: tz.as_ptr(),
        };
        let has_schedule = self.every.is_some() || self.cron.is_some() || self.later || self.tz.is_some();
        Process::with_optional_raw(self.process.as_ref(), |process| {
            Policy::with_raw(self.on_exit.as_ref(), |policy| {
                call(&sys::chief_worker_options {
                    size: mem::size_of::<sys::chief_worker_options>() as u32,
                    flags: self.flags(),
                    restart: restart.as_ref().map_or(ptr::null(), |restart| restart),
                    after: after.as_ptr(),
                    n_after: after.len(),
                    sends: sends.as_ptr(),
                    n_sends: sends.len(),
                    receives: receives.as_ptr(),
                    n_receives: receives.len(),
                    args: sys::chief_bytes { data: args.as_ptr().cast(), len: args.len() },
                    grace: time::option(self.grace),
                    start_timeout: time::option(self.start_timeout),
                    destroy,
                    mailbox_capacity: self.mailbox_capacity,
                    isolation: self.isolation_number(),
                    count: self.count,
                    no_restart_codes: self.no_restart_codes.as_ptr(),
                    n_no_restart_codes: self.no_restart_codes.len(),
                    fiber: ptr::null(),
                    schedule: if has_schedule { &schedule } else { ptr::null() },
                    policy,
                    process,
                })
            })
        })
    }
}

impl fmt::Debug for WorkerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerOptions").field("after", &self.after).field("count", &self.count).finish_non_exhaustive()
    }
}

/// What a Lua worker has beside.
#[derive(Clone, Debug, Default)]
pub struct LuaOptions {
    path: Option<String>,
    cpath: Option<String>,
    memory_limit: u64,
    watchdog: Option<Duration>,
    eager_libraries: bool,
    worker: WorkerOptions,
}

impl LuaOptions {
    pub fn new() -> Self {
        Self::default()
    }

    /// `package.path` of its state; Lua's own.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// `package.cpath` of its state; Lua's own.
    pub fn cpath(mut self, path: impl Into<String>) -> Self {
        self.cpath = Some(path.into());
        self
    }

    /// How many bytes its state may have alive; any number.
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// How long it may be without a call of the chief's; any time.
    pub fn watchdog(mut self, time: Duration) -> Self {
        self.watchdog = Some(time);
        self
    }

    /// Lua's libraries are full from the start: `libraries = "eager"`.
    pub fn eager_libraries(mut self) -> Self {
        self.eager_libraries = true;
        self
    }

    /// What it has as every worker has it.
    pub fn worker(mut self, options: WorkerOptions) -> Self {
        self.worker = options;
        self
    }

    pub(crate) fn with_raw<R>(&self, call: impl FnOnce(&sys::chief_lua_options) -> Result<R>) -> Result<R> {
        let path = OptionalText::new(self.path.as_deref())?;
        let cpath = OptionalText::new(self.cpath.as_deref())?;
        self.worker.with_raw(None, |worker| {
            let alone = sys::chief_worker_options { process: ptr::null(), ..*worker };
            call(&sys::chief_lua_options {
                size: mem::size_of::<sys::chief_lua_options>() as u32,
                path: path.as_ptr(),
                cpath: cpath.as_ptr(),
                worker: &alone,
                process: worker.process,
                memory_limit: self.memory_limit,
                watchdog: self.watchdog.map_or(0, time::millis),
                eager_libraries: self.eager_libraries.into(),
            })
        })
    }
}

impl From<WorkerOptions> for LuaOptions {
    fn from(worker: WorkerOptions) -> Self {
        Self { worker, ..Self::default() }
    }
}
