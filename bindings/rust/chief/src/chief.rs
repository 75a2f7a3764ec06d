//! The chief itself.
use std::fmt;
use std::mem;
use std::os::raw::{c_char, c_int};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use chief_sys as sys;

use crate::channel::{Channel, ChannelOptions};
use crate::chief_options::ChiefOptions;
use crate::context::Context;
use crate::cstr::{cstr, TextList};
use crate::error::{check, Error, ErrorCode, Result};
use crate::hooks::Locker;
use crate::log::Log;
use crate::options::{LuaOptions, WorkerOptions};
use crate::panics;
use crate::process::Process;
use crate::time;
use crate::worker::{Home, Worker};

/// Who is restarted along with a worker whose policy restarts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupPolicy {
    /// Nobody.
    OneForOne,
    /// All others of its group.
    OneForAll,
    /// Those after it in the group's list.
    RestForOne,
}

impl GroupPolicy {
    pub(crate) fn number(self) -> i32 {
        match self {
            Self::OneForOne => sys::CHIEF_ONE_FOR_ONE,
            Self::OneForAll => sys::CHIEF_ONE_FOR_ALL,
            Self::RestForOne => sys::CHIEF_REST_FOR_ONE,
        }
    }
}

/// What the loop of a chief does with signals while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Catch {
    /// SIGTERM and SIGINT stop it.
    Stop,
    /// SIGHUP is told as an event.
    Hup,
    /// SIGUSR2 writes a snapshot into the log.
    Usr2,
    /// What was caught is ignored from the chief's end on, for a program that ends with it.
    Last,
}

/// What an application says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppInfo {
    pub name: String,
    pub version: String,
    pub build: String,
    pub tag: String,
    pub pid: i32,
    /// When its workers were initialised.
    pub started: Option<SystemTime>,
}

/// A chief: runs a named set of workers, keeps them running and stops them without losing work.
///
/// Dropping it stops what still runs, within `force_stop_timeout`.
pub struct Chief {
    raw: NonNull<sys::chief>,
    pub(crate) locker: Mutex<Option<Arc<Locker>>>,
}

// SAFETY: all but the end may be called from every thread at once; the end needs the only handle there is.
unsafe impl Send for Chief {}
unsafe impl Sync for Chief {}

impl Chief {
    /// A chief with all defaults.
    pub fn new() -> Result<Self> {
        Self::with_options(&ChiefOptions::new())
    }

    /// A chief with no workers; nothing runs until [`init_workers`](Self::init_workers).
    pub fn with_options(options: &ChiefOptions) -> Result<Self> {
        panics::install();
        check_abi()?;
        options.with_raw(|options| {
            let mut raw = ptr::null_mut();
            // SAFETY: the options are read during the call.
            check(unsafe { sys::chief_new(&mut raw, options) })?;
            Ok(Self { raw: NonNull::new(raw).expect("a chief is not NULL"), locker: Mutex::default() })
        })
    }

    pub(crate) fn raw(&self) -> *mut sys::chief {
        self.raw.as_ptr()
    }

    /// Gives the chief away. Who gets it does not wait for a locker.
    pub(crate) fn into_raw(self) -> *mut sys::chief {
        let mut this = mem::ManuallyDrop::new(self);
        this.locker = Mutex::default();
        this.raw()
    }

    pub(crate) fn with_name(
        &self,
        name: &str,
        call: unsafe extern "C" fn(*mut sys::chief, *const c_char) -> c_int,
    ) -> Result<()> {
        let name = cstr(name)?;
        // SAFETY: the name is read during the call.
        check(unsafe { call(self.raw(), name.as_ptr()) })?;
        Ok(())
    }

    // ---- what it is made of ----

    /// Adds a worker with default options; while the chief runs, it is started.
    pub fn add_worker<W: Worker>(&self, name: &str, worker: W) -> Result<()> {
        self.add_worker_with(name, worker, &WorkerOptions::new())
    }

    pub fn add_worker_with<W: Worker>(&self, name: &str, worker: W, options: &WorkerOptions) -> Result<()> {
        let name = cstr(name)?;
        let ops = Home::<W>::ops();
        options.with_raw(Some(Home::<W>::destroy), |options| {
            let data = Home::make(worker);
            // SAFETY: all is copied but the data, which is the chief's on success.
            let added = check(unsafe { sys::chief_add_worker_with(self.raw(), name.as_ptr(), &ops, data, options) });
            if added.is_err() {
                // SAFETY: nobody else has it.
                unsafe { Home::<W>::destroy(data) }
            }
            added.map(drop)
        })
    }

    /// Adds a worker that is a Lua module.
    pub fn add_lua_worker(&self, name: &str, module: &str, options: &LuaOptions) -> Result<()> {
        let name = cstr(name)?;
        let module = cstr(module)?;
        options.with_raw(|options| {
            // SAFETY: all is copied.
            check(unsafe { sys::chief_lua_add_worker(self.raw(), name.as_ptr(), module.as_ptr(), options) })
        })?;
        Ok(())
    }

    /// Adds a worker whose every life is a child process.
    pub fn add_process(&self, name: &str, process: &Process, options: &WorkerOptions) -> Result<()> {
        let name = cstr(name)?;
        process.with_raw(|process| {
            options.with_raw(None, |options| {
                // SAFETY: all is copied.
                check(unsafe { sys::chief_add_process(self.raw(), name.as_ptr(), process, options) })
            })
        })?;
        Ok(())
    }

    /// Adds a worker from a plug-in, a shared object in C.
    pub fn add_plugin(&self, name: &str, path: &str, options: &WorkerOptions) -> Result<()> {
        let name = cstr(name)?;
        let path = cstr(path)?;
        options.with_raw(None, |options| {
            // SAFETY: all is copied.
            check(unsafe { sys::chief_add_plugin(self.raw(), name.as_ptr(), path.as_ptr(), options) })
        })?;
        Ok(())
    }

    /// Makes a group of workers that are restarted together, in this order.
    pub fn add_group(&self, name: &str, policy: GroupPolicy, workers: &[&str]) -> Result<()> {
        let name = cstr(name)?;
        let workers = TextList::new(workers)?;
        // SAFETY: all is copied.
        check(unsafe {
            sys::chief_add_group(self.raw(), name.as_ptr(), policy.number(), workers.as_ptr(), workers.len())
        })?;
        Ok(())
    }

    /// Adds a channel that every worker can ask for by its name.
    pub fn add_channel(&self, name: &str, options: &ChannelOptions) -> Result<Channel> {
        let text = cstr(name)?;
        options.with_raw(|options| {
            // SAFETY: all is copied.
            check(unsafe { sys::chief_add_channel(self.raw(), text.as_ptr(), options) })
        })?;
        self.channel(name)
    }

    /// The channel of that name, which may outlive the chief.
    pub fn channel(&self, name: &str) -> Result<Channel> {
        let name = cstr(name)?;
        let mut raw = ptr::null_mut();
        // SAFETY: the reference is ours.
        check(unsafe { sys::chief_get_channel(self.raw(), name.as_ptr(), &mut raw) })?;
        Ok(unsafe { Channel::from_raw(raw) })
    }

    /// Enables one worker. By default all are; after the first call of this kind only those named.
    pub fn enable_worker(&self, name: &str) -> Result<()> {
        self.with_name(name, sys::chief_enable_worker)
    }

    /// Enables several: all of them or none.
    pub fn enable_workers(&self, names: &[&str]) -> Result<()> {
        let names = TextList::new(names)?;
        // SAFETY: the names are read during the call.
        check(unsafe { sys::chief_enable_workers(self.raw(), names.as_ptr(), names.len()) })?;
        Ok(())
    }

    pub fn is_enabled(&self, name: &str) -> bool {
        // SAFETY: the name is read during the call.
        cstr(name).map_or(false, |name| unsafe { sys::chief_is_enabled(self.raw(), name.as_ptr()) == 1 })
    }

    /// Whether every worker is enabled when none is named.
    pub fn set_enable_by_default(&self, on: bool) -> Result<()> {
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_set_enable_by_default(self.raw(), on.into()) })?;
        Ok(())
    }

    /// The limit of the whole stop.
    pub fn set_force_stop_timeout(&self, timeout: Duration) -> Result<()> {
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_set_force_stop_timeout(self.raw(), time::option(Some(timeout))) })?;
        Ok(())
    }

    /// Whether the chief ends by itself when nothing runs and nothing is scheduled.
    pub fn set_exit_when_done(&self, on: bool) -> Result<()> {
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_set_exit_when_done(self.raw(), on.into()) })?;
        Ok(())
    }

    /// Says which signals the loop takes while it lives.
    pub fn catch_signals(&self, catches: &[Catch]) -> Result<()> {
        let flags = catches.iter().fold(0, |flags, catch| {
            flags
                | match catch {
                    Catch::Stop => sys::CHIEF_CATCH_STOP,
                    Catch::Hup => sys::CHIEF_CATCH_HUP,
                    Catch::Usr2 => sys::CHIEF_CATCH_USR2,
                    Catch::Last => sys::CHIEF_CATCH_LAST,
                }
        });
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_catch_signals(self.raw(), flags as u32) })?;
        Ok(())
    }

    // ---- its life ----

    /// Starts the loop and runs the inits; a worker whose init fails is `Failed`, which is no error here.
    pub fn init_workers(&self, log: Option<&Log>) -> Result<()> {
        // SAFETY: the chief takes its own reference to the logger.
        check(unsafe { sys::chief_init_workers(self.raw(), log.map_or(ptr::null_mut(), Log::raw)) })?;
        Ok(())
    }

    /// Lets the initialised workers run, and returns. When `parent` is done, the chief stops.
    pub fn launch(&self, parent: Option<&Context>) -> Result<()> {
        // SAFETY: the chief takes its own reference to the context.
        check(unsafe { sys::chief_launch(self.raw(), parent.map_or(ptr::null_mut(), Context::raw)) })?;
        Ok(())
    }

    /// Waits until the chief has stopped. `Timeout` names the workers that had to be ended by force, `Failed` those whose last
    /// life had failed.
    pub fn join(&self) -> Result<()> {
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_join(self.raw(), sys::CHIEF_FOREVER) })?;
        Ok(())
    }

    /// The same for that time at most; [`has_stopped`](Self::has_stopped) tells a stop from a short wait.
    pub fn join_timeout(&self, timeout: Duration) -> Result<()> {
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_join(self.raw(), time::millis(timeout)) })?;
        Ok(())
    }

    pub fn has_stopped(&self) -> bool {
        // SAFETY: the chief is alive.
        unsafe { sys::chief_has_stopped(self.raw()) == 1 }
    }

    /// [`launch`](Self::launch) and [`join`](Self::join).
    pub fn start(&self, parent: Option<&Context>) -> Result<()> {
        // SAFETY: the chief takes its own reference to the context.
        check(unsafe { sys::chief_start(self.raw(), parent.map_or(ptr::null_mut(), Context::raw)) })?;
        Ok(())
    }

    /// Enables the workers named (none: as by default), initialises and starts them, and stops at SIGTERM or SIGINT; a second
    /// signal forces.
    pub fn run_all(&self, names: &[&str]) -> Result<()> {
        let names = TextList::new(names)?;
        // SAFETY: the names are read during the call.
        let ended = check(unsafe { sys::chief_run_all(self.raw(), ptr::null(), names.as_ptr(), names.len()) });
        ended.map(drop).map_err(|error| self.locker_failure().unwrap_or(error))
    }

    /// Asks for a graceful stop.
    pub fn stop(&self) -> Result<()> {
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_stop(self.raw()) })?;
        Ok(())
    }

    /// The same with a reason for people.
    pub fn stop_because(&self, why: &str) -> Result<()> {
        self.with_name(why, sys::chief_stop_because)
    }

    /// Ends the graceful part: what still runs is forced now.
    pub fn force_stop(&self) -> Result<()> {
        // SAFETY: the chief is alive.
        check(unsafe { sys::chief_force_stop(self.raw()) })?;
        Ok(())
    }

    /// How a program that ran this chief should exit.
    pub fn exit_code(&self) -> i32 {
        // SAFETY: the chief is alive.
        unsafe { sys::chief_exit_code(self.raw()) }
    }
}

impl Drop for Chief {
    fn drop(&mut self) {
        // SAFETY: this is the only handle. Called by one of its own workers it only asks for the end.
        unsafe { sys::chief_free(self.raw()) }
    }
}

impl fmt::Debug for Chief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chief").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Where a program is that was installed beside the library.
pub fn find_program(name: &str) -> Result<String> {
    let name = cstr(name)?;
    let mut buffer = vec![0u8; 4096];
    // SAFETY: it writes that much at most.
    check(unsafe { sys::chief_find_program(name.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) })?;
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
    buffer.truncate(end);
    String::from_utf8(buffer)
        .map_err(|_| Error::new(ErrorCode::BadData, "the program's path should be UTF-8 to be used from Rust"))
}

/// A library of another ABI would be misread.
fn check_abi() -> Result<()> {
    // SAFETY: it takes nothing.
    let abi = unsafe { sys::chief_abi() };
    if i64::from(abi) == sys::CHIEF_ABI {
        return Ok(());
    }
    let text = format!("libchief should have the ABI {}, got {} (version {})", sys::CHIEF_ABI, abi, version());
    Err(Error::new(ErrorCode::NotSupported, text))
}

/// The version of the library.
pub fn version() -> &'static str {
    // SAFETY: the text is constant.
    unsafe { crate::error::static_text(sys::chief_version()) }
}
