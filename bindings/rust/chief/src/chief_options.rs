//! How a chief is: the keys of the app file.
use std::mem;
use std::ptr;
use std::time::Duration;

use chief_sys as sys;

use crate::cstr::OptionalText;
use crate::error::Result;
use crate::log::Log;
use crate::state::Level;
use crate::time;

/// How a chief is.
#[derive(Clone, Debug, Default)]
pub struct ChiefOptions {
    name: Option<String>,
    version: Option<String>,
    build: Option<String>,
    tag: Option<String>,
    require_names: bool,
    exit_when_done: bool,
    force_stop_timeout: Option<Duration>,
    force_time: Option<Duration>,
    init_timeout: Option<Duration>,
    hook_timeout: Option<Duration>,
    seed: u64,
    event_capacity: u32,
    event_level: Option<Level>,
    log: Option<Log>,
    thread_stack: usize,
    fiber_threads: u32,
    max_restarts: Option<u32>,
    restart_window: Option<Duration>,
}

impl ChiefOptions {
    pub fn new() -> Self {
        Self::default()
    }

    /// The application's name; "chief".
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What the application says of itself: its version …
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// … what it was built from …
    pub fn build(mut self, build: impl Into<String>) -> Self {
        self.build = Some(build.into());
        self
    }

    /// … and what else tells this one from others.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Run only workers that are named.
    pub fn require_names(mut self) -> Self {
        self.require_names = true;
        self
    }

    /// End when nothing runs and nothing is scheduled.
    pub fn exit_when_done(mut self) -> Self {
        self.exit_when_done = true;
        self
    }

    /// For a whole stop; 45 s.
    pub fn force_stop_timeout(mut self, timeout: Duration) -> Self {
        self.force_stop_timeout = Some(timeout);
        self
    }

    /// That a worker which is ended by force has to end in; 100 ms.
    pub fn force_time(mut self, time: Duration) -> Self {
        self.force_time = Some(time);
        self
    }

    /// For the first inits together; 30 s.
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = Some(timeout);
        self
    }

    /// For the shutdown hooks together; 5 s.
    pub fn hook_timeout(mut self, timeout: Duration) -> Self {
        self.hook_timeout = Some(timeout);
        self
    }

    /// Of what is random in delays; from the system.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many events are kept for who takes them; 1024.
    pub fn event_capacity(mut self, events: u32) -> Self {
        self.event_capacity = events;
        self
    }

    /// The least level of those; all of them.
    pub fn event_level(mut self, level: Level) -> Self {
        self.event_level = Some(level);
        self
    }

    /// Without it lines on stderr.
    pub fn log(mut self, log: &Log) -> Self {
        self.log = Some(log.clone());
        self
    }

    /// Bytes for a worker's thread; 1 MiB.
    pub fn thread_stack(mut self, bytes: usize) -> Self {
        self.thread_stack = bytes;
        self
    }

    /// That all fibers share; one per core.
    pub fn fiber_threads(mut self, threads: u32) -> Self {
        self.fiber_threads = threads;
        self
    }

    /// After failures, of all workers together; one more within the window stops the application.
    pub fn restart_budget(mut self, max_restarts: u32, window: Duration) -> Self {
        self.max_restarts = Some(max_restarts);
        self.restart_window = Some(window);
        self
    }

    pub(crate) fn with_raw<R>(&self, call: impl FnOnce(&sys::chief_options) -> Result<R>) -> Result<R> {
        let name = OptionalText::new(self.name.as_deref())?;
        let version = OptionalText::new(self.version.as_deref())?;
        let build = OptionalText::new(self.build.as_deref())?;
        let tag = OptionalText::new(self.tag.as_deref())?;
        let info = sys::chief_app_info {
            size: mem::size_of::<sys::chief_app_info>() as u32,
            pid: 0,
            started_ms: 0,
            name: ptr::null(),
            version: version.as_ptr(),
            build: build.as_ptr(),
            tag: tag.as_ptr(),
        };
        call(&sys::chief_options {
            size: mem::size_of::<sys::chief_options>() as u32,
            require_names: self.require_names.into(),
            name: name.as_ptr(),
            force_stop_timeout: time::option(self.force_stop_timeout),
            init_timeout: time::option(self.init_timeout),
            hook_timeout: time::option(self.hook_timeout),
            seed: self.seed,
            event_capacity: self.event_capacity,
            exit_when_done: self.exit_when_done.into(),
            log: self.log.as_ref().map_or(ptr::null_mut(), Log::raw),
            thread_stack: self.thread_stack,
            force_time: time::option(self.force_time),
            event_level: self.event_level.map_or(0, |level| level as i32),
            fiber_threads: self.fiber_threads,
            max_restarts: time::count(self.max_restarts),
            restart_window: time::option(self.restart_window),
            info: &info,
        })
    }
}
